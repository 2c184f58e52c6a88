package main

import (
	"context"
	"errors"
	"os"

	"flawmark/app/command"
)

// key says where the station's private key is, and whether it is there.
func (d *doctor) key(ctx context.Context) error {
	place, err := d.keys, error(nil)
	if place == "" {
		if place, err = lookForKey(d.settings.Data, systemKeys()); err != nil {
			d.Say("key", command.Trouble, "unreadable")
			return nil //nolint:nilerr // said, which is what a doctor is for
		}
	}
	switch place {
	case keyInSystem:
		d.Say("key", command.Sound, "system")
	case keyInFile:
		d.Say("key", command.Sound, "file")
	case keyMissing:
		d.Say("key", command.Trouble, "missing")
	default:
		if d.store != nil {
			if _, enrolled, err := d.store.Identity(ctx); err != nil {
				return err
			} else if enrolled {
				d.Say("key", command.Trouble, "missing")
				return nil
			}
		}
		d.Say("key", command.Sound, "none")
	}
	return nil
}

// lookForKey reports where a folder's key is, and changes nothing; empty: there
// has never been one.
func lookForKey(data string, ring keyring) (keyPlace, error) {
	note, noted, err := readKeyNote(data)
	if err != nil {
		return "", err
	}
	key, err := readKeyFile(data)
	switch {
	case err == nil && (!noted || note.Public.Equal(key.Public())):
		return keyInFile, nil
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return "", err
	case !noted && err != nil:
		return "", nil //nolint:nilerr // no key was ever made here
	}
	if _, err := fetchKey(note, ring); err != nil {
		return keyMissing, nil //nolint:nilerr // that it cannot be had is the answer
	}
	return keyInSystem, nil
}
