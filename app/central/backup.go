package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"flawmark/app/archive"
	"flawmark/app/command"
	"flawmark/app/logbook"
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/storage/blob"
	"flawmark/storage/central"
)

// A backup is an archive with a centre in it:
//
//	central.db         the database as of one moment, in the form of SQLite
//	                   whichever database is served
//	settings.json      what an administrator chose
//	blobs.jsonl        the photo files that the centre had
//	blobs/ab/<sha256>  the files themselves, where they were asked for
//	manifest.json      last: what is in it, with the hash of each
const archiveDatabase = "central.db"

// centreArchive is what backups of a centre are like.
func centreArchive() archive.Kind {
	return archive.Kind{
		Program: "flawmark-central", Version: 1, Database: archiveDatabase,
		Listing: 1 << 30, // some million photos
		Others:  func(name string) bool { return name == settings.FileName || name == "blobs.jsonl" },
	}
}

// manifest says what is in a centre's archive.
type manifest struct {
	archive.Manifest
	Instance string `json:"instance"`
	Events   int    `json:"events"` // of stations
	Cases    int    `json:"cases"`
	Blobs    int    `json:"blobs"`    // photo files that the database knows
	Problems int    `json:"problems"` // of its books; 0: all holds
}

func backupFlags(set *flag.FlagSet) {
	set.Bool("photos", false, "put the photos into the file too")
}

// backUp writes the centre to one file, which is read back before it gets its
// name.
func backUp(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "FILE")
	}
	to := call.Path(call.Args[0])
	var made manifest
	err := archive.Create(to, func(temp string) (err error) {
		made, err = c.writeArchive(ctx, temp, call.Flag("photos") == "true")
		return err
	}, func(temp string) error { return readBack(ctx, temp, &made) })
	switch {
	case errors.Is(err, archive.ErrExists):
		return command.Fail("cli.backup_exists", err, "file", to)
	case err != nil && (ctx.Err() != nil || isFull(err)):
		return err
	case err != nil:
		return command.Fail("cli.backup_failed", err, "file", to)
	}
	if err := c.store.NoteBackup(ctx, made.MadeAt); err != nil {
		return err
	}
	if call.JSON {
		made.Files = nil
		return json.NewEncoder(call.Out).Encode(struct {
			File string `json:"file"`
			manifest
		}{to, made})
	}
	key := "cli.centre_backed_up"
	if made.Photos {
		key = "cli.centre_backed_up_photos"
	}
	call.Say(key, "file", to, "cases", strconv.Itoa(made.Cases), "photos", strconv.Itoa(made.Blobs))
	if made.Problems > 0 {
		call.Say("cli.centre_backup_unsound", "n", strconv.Itoa(made.Problems))
	}
	return nil
}

// writeArchive writes all that is this centre to a new file.
func (c *centre) writeArchive(ctx context.Context, name string, photos bool) (manifest, error) {
	scratch, err := os.MkdirTemp(filepath.Dir(name), ".flawmark-*")
	if err != nil {
		return manifest{}, err
	}
	defer os.RemoveAll(scratch)
	kind := centreArchive()
	made := manifest{
		Manifest: archive.Manifest{Version: kind.Version, Program: kind.Program, MadeAt: c.now().UTC(), Photos: photos},
		Instance: c.store.Instance(),
	}
	database := filepath.Join(scratch, archiveDatabase)
	if err := c.store.Backup(ctx, database); err != nil {
		return manifest{}, err
	}
	err = archive.WriteNew(name, func(w io.Writer) error {
		a := archive.NewWriter(w, made.MadeAt)
		// The database first: what it knows of is there when the files are added.
		if err := a.AddFile(ctx, archiveDatabase, database); err != nil {
			return err
		}
		if err := a.AddFile(ctx, settings.FileName, filepath.Join(c.settings.Data, settings.FileName)); err != nil {
			return err
		}
		if err := c.addPhotos(ctx, a, filepath.Join(scratch, "blobs.jsonl"), photos); err != nil {
			return err
		}
		made.Files = a.Files()
		return a.Finish(made)
	})
	return made, err
}

// addPhotos adds the list of photo files and, where asked, the files. One that
// is not there is left out: the restored centre asks the stations for it.
func (c *centre) addPhotos(ctx context.Context, a *archive.Writer, list string, files bool) error {
	var known []qc.Digest
	err := archive.WriteNew(list, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		return c.store.EachBlob(ctx, func(b central.Blob) error {
			if files {
				known = append(known, b.Digest)
			}
			return encoder.Encode(struct {
				Digest    qc.Digest `json:"sha256"`
				Bytes     int64     `json:"size"`
				MediaType string    `json:"media_type"`
			}{b.Digest, b.Bytes, b.MediaType})
		})
	})
	if err == nil {
		err = a.AddFile(ctx, "blobs.jsonl", list)
	}
	if err != nil {
		return err
	}
	for _, d := range known {
		file, err := c.blobs.Open(d)
		if errors.Is(err, qc.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		err = a.Add(ctx, archive.BlobName(d), file)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// readBack proves that a backup can be restored, and counts what is in it.
func readBack(ctx context.Context, name string, made *manifest) error {
	a, err := centreArchive().Open(ctx, name)
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
	store, err := central.Inspect(ctx, central.Config{Dir: dir})
	if err != nil {
		return fmt.Errorf("read backup back: %w", err)
	}
	stats, err := store.Stats(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("read backup back: %w", err), store.Close())
	}
	made.Events, made.Blobs = stats.Events, stats.Blobs
	for _, n := range stats.CasesBy {
		made.Cases += n
	}
	report, err := store.Verify(ctx)
	made.Problems = len(report.Problems) // as in the original: better than no backup
	return errors.Join(err, store.Close())
}

func restoreFlags(set *flag.FlagSet) {
	set.Bool("force", false, "also where the folder is not empty (what is there is moved aside, never deleted), and when the books of the backup do not add up")
}

// restore puts a backup in the place of the data folder. Everything is verified
// and made ready beside it first; the folder changes in one rename.
func restore(ctx context.Context, call *command.Call) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "FILE")
	}
	wanted, err := settings.LoadCentre(call.Set, call.Env)
	if err != nil {
		return err
	}
	if _, serving := command.Held[*centre](ctx); serving {
		return command.Fail("error.centre_already_running", nil, "folder", wanted.Data)
	}
	if real, err := filepath.EvalSymlinks(wanted.Data); err == nil {
		wanted.Data = real // systemd has the folder elsewhere, and its name is to stay a link
	}
	from := call.Path(call.Args[0])
	force := call.Flag("force") == "true"
	if err := mayReplace(wanted.Data, force); err != nil {
		return err
	}
	a, err := centreArchive().Open(ctx, from)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return command.Fail("error.file_missing", err, "file", from)
	case errors.Is(err, archive.ErrNewer):
		return command.Fail("cli.backup_newer", err, "file", from)
	case err != nil && ctx.Err() == nil:
		return command.Fail("cli.centre_backup_broken", err, "file", from)
	case err != nil:
		return err
	}
	defer a.Close()
	missing := 0
	aside, err := archive.Replace(wanted.Data, func(ready string) (err error) {
		missing, err = prepare(ctx, a, ready, wanted, force)
		return err
	})
	if err != nil {
		return restoreProblem(err, from, wanted.Data)
	}
	if call.JSON {
		return json.NewEncoder(call.Out).Encode(map[string]any{"file": from, "folder": wanted.Data, "aside": aside, "missing": missing})
	}
	call.Say("cli.centre_restored", "file", from, "folder", wanted.Data)
	if aside != "" {
		call.Say("cli.restored_aside", "folder", aside)
	}
	if missing > 0 {
		call.Say("cli.centre_restored_missing", "n", strconv.Itoa(missing))
	}
	return nil
}

// errUnsound: a backup is as it was written, and what was written does not add up.
var errUnsound = errors.New("the books of the backup do not add up")

func restoreProblem(err error, from, data string) error {
	switch {
	case errors.Is(err, central.ErrNewer):
		return command.Fail("cli.backup_newer", err, "file", from)
	case errors.Is(err, errUnsound):
		return command.Fail("cli.centre_restore_unsound", err, "file", from)
	case errors.Is(err, archive.ErrDamaged):
		return command.Fail("cli.centre_backup_broken", err, "file", from)
	case errors.Is(err, central.ErrNotEmpty):
		return command.Fail("cli.database_not_empty", err)
	case errors.Is(err, central.ErrDatabase):
		return command.Fail("cli.database_unusable", err)
	case isFull(err):
		return command.Fail("error.disk_full", err)
	case errors.Is(err, context.Canceled):
		return err
	}
	return command.Fail("cli.folder_unusable", err, "folder", data)
}

// mayReplace refuses to put a backup where something would be lost from sight,
// or under a service that runs.
func mayReplace(data string, force bool) error {
	entries, err := os.ReadDir(data)
	if errors.Is(err, os.ErrNotExist) {
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
	if err := central.Free(data); err != nil {
		return command.Fail("error.centre_already_running", err, "folder", data)
	}
	if !force {
		return command.Fail("cli.restore_not_empty", nil, "folder", data)
	}
	return nil
}

// prepare makes a whole data folder of the archive in ready, with the photos
// that the old folder has. It returns how many photo files are nowhere; the
// stations are asked for those.
func prepare(ctx context.Context, a *archive.Archive, ready string, wanted settings.Centre, force bool) (missing int, err error) {
	if err := a.Extract(ctx, ready); err != nil {
		return 0, err
	}
	restored := wanted
	restored.Data = ready
	kept := keptSettings(ready)
	restored.Database = cmp.Or(wanted.Database, kept.Database)
	restored.Objects, restored.ObjectsCA = cmp.Or(wanted.Objects, kept.Objects), cmp.Or(wanted.ObjectsCA, kept.ObjectsCA)
	store, err := central.Inspect(ctx, central.Config{Dir: ready})
	if err != nil {
		return 0, err
	}
	missing, err = prepareStore(ctx, store, a.MadeAt, wanted.Data, restored, force)
	if err = errors.Join(err, store.Close()); err != nil {
		return 0, err
	}
	if restored.Database != "" { // it is there now, and not to be taken for the one in use
		for _, end := range []string{"", "-wal", "-shm"} {
			err = errors.Join(err, os.RemoveAll(filepath.Join(ready, archiveDatabase+end)))
		}
	}
	return missing, err
}

// kept are the settings in a folder that say where its centre's data is.
type kept struct {
	Database  string `json:"database"`
	Objects   string `json:"objects"`
	ObjectsCA string `json:"objects_ca"`
}

// keptSettings reads them; what cannot be read says nothing, and is complained
// of when the service starts.
func keptSettings(dir string) (k kept) {
	data, err := os.ReadFile(filepath.Join(dir, settings.FileName))
	if err != nil || json.Unmarshal(data, &k) != nil {
		return kept{}
	}
	return k
}

// prepareStore checks a restored database and gives it the photo files that are
// to be had. Where a server keeps the data, it gets them. The backup it is of was
// made at a time.
func prepareStore(ctx context.Context, store *central.Store, made time.Time, old string, restored settings.Centre, force bool) (lost int, err error) {
	report, err := store.Verify(ctx)
	if err != nil {
		return 0, err
	}
	if !report.OK() && !force {
		return 0, fmt.Errorf("%w: %s", errUnsound, report.Problems[0])
	}
	files, err := openFiles(ctx, restored)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	var missing []qc.Digest
	err = store.EachBlob(ctx, func(b central.Blob) error {
		there, err := bringPhoto(old, restored.Data, b)
		if err == nil && restored.Objects != "" {
			there, err = sendPhoto(ctx, restored.Data, files, b)
		}
		if !there {
			missing = append(missing, b.Digest)
		}
		return err
	})
	if err == nil && restored.Objects != "" {
		err = os.RemoveAll(filepath.Join(restored.Data, "blobs"))
	}
	if err == nil {
		err = errors.Join(store.BeginFeed(ctx, missing), store.NoteBackup(ctx, made))
	}
	if err == nil && restored.Database != "" {
		_, err = store.CopyTo(ctx, central.Config{URL: restored.Database})
	}
	return len(missing), err
}

// sendPhoto sees to it that a bucket has a photo file, out of a folder where it
// lacks it. It reports whether it does.
func sendPhoto(ctx context.Context, dir string, files blob.Files, b central.Blob) (bool, error) {
	if size, here, err := files.Has(b.Digest); err != nil || here && size == b.Bytes {
		return here, err
	}
	file, err := os.Open(filepath.Join(dir, filepath.FromSlash(archive.BlobName(b.Digest))))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	got, _, err := files.Put(ctx, file)
	if err == nil && got != b.Digest { // it was damaged
		return false, files.Remove(got)
	}
	return err == nil, err
}

// bringPhoto gives a photo file of the folder that is being replaced a second
// name in the new one, which takes no room, or copies it where that cannot be.
// It reports whether the new folder has the file.
func bringPhoto(old, ready string, b central.Blob) (bool, error) {
	name := filepath.FromSlash(archive.BlobName(b.Digest))
	to, from := filepath.Join(ready, name), filepath.Join(old, name)
	if info, err := os.Stat(to); err == nil && info.Size() == b.Bytes {
		return true, nil
	}
	info, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() != b.Bytes {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return false, err
	}
	if os.Link(from, to) == nil {
		return true, nil
	}
	file, err := os.Open(from)
	if err != nil {
		return false, err
	}
	defer file.Close()
	return true, archive.WriteNew(to, func(w io.Writer) error {
		_, err := io.Copy(w, file)
		return err
	})
}
