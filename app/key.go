package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"flawmark/app/durable"
	"flawmark/app/settings"
)

// The private key is what makes a station itself to its centre. It is in the
// system's store for secrets where there is one, else in a file that only its
// owner can read. Beside the data a note says which key it is and where, so
// that a key that cannot be found is missed, and never silently replaced by
// another: with that the station would be a stranger.

const (
	keyFileName = "station.key"  // the seed, 32 bytes
	keyNoteName = "station.json" // a keyNote
	// tryAgain is after how long a system's store that did not take the key is
	// asked again, so that a locked one does not delay every command.
	tryAgain = 24 * time.Hour
)

// keyPlace is where the private key is.
type keyPlace string

const (
	keyInSystem keyPlace = "system"
	keyInFile   keyPlace = "file"
	keyMissing  keyPlace = "missing"
)

// saysKeyMissing is the sentence about a station without its key.
const saysKeyMissing = "error.key_missing"

var errKeyMissing = errors.New("the private key of this station cannot be found")

// keyNote is what is known of the key without the key.
type keyNote struct {
	Public ed25519.PublicKey `json:"public_key"`
	Place  keyPlace          `json:"place"`
	// TriedAt is when the system's store last failed to take the key.
	TriedAt time.Time `json:"tried_at,omitzero"`
}

// keyring is a system's store for secrets.
type keyring interface {
	// Get fails with errNoSecret when the store says that it has none.
	Get(account string) (string, error)
	Set(account, secret string) error
}

var errNoSecret = errors.New("the key store has no such key")

// ownKey returns the key that proves this station to its centre, made on first
// use. It is nil, without an error, when the station had one and it cannot be
// found. ring may be nil: the system has no store for secrets. A station that is
// not enrolled yet has nothing to lose and gets a new one.
func (s *station) ownKey(ctx context.Context, ring keyring) (ed25519.PrivateKey, error) {
	note, noted, err := readKeyNote(s.settings.Data)
	if err != nil {
		s.log.Error("the note of the station's key cannot be read", "error", err)
	}
	keepInFile := s.settings.KeyStore == settings.KeyInFile
	key, err := readKeyFile(s.settings.Data)
	switch {
	case err == nil && (!noted || note.Public.Equal(key.Public())):
		if keepInFile {
			ring = nil
		}
		return key, s.settleKey(key, note, ring)
	case err == nil:
		// Another station's key was put here. With that we would speak in its name.
		s.log.Error("station.key is not this station's")
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	_, enrolled, err := s.store.Identity(ctx)
	if err != nil {
		return nil, err
	}
	missing := errKeyMissing
	if noted {
		if key, missing = fetchKey(note, ring); missing == nil {
			s.keys = keyInSystem
			if keepInFile {
				return key, s.keepInFile(key)
			}
			return key, nil
		}
	}
	if enrolled {
		s.log.Error("the station's key is missing", "error", missing)
		s.keys = keyMissing
		return nil, nil
	}
	_, key, err = ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make station key: %w", err)
	}
	// On the disk first, whatever becomes of the move.
	if err := s.keepInFile(key); err != nil {
		return nil, err
	}
	if keepInFile {
		return key, nil
	}
	return key, s.settleKey(key, keyNote{}, ring)
}

// keepInFile writes a key to the folder and notes that it is there.
func (s *station) keepInFile(key ed25519.PrivateKey) error {
	if err := durable.WriteFile(filepath.Join(s.settings.Data, keyFileName), key.Seed()); err != nil {
		return fmt.Errorf("keep station key: %w", err)
	}
	s.keys = keyInFile
	return writeKeyNote(s.settings.Data, keyNote{Public: key.Public().(ed25519.PublicKey), Place: keyInFile})
}

// settleKey moves a key that is in the file into the system's store, and notes
// where it is. The file goes only after the key was read back from there.
func (s *station) settleKey(key ed25519.PrivateKey, note keyNote, ring keyring) error {
	s.keys = keyInFile
	before := note
	note.Public, note.Place = key.Public().(ed25519.PublicKey), keyInFile
	due := s.now().Sub(note.TriedAt) >= tryAgain || note.TriedAt.After(s.now())
	if ring != nil && due {
		if err := moveKey(key, ring); err == nil {
			note.Place, note.TriedAt, s.keys = keyInSystem, time.Time{}, keyInSystem
		} else {
			note.TriedAt = s.now()
			s.log.Warn("the system's key store does not take the station's key, so it stays in its file", "error", err)
		}
	}
	if before.Place != note.Place || !before.Public.Equal(note.Public) || !before.TriedAt.Equal(note.TriedAt) {
		if err := writeKeyNote(s.settings.Data, note); err != nil {
			return err
		}
	}
	if s.keys == keyInSystem {
		if err := os.Remove(filepath.Join(s.settings.Data, keyFileName)); err != nil {
			return fmt.Errorf("remove station key: %w", err)
		}
	}
	return nil
}

// accountOf names a key in the system's store. Copies of a folder share it, as
// they share the key, and no other station's key is ever overwritten.
func accountOf(public ed25519.PublicKey) string {
	return "station " + base64.RawURLEncoding.EncodeToString(public)
}

// moveKey puts a key into the system's store and reads it back.
func moveKey(key ed25519.PrivateKey, ring keyring) error {
	public := key.Public().(ed25519.PublicKey)
	if err := ring.Set(accountOf(public), base64.StdEncoding.EncodeToString(key.Seed())); err != nil {
		return err
	}
	_, err := fetchKey(keyNote{Public: public}, ring)
	return err
}

// fetchKey reads a key from the system's store and checks that it is the one.
func fetchKey(note keyNote, ring keyring) (ed25519.PrivateKey, error) {
	if ring == nil {
		return nil, fmt.Errorf("%w: no key store", errKeyMissing)
	}
	secret, err := ring.Get(accountOf(note.Public))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKeyMissing, err)
	}
	seed, err := base64.StdEncoding.DecodeString(secret)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%w: the key store has something else", errKeyMissing)
	}
	if key := ed25519.NewKeyFromSeed(seed); note.Public.Equal(key.Public()) {
		return key, nil
	}
	return nil, fmt.Errorf("%w: the key store has another key", errKeyMissing)
}

// readKeyFile fails with [os.ErrNotExist] when the key is not in the file.
func readKeyFile(data string) (ed25519.PrivateKey, error) {
	seed, err := os.ReadFile(filepath.Join(data, keyFileName))
	if err != nil {
		return nil, fmt.Errorf("read station key: %w", err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("read station key: %d bytes instead of %d", len(seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// readKeyNote reports false for a folder from before there were notes.
func readKeyNote(data string) (note keyNote, noted bool, err error) {
	text, err := os.ReadFile(filepath.Join(data, keyNoteName))
	if errors.Is(err, os.ErrNotExist) {
		return keyNote{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &note)
	}
	if err == nil && len(note.Public) != ed25519.PublicKeySize {
		err = errors.New("no public key in it")
	}
	if err != nil {
		return keyNote{}, false, fmt.Errorf("read note of the station key: %w", err)
	}
	return note, true, nil
}

func writeKeyNote(data string, note keyNote) error {
	text, err := json.Marshal(note)
	if err == nil {
		err = durable.WriteFile(filepath.Join(data, keyNoteName), append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write note of the station key: %w", err)
	}
	return nil
}
