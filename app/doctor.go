package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/storage/blob"
	"flawmark/storage/local"
)

// doctor looks at a station's data. It changes nothing but the cache, from which
// it throws out what is torn.
type doctor struct {
	*command.Examination
	call     *command.Call
	settings settings.Station
	store    *local.Store // nil: it cannot be read
	broken   error        // why; fs.ErrNotExist: there is none yet
	blobs    *blob.Folder
	now      func() time.Time
	quick    bool
	repaired *local.Recovery
	keys     keyPlace // of an open station; empty: to be found out
}

func doctorFlags(set *flag.FlagSet) {
	set.Bool("repair", false, "repair what can be repaired before looking")
	set.Bool("quick", false, "do not read every photo")
}

// diagnose is the doctor command: one line a check, and a failure when one of
// them found a problem.
func diagnose(ctx context.Context, call *command.Call) error {
	if len(call.Args) > 0 {
		return command.Fail("cli.args_unwanted", nil, "args", call.Args[0])
	}
	d, closeAll, err := newDoctor(ctx, call)
	if err != nil {
		return err
	}
	err = d.examine(ctx)
	if err = errors.Join(err, closeAll()); err != nil {
		return err
	}
	return d.Report()
}

// newDoctor opens what is to be looked at: what the window has open, or the
// folder, for reading only unless it is to be repaired.
func newDoctor(ctx context.Context, call *command.Call) (*doctor, func() error, error) {
	d := &doctor{Examination: call.Examine(), call: call, now: time.Now, quick: call.Flag("quick") == "true"}
	repair := call.Flag("repair") == "true"
	if held, ok := command.Held[*station](ctx); ok {
		if repair {
			return nil, nil, command.Fail("cli.doctor.close_first", nil)
		}
		d.settings, d.store, d.blobs, d.repaired, d.keys = held.settings, held.store, held.blobs, held.repaired, held.keys
		return d, func() error { return nil }, nil
	}
	wanted, err := settings.LoadStation(call.Set, call.Env)
	if err != nil {
		return nil, nil, err
	}
	d.settings = wanted
	if info, err := os.Stat(wanted.Data); err != nil || !info.IsDir() {
		return nil, nil, command.Fail("cli.no_data", err, "folder", wanted.Data)
	}
	if repair {
		st, err := openStation(ctx, wanted)
		if err != nil {
			return nil, nil, err
		}
		d.store, d.blobs, d.repaired, d.keys = st.store, st.blobs, st.repaired, st.keys
		if _, err := st.store.KeepBackup(ctx, keepBackups); err != nil {
			st.log.Error("backup failed", "error", err)
		}
		return d, st.Close, nil
	}
	if d.store, err = local.Inspect(wanted.Data, local.Options{Now: d.now}); err != nil {
		d.store, d.broken = nil, err
		if errors.Is(err, local.ErrInUse) {
			return nil, nil, command.Fail("error.already_running", err, "folder", wanted.Data)
		}
	}
	closeStore := func() error {
		if d.store == nil {
			return nil
		}
		return d.store.Close()
	}
	if d.blobs, err = blob.OpenFolder(filepath.Join(wanted.Data, "blobs")); err != nil {
		return nil, nil, errors.Join(command.Fail("cli.folder_unusable", err, "folder", wanted.Data), closeStore())
	}
	return d, func() error { return errors.Join(closeStore(), d.blobs.Close()) }, nil
}

// examine runs every check, in the order in which people care.
func (d *doctor) examine(ctx context.Context) error {
	if d.repaired != nil {
		key, pairs := repairSentence(*d.repaired)
		d.Add("repair", command.Warning, key, pairs...)
	}
	for _, check := range []func(context.Context) error{
		d.database, d.schema, d.journal, d.unsent, d.drafts, d.key, d.photos, d.space, d.clock, d.derived, d.backups,
	} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// unread notes that a check needs what cannot be read.
func (d *doctor) unread(name string) bool {
	if d.store != nil {
		return false
	}
	d.Skip(name)
	return true
}

func (d *doctor) database(ctx context.Context) error {
	if d.store == nil {
		switch {
		case errors.Is(d.broken, fs.ErrNotExist) && !d.hadData():
			d.Say("database", command.Sound, "none")
		case errors.Is(d.broken, fs.ErrNotExist):
			d.Say("database", command.Trouble, "missing")
		case errors.Is(d.broken, local.ErrNewer):
			d.Say("database", command.Trouble, "newer")
		default:
			d.Say("database", command.Trouble, "damaged")
		}
		return nil
	}
	err := d.store.Check(ctx)
	if errors.Is(err, local.ErrDamaged) {
		d.Say("database", command.Trouble, "damaged")
		return nil
	}
	if err != nil {
		return err
	}
	counts, err := d.store.Counts(ctx)
	if err != nil {
		return err
	}
	d.Say("database", command.Sound, "ok", "events", strconv.Itoa(counts.EventsWaiting), "photos", strconv.Itoa(counts.PhotosWaiting))
	return nil
}

// hadData reports whether a database must have been here.
func (d *doctor) hadData() bool {
	report, err := local.InspectJournal(d.settings.Data)
	backups, _ := local.Backups(d.settings.Data)
	return err != nil || report.Segments+report.Foreign > 0 || len(backups) > 0
}

func (d *doctor) schema(ctx context.Context) error {
	if d.unread("schema") {
		return nil
	}
	version, newest, err := d.store.Schema(ctx)
	if err != nil {
		return err
	}
	outcome := "ok"
	if version < newest {
		outcome = "older"
	}
	d.Say("schema", command.Sound, outcome, "version", strconv.Itoa(version), "newest", strconv.Itoa(newest))
	return nil
}

func (d *doctor) journal(ctx context.Context) error {
	report, err := local.InspectJournal(d.settings.Data)
	if d.store != nil {
		report, err = d.store.CheckJournal(ctx)
	}
	pairs := []string{"events", strconv.Itoa(report.Events), "n", strconv.Itoa(report.Foreign), "bytes", strconv.FormatInt(report.Torn, 10)}
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		d.Say("journal", command.Trouble, "unreadable")
	case report.Broken != "":
		d.Say("journal", command.Trouble, "broken", pairs...)
	case report.Foreign > 0:
		d.Say("journal", command.Trouble, "foreign", pairs...)
	case report.Torn > 0:
		d.Say("journal", command.Warning, "torn", pairs...)
	default:
		d.Say("journal", command.Sound, "ok", pairs...)
	}
	return nil
}

func (d *doctor) unsent(ctx context.Context) error {
	if d.unread("unsent") {
		return nil
	}
	files, err := d.store.Files(ctx)
	if err != nil {
		return err
	}
	waiting := 0
	var missing []qc.Digest
	for _, file := range files {
		if file.Stored {
			continue
		}
		waiting++
		size, here, err := d.blobs.Has(file.Digest)
		if err != nil {
			return err
		}
		if !here || size != file.Bytes {
			missing = append(missing, file.Digest)
		}
	}
	pairs := []string{"n", strconv.Itoa(waiting), "missing", strconv.Itoa(len(missing))}
	if len(missing) > 0 {
		d.Say("unsent", command.Trouble, "missing", pairs...)
		d.Name(missing)
		return nil
	}
	d.Say("unsent", command.Sound, "ok", pairs...)
	return nil
}

func (d *doctor) drafts(ctx context.Context) error {
	if d.unread("drafts") {
		return nil
	}
	drafts, err := d.store.Drafts(ctx)
	if err != nil {
		return err
	}
	var missing []qc.Digest
	var items []string
	for _, draft := range drafts {
		for _, photo := range draft.Finding.Photos {
			if _, here, err := d.blobs.Has(photo.Digest); err != nil {
				return err
			} else if !here {
				missing = append(missing, photo.Digest)
				items = append(items, string(draft.Finding.Item))
			}
		}
	}
	if len(missing) == 0 {
		d.Say("drafts", command.Sound, "ok", "n", strconv.Itoa(len(drafts)))
		return nil
	}
	slices.Sort(items)
	d.Say("drafts", command.Trouble, "missing", "missing", strconv.Itoa(len(missing)), "item", slices.Compact(items)[0])
	d.Name(missing)
	return nil
}

// photos reads every photo against its name, and says how far it is.
func (d *doctor) photos(ctx context.Context) error {
	if d.quick {
		d.Say("photos", command.Skipped, "quick")
		return nil
	}
	stored := make(map[qc.Digest]bool)
	if d.store != nil {
		files, err := d.store.Files(ctx)
		if err != nil {
			return err
		}
		for _, file := range files {
			stored[file.Digest] = file.Stored
		}
	}
	var all, damaged []qc.Digest
	for digest, err := range d.blobs.All() {
		if err != nil {
			return err
		}
		all = append(all, digest)
	}
	unsent := 0
	said := d.now()
	for i, digest := range all {
		err := d.blobs.Verify(ctx, digest)
		switch {
		case errors.Is(err, qc.ErrNotFound): // cleared meanwhile
		case errors.Is(err, blob.ErrDigest):
			damaged = append(damaged, digest)
			if done, known := stored[digest]; known && !done {
				unsent++
			}
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil: // a bad sector is damage as well
			damaged = append(damaged, digest)
		}
		if now := d.now(); now.Sub(said) > time.Second {
			said = now
			fmt.Fprintln(d.call.Err, d.call.Words.Text("cli.doctor.progress", "n", strconv.Itoa(i+1), "m", strconv.Itoa(len(all))))
		}
	}
	pairs := []string{"n", strconv.Itoa(len(all)), "damaged", strconv.Itoa(len(damaged)), "unsent", strconv.Itoa(unsent)}
	if len(damaged) > 0 {
		d.Say("photos", command.Trouble, "damaged", pairs...)
		d.Name(damaged)
		return nil
	}
	d.Say("photos", command.Sound, "ok", pairs...)
	return nil
}
