package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"flawmark/app/archive"
	"flawmark/app/command"
	"flawmark/app/logbook"
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/storage/blob"
	"flawmark/storage/local"
)

func restoreFlags(set *flag.FlagSet) {
	set.Bool("force", false, "also where the folder is not empty: what is there is moved aside, never deleted")
}

// restore puts a backup in the place of the data folder. Everything is verified
// and made ready beside it first; the folder changes in one rename.
func restore(ctx context.Context, call *command.Call) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "FILE")
	}
	wanted, err := settings.LoadStation(call.Set, call.Env)
	if err != nil {
		return err
	}
	from := call.Path(call.Args[0])
	if err := mayReplace(ctx, wanted.Data, call.Flag("force") == "true"); err != nil {
		return err
	}
	a, err := stationArchive().Open(ctx, from)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return command.Fail("error.file_missing", err, "file", from)
	case errors.Is(err, archive.ErrNewer):
		return command.Fail("cli.backup_newer", err, "file", from)
	case err != nil && ctx.Err() == nil:
		return command.Fail("cli.backup_broken", err, "file", from)
	case err != nil:
		return err
	}
	defer a.Close()
	var result restored
	result.aside, err = archive.Replace(wanted.Data, func(ready string) (err error) {
		result, err = prepare(ctx, a, ready, wanted.Data)
		return err
	})
	if err != nil {
		return restoreProblem(err, from, wanted.Data)
	}
	if call.JSON {
		return json.NewEncoder(call.Out).Encode(map[string]any{
			"file": from, "folder": wanted.Data, "unsent": result.events, "aside": result.aside, "missing": result.missing,
		})
	}
	call.Say("cli.restored", "file", from, "folder", wanted.Data, "events", strconv.Itoa(result.events))
	if result.aside != "" {
		call.Say("cli.restored_aside", "folder", result.aside)
	}
	if result.missing > 0 {
		call.Say("cli.restored_missing", "n", strconv.Itoa(result.missing))
	}
	return nil
}

func restoreProblem(err error, from, data string) error {
	switch {
	case errors.Is(err, local.ErrNewer):
		return command.Fail("cli.backup_newer", err, "file", from)
	case errors.Is(err, local.ErrDamaged), errors.Is(err, archive.ErrDamaged):
		return command.Fail("cli.backup_broken", err, "file", from)
	case isFull(err):
		return command.Fail("error.disk_full", err)
	case errors.Is(err, context.Canceled):
		return err
	}
	return command.Fail("cli.folder_unusable", err, "folder", data)
}

// mayReplace refuses to put a backup where something would be lost from sight.
func mayReplace(ctx context.Context, data string, force bool) error {
	entries, err := os.ReadDir(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return command.Fail("cli.folder_unusable", err, "folder", data)
	}
	there := false
	for _, entry := range entries {
		there = there || !logbook.Holds(entry.Name(), logName)
	}
	if !there {
		return nil
	}
	unsent := -1 // nobody can tell
	old, err := local.Inspect(data, local.Options{})
	switch {
	case errors.Is(err, local.ErrInUse):
		return command.Fail("error.already_running", err, "folder", data)
	case err == nil:
		if counts, err := old.Counts(ctx); err == nil {
			unsent = counts.EventsWaiting + counts.PhotosWaiting
		}
		if err := old.Close(); err != nil {
			return err
		}
	}
	switch {
	case force:
		return nil
	case unsent > 0:
		return command.Fail("cli.restore_unsent", nil, "folder", data, "n", strconv.Itoa(unsent))
	}
	return command.Fail("cli.restore_not_empty", nil, "folder", data)
}

// restored is what a restore has come to.
type restored struct {
	events  int    // that wait to be sent
	missing int    // unsent photo files that are nowhere
	aside   string // where the old folder is; empty: there was none
}

// prepare makes a whole data folder of the archive in ready, with the photos
// that the old folder has.
func prepare(ctx context.Context, a *archive.Archive, ready, old string) (restored, error) {
	var result restored
	var made manifest
	if err := a.Read(&made); err != nil {
		return result, err
	}
	if err := a.Extract(ctx, ready); err != nil {
		return result, err
	}
	if err := local.VerifyBackup(ctx, filepath.Join(ready, archiveDatabase)); err != nil {
		return result, err
	}
	store, err := local.Open(ready, local.Options{})
	if err != nil {
		return result, err
	}
	// Since the backup was made, the station may have sent more: the numbers of
	// its log are not to be given twice.
	if store.Epoch() == made.Epoch {
		err = store.BeginEpoch(ctx)
	}
	if err == nil {
		err = store.Check(ctx)
	}
	if err == nil {
		result, err = bringPhotos(ctx, store, ready, old)
	}
	return result, errors.Join(err, store.Close())
}

// bringPhotos copies the photos that the restored data name and the archive
// does not hold from the folder that is being replaced.
func bringPhotos(ctx context.Context, store *local.Store, ready, old string) (result restored, err error) {
	counts, err := store.Counts(ctx)
	if err != nil {
		return result, err
	}
	result.events = counts.EventsWaiting
	to, err := blob.OpenFolder(filepath.Join(ready, "blobs"))
	if err != nil {
		return result, err
	}
	defer to.Close()
	wanted, err := namedFiles(ctx, store)
	if err != nil {
		return result, err
	}
	var from *blob.Folder
	if _, err := os.Stat(filepath.Join(old, "blobs")); err == nil {
		if from, err = blob.OpenFolder(filepath.Join(old, "blobs")); err != nil {
			return result, err
		}
		defer from.Close()
	}
	for d, unsent := range wanted {
		if _, here, err := to.Has(d); err != nil {
			return result, err
		} else if here {
			continue
		}
		found := false
		if from != nil {
			if found, err = carry(ctx, from, to, d); err != nil {
				return result, err
			}
		}
		if !found && unsent {
			result.missing++
		}
	}
	return result, nil
}

// namedFiles returns the files of findings and drafts, and which of them the
// centre does not have.
func namedFiles(ctx context.Context, store *local.Store) (map[qc.Digest]bool, error) {
	files, err := store.Files(ctx)
	if err != nil {
		return nil, err
	}
	wanted := make(map[qc.Digest]bool, len(files))
	for _, file := range files {
		wanted[file.Digest] = !file.Stored
	}
	drafts, err := store.Drafts(ctx)
	if err != nil {
		return nil, err
	}
	for _, draft := range drafts {
		for _, p := range draft.Finding.Photos {
			for _, d := range []qc.Digest{p.Digest, p.Preview.Digest, p.Thumb.Digest} {
				if d != "" {
					wanted[d] = true
				}
			}
		}
	}
	return wanted, nil
}

// carry copies one sound photo file and reports whether there was one.
func carry(ctx context.Context, from, to *blob.Folder, d qc.Digest) (bool, error) {
	file, err := from.Open(d)
	if errors.Is(err, qc.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	got, _, err := to.Put(ctx, file)
	if err != nil {
		return false, err
	}
	if got != d { // it was damaged: leave it where it lies
		return false, to.Remove(got)
	}
	return true, nil
}

// copyBlob writes one photo file to w, checked against its digest by whoever
// asked. It reports whether the file is here.
func (s *station) copyBlob(ctx context.Context, d qc.Digest, w io.Writer) (bool, error) {
	file, err := s.blobs.Open(d)
	if errors.Is(err, qc.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	_, err = io.Copy(w, archive.Until(ctx, file))
	return true, err
}
