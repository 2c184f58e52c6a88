package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	system "github.com/zalando/go-keyring"
)

// keyService is under what the system lists the keys of stations.
const keyService = "Flawmark"

// keyPatience is how long the system's key store may take, which may be
// waiting for somebody to unlock it.
const keyPatience = 5 * time.Second

// systemRing is the system's store: Credential Manager, Keychain, Secret
// Service.
type systemRing struct{ patience time.Duration }

// systemKeys returns the system's key store, nil where there is none.
func systemKeys() keyring {
	if runtime.GOOS == "linux" && !hasSessionBus() {
		return nil // asking would start a bus
	}
	switch runtime.GOOS {
	case "linux", "windows", "darwin":
		return systemRing{keyPatience}
	}
	return nil
}

func hasSessionBus() bool {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	folder := os.Getenv("XDG_RUNTIME_DIR")
	if folder == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(folder, "bus")) //nolint:gosec // the session's own folder, only looked at
	return err == nil
}

func (r systemRing) Get(account string) (string, error) {
	return r.within(func() (string, error) { return system.Get(keyService, account) })
}

func (r systemRing) Set(account, secret string) error {
	_, err := r.within(func() (string, error) { return "", system.Set(keyService, account, secret) })
	return err
}

var errKeyStoreSlow = errors.New("the system's key store does not answer; it may be locked")

// within gives the store its time. A call that hangs cannot be ended; it is
// left to itself, and its result to nobody.
func (r systemRing) within(ask func() (string, error)) (string, error) {
	type answer struct {
		secret string
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		secret, err := guardedly(ask)
		answered <- answer{secret, err}
	}()
	timer := time.NewTimer(r.patience)
	defer timer.Stop()
	select {
	case got := <-answered:
		if errors.Is(got.err, system.ErrNotFound) {
			return "", errNoSecret
		}
		return got.secret, got.err
	case <-timer.C:
		return "", errKeyStoreSlow
	}
}

// guardedly keeps a defect of a system's library from ending the program.
func guardedly(ask func() (string, error)) (secret string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the system's key store failed: %v", cause)
		}
	}()
	return ask()
}
