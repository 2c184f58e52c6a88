package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"flawmark/app/archive"
	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/storage/local"
)

func backupFlags(set *flag.FlagSet) {
	set.Bool("photos", false, "put the photos into the file too")
}

// backUp writes the station to one file, which is read back before it gets its
// name.
func backUp(ctx context.Context, call *command.Call, s *station) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "FILE")
	}
	to := call.Path(call.Args[0])
	var made manifest
	err := archive.Create(to, func(temp string) (err error) {
		made, err = s.writeArchive(ctx, temp, call.Flag("photos") == "true")
		return err
	}, func(temp string) error { return readBack(ctx, temp) })
	switch {
	case errors.Is(err, archive.ErrExists):
		return command.Fail("cli.backup_exists", err, "file", to)
	case err != nil && (ctx.Err() != nil || isFull(err)):
		return err
	case err != nil:
		return command.Fail("cli.backup_failed", err, "file", to)
	}
	if call.JSON {
		made.Files = nil
		return json.NewEncoder(call.Out).Encode(struct {
			File string `json:"file"`
			manifest
		}{to, made})
	}
	key := "cli.backed_up"
	if made.Photos {
		key = "cli.backed_up_photos"
	}
	call.Say(key, "file", to, "events", strconv.Itoa(made.Unsent))
	return nil
}

// writeArchive writes all that is this station to a new file.
func (s *station) writeArchive(ctx context.Context, name string, photos bool) (manifest, error) {
	counts, err := s.store.Counts(ctx)
	if err != nil {
		return manifest{}, err
	}
	identity, _, err := s.store.Identity(ctx)
	if err != nil {
		return manifest{}, err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(name), ".flawmark-*")
	if err != nil {
		return manifest{}, err
	}
	defer os.RemoveAll(scratch)
	database := filepath.Join(scratch, archiveDatabase)
	if err := s.store.BackupTo(ctx, database); err != nil {
		return manifest{}, err
	}
	kind := stationArchive()
	made := manifest{
		Manifest: archive.Manifest{Version: kind.Version, Program: kind.Program, MadeAt: s.now().UTC(), Photos: photos},
		Station:  identity.Station, Epoch: s.store.Epoch(), Unsent: counts.EventsWaiting,
	}
	err = archive.WriteNew(name, func(w io.Writer) error {
		a := archive.NewWriter(w, made.MadeAt)
		if err := s.fillArchive(ctx, a, database, photos); err != nil {
			return err
		}
		made.Files = a.Files()
		return a.Finish(made)
	})
	return made, err
}

func (s *station) fillArchive(ctx context.Context, a *archive.Writer, database string, photos bool) error {
	if err := a.AddFile(ctx, archiveDatabase, database); err != nil {
		return err
	}
	// After the database, so that the journal is never behind it.
	entries, err := os.ReadDir(filepath.Join(s.settings.Data, "journal"))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := "journal/" + entry.Name(); stationArchive().MayHold(name) {
			if err := a.AddFile(ctx, name, filepath.Join(s.settings.Data, "journal", entry.Name())); err != nil {
				return err
			}
		}
	}
	// The key goes along wherever it is kept: a backup is there to be restored
	// on another machine, too.
	if s.key != nil {
		if err := a.Add(ctx, keyFileName, bytes.NewReader(s.key.Seed())); err != nil {
			return err
		}
	}
	if err := a.AddFile(ctx, "settings.json", filepath.Join(s.settings.Data, "settings.json")); err != nil {
		return err
	}
	files, err := s.store.Files(ctx)
	if err != nil {
		return err
	}
	list, err := json.Marshal(files)
	if err != nil {
		return err
	}
	if err := a.Add(ctx, "blobs.json", strings.NewReader(string(list))); err != nil {
		return err
	}
	if !photos {
		return nil
	}
	for d, err := range s.blobs.All() {
		if err != nil {
			return err
		}
		if err := s.addPhoto(ctx, a, d); err != nil {
			return err
		}
	}
	return nil
}

func (s *station) addPhoto(ctx context.Context, a *archive.Writer, d qc.Digest) error {
	file, err := s.blobs.Open(d)
	if errors.Is(err, qc.ErrNotFound) {
		return nil // cleared meanwhile
	}
	if err != nil {
		return err
	}
	defer file.Close()
	return a.Add(ctx, archive.BlobName(d), file)
}

// readBack proves that a backup can be restored.
func readBack(ctx context.Context, name string) error {
	a, err := stationArchive().Open(ctx, name)
	if err != nil {
		return err
	}
	defer a.Close()
	dir, err := os.MkdirTemp(filepath.Dir(name), ".flawmark-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := a.ExtractOnly(ctx, archiveDatabase, dir); err != nil {
		return err
	}
	if err := local.VerifyBackup(ctx, filepath.Join(dir, archiveDatabase)); err != nil {
		return fmt.Errorf("read backup back: %w", err)
	}
	return nil
}
