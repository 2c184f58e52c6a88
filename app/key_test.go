package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	system "github.com/zalando/go-keyring"

	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/storage/local"
)

// ring is a key store under test.
type ring struct {
	kept   map[string]string
	deaf   error               // what everything fails with
	mangle func(string) string // what it makes of a secret
	asked  int
}

func (r *ring) Get(account string) (string, error) {
	r.asked++
	if r.deaf != nil {
		return "", r.deaf
	}
	secret, ok := r.kept[account]
	if !ok {
		return "", errNoSecret
	}
	return secret, nil
}

func (r *ring) Set(account, secret string) error {
	r.asked++
	if r.deaf != nil {
		return r.deaf
	}
	if r.mangle != nil {
		secret = r.mangle(secret)
	}
	r.kept[account] = secret
	return nil
}

func newRing() *ring { return &ring{kept: make(map[string]string)} }

// desk is a data folder whose station starts again and again.
type desk struct {
	t   *testing.T
	dir string
	at  time.Time
	set settings.Station
	// key and place are what the last start came to.
	key   ed25519.PrivateKey
	place keyPlace
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return &desk{t: t, dir: t.TempDir(), at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
}

func (d *desk) start(keys keyring) error {
	d.t.Helper()
	store, err := local.Open(d.dir, local.Options{})
	if err != nil {
		d.t.Fatal(err)
	}
	defer store.Close()
	d.set.Data = d.dir
	st := &station{settings: d.set, store: store, log: slog.New(slog.DiscardHandler), now: func() time.Time { return d.at }}
	d.key, err = st.ownKey(d.t.Context(), keys)
	d.place = st.keys
	return err
}

func (d *desk) must(keys keyring) ed25519.PrivateKey {
	d.t.Helper()
	if err := d.start(keys); err != nil {
		d.t.Fatal(err)
	}
	return d.key
}

func (d *desk) enrol() {
	d.t.Helper()
	store, err := local.Open(d.dir, local.Options{})
	if err == nil {
		err = errors.Join(store.SetIdentity(d.t.Context(), qc.Identity{Station: "s1", Centre: "https://c", Instance: "i"}), store.Close())
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) hasFile() bool {
	_, err := os.Stat(filepath.Join(d.dir, keyFileName))
	return err == nil
}

// noRing is no key store at all, as an interface.
var noRing keyring

func TestKeyMovesIntoTheSystem(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first := d.must(noRing)
	if first == nil || d.place != keyInFile || !d.hasFile() {
		t.Fatalf("made in %q", d.place)
	}
	d.enrol()
	keys := newRing()
	if again := d.must(keys); !again.Equal(first) || d.place != keyInSystem || d.hasFile() {
		t.Fatalf("moved to %q, file there: %v", d.place, d.hasFile())
	}
	if again := d.must(keys); !again.Equal(first) || d.place != keyInSystem {
		t.Errorf("next start: %q", d.place)
	}
	if place, err := lookForKey(d.dir, keys); place != keyInSystem || err != nil {
		t.Errorf("the doctor finds it in %q, %v", place, err)
	}
	d.set.KeyStore = settings.KeyInFile
	if again := d.must(keys); !again.Equal(first) || d.place != keyInFile || !d.hasFile() {
		t.Errorf("asked back into the file: %q", d.place)
	}
	if again := d.must(keys); !again.Equal(first) || d.place != keyInFile || !d.hasFile() {
		t.Errorf("stays in the file: %q", d.place)
	}
}

func TestKeyStaysInTheFileUnlessReadBack(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]*ring{
		"locked":       {kept: map[string]string{}, deaf: errors.New("locked")},
		"slow":         {kept: map[string]string{}, deaf: errKeyStoreSlow},
		"forgetful":    {kept: map[string]string{}, mangle: func(string) string { return "" }},
		"another key":  {kept: map[string]string{}, mangle: func(string) string { return "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=" }},
		"cuts secrets": {kept: map[string]string{}, mangle: func(s string) string { return s[:20] }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			first := d.must(keys)
			if first == nil || d.place != keyInFile || !d.hasFile() {
				t.Fatalf("in %q", d.place)
			}
			asked := keys.asked
			if again := d.must(keys); !again.Equal(first) || keys.asked != asked {
				t.Errorf("asked %d times more", keys.asked-asked)
			}
			d.at = d.at.Add(tryAgain)
			keys.deaf, keys.mangle = nil, nil // it was unlocked
			if again := d.must(keys); !again.Equal(first) || d.place != keyInSystem || d.hasFile() {
				t.Errorf("a day later: %q", d.place)
			}
		})
	}
}

// TestMissingKeyIsMissed: an enrolled station never becomes another one.
func TestMissingKeyIsMissed(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*desk, *ring) keyring{
		"file gone":       func(d *desk, _ *ring) keyring { d.remove(keyFileName); return noRing },
		"file, note gone": func(d *desk, _ *ring) keyring { d.remove(keyFileName); d.remove(keyNoteName); return noRing },
		"note torn, file gone": func(d *desk, _ *ring) keyring {
			d.remove(keyFileName)
			d.write(keyNoteName, []byte("{"))
			return noRing
		},
		"store emptied":   func(d *desk, r *ring) keyring { d.must(r); clear(r.kept); return r },
		"store locked":    func(d *desk, r *ring) keyring { d.must(r); r.deaf = errKeyStoreSlow; return r },
		"another machine": func(d *desk, r *ring) keyring { d.must(r); return noRing },
		"another's key": func(d *desk, _ *ring) keyring {
			d.write(keyFileName, bytes.Repeat([]byte{7}, ed25519.SeedSize))
			return noRing
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, keys := newDesk(t), newRing()
			d.must(noRing)
			d.enrol()
			if key := d.must(lose(d, keys)); key != nil || d.place != keyMissing {
				t.Fatalf("has a key in %q", d.place)
			}
		})
	}
}

func TestKeyComesBackWhenTheStoreIsUnlocked(t *testing.T) {
	t.Parallel()
	d, keys := newDesk(t), newRing()
	first := d.must(keys)
	d.enrol()
	keys.deaf = errors.New("locked")
	if d.must(keys) != nil {
		t.Fatal("a key out of a locked store")
	}
	keys.deaf = nil
	if !d.must(keys).Equal(first) {
		t.Error("another key")
	}
}

// TestRestoredKey: a backup brings the key as a file, without a note.
func TestRestoredKey(t *testing.T) {
	t.Parallel()
	d, keys := newDesk(t), newRing()
	first := d.must(keys)
	d.enrol()
	d.remove(keyNoteName)
	d.write(keyFileName, first.Seed())
	if again := d.must(keys); !again.Equal(first) || d.place != keyInSystem || len(keys.kept) != 1 {
		t.Errorf("in %q, %d keys", d.place, len(keys.kept))
	}
}

func (d *desk) remove(name string) {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.dir, name)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) write(name string, data []byte) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// TestSystemRing is about the library of the systems' stores. It is not
// parallel: the library's stand-in is one for all.
func TestSystemRing(t *testing.T) {
	keys := systemRing{time.Minute}
	system.MockInit()
	if _, err := keys.Get("station x"); !errors.Is(err, errNoSecret) {
		t.Errorf("nothing there: %v", err)
	}
	if err := keys.Set("station x", "secret"); err != nil {
		t.Fatal(err)
	}
	if got, err := keys.Get("station x"); got != "secret" || err != nil {
		t.Errorf("read back %q, %v", got, err)
	}
	locked := errors.New("locked")
	system.MockInitWithError(locked)
	if err := keys.Set("station x", "secret"); !errors.Is(err, locked) {
		t.Errorf("locked: %v", err)
	}
	hung, end := context.WithCancel(t.Context())
	defer end()
	_, err := systemRing{time.Millisecond}.within(func() (string, error) { <-hung.Done(); return "", nil })
	if !errors.Is(err, errKeyStoreSlow) {
		t.Errorf("hung: %v", err)
	}
	if _, err := keys.within(func() (string, error) { panic("bus") }); err == nil {
		t.Error("a panic went unnoticed")
	}
}

// TestBackupTakesTheKeyAlong wherever it is.
func TestBackupTakesTheKeyAlong(t *testing.T) {
	system.MockInit()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	f := newFolder(t)
	first := f.path("station.key")
	if exit, _, errOut := f.run("queue"); exit != 0 {
		t.Fatal(errOut)
	}
	if _, err := os.Stat(first); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the key is still in its file: %v", err)
	}
	note, _, err := readKeyNote(f.dir)
	f.try(err)
	file := filepath.Join(t.TempDir(), "backup")
	if exit, _, errOut := f.run("backup", file); exit != 0 {
		t.Fatal(errOut)
	}
	f.try(os.RemoveAll(f.dir))
	if exit, _, errOut := f.run("restore", file); exit != 0 {
		t.Fatal(errOut)
	}
	key, err := readKeyFile(f.dir)
	if err != nil || !note.Public.Equal(key.Public()) {
		t.Errorf("restored another key, %v", err)
	}
}
