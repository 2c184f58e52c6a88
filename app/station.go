package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"flawmark/app/command"
	"flawmark/app/logbook"
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/assets"
	"flawmark/imaging/photo"
	"flawmark/storage/blob"
	"flawmark/storage/local"
	"flawmark/sync/outbox"
	"flawmark/ui/bench"
)

// station is the bench's data, open, with its way to the centre.
type station struct {
	settings settings.Station
	store    *local.Store
	blobs    *blob.Folder
	derived  *blob.Derived // nil: there is none
	budget   *photo.Budget
	flaws    qc.Catalogue
	key      ed25519.PrivateKey // nil: missing, so that the centre does not admit the station
	keys     keyPlace           // where it is
	link     *uplink
	engine   *outbox.Engine
	log      *slog.Logger
	logFile  io.Closer
	now      func() time.Time
	repaired *local.Recovery                // nil: nothing had to be
	window   *bench.Window                  // nil: a command without a window
	warn     func(key string, pairs ...any) // shows a sentence in the window; nil: there is none
	scarce   bool                           // room on the disk was, when last looked at
}

// openStation opens the data folder, which belongs to one process at a time.
// Nothing runs yet.
func openStation(ctx context.Context, s settings.Station) (_ *station, err error) {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, command.Fail("cli.folder_unusable", err, "folder", s.Data)
	}
	st := &station{settings: s, now: time.Now, budget: newBudget()}
	if st.log, st.logFile, err = openLog(s.Data); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, st.logFile.Close())
		}
	}()
	if st.flaws, err = qc.ParseCatalogue(assets.FlawCatalogue()); err != nil {
		return nil, err
	}
	if st.blobs, err = blob.OpenFolder(filepath.Join(s.Data, "blobs")); err != nil {
		return nil, command.Fail("cli.folder_unusable", err, "folder", s.Data)
	}
	if _, _, refuse, err := st.space(); err == nil { // else nobody knows, and the disk itself will say
		st.blobs.KeepFree(refuse)
	}
	boundMemory()
	st.openDerived()
	// Half-written files that a crash left behind.
	if _, err := st.blobs.Sweep(st.now().Add(-time.Hour)); err != nil {
		st.log.Warn("left-over files stay", "error", err)
	}
	st.store, err = local.Open(s.Data, local.Options{
		Now: time.Now, Log: st.log, Recovered: func(r local.Recovery) { st.repaired = &r },
	})
	switch {
	case errors.Is(err, local.ErrInUse):
		return nil, command.Fail("error.already_running", err, "folder", s.Data)
	case errors.Is(err, local.ErrNewer):
		return nil, command.Fail("error.newer_store", err, "folder", s.Data)
	case errors.Is(err, local.ErrFull):
		return nil, command.Fail("error.disk_full", err)
	case err != nil:
		return nil, err
	}
	// Behind the store's lock, so that two first starts do not make two keys.
	if st.key, err = st.ownKey(ctx, systemKeys()); err != nil {
		return nil, errors.Join(command.Fail("cli.key_unusable", err, "folder", s.Data), st.store.Close())
	}
	if st.link, err = newUplink(ctx, st); err != nil {
		return nil, errors.Join(err, st.store.Close())
	}
	limit, err := settings.ParseRate(st.settings.UploadLimit)
	if err != nil {
		return nil, errors.Join(err, st.store.Close())
	}
	st.engine = outbox.New(outbox.Config{
		Store: st.store, Open: st.openFile, Verify: st.verify, Limit: limit.At,
		Counts: st.counts, Remote: st.link, Now: st.now, Log: st.log,
		Carriage: &outbox.Carriage{Next: st.store.Carried, Push: st.link.PushFor, Delivered: st.store.Delivered},
	})
	return st, nil
}

func (s *station) openFile(d qc.Digest) (outbox.File, error) {
	file, err := s.blobs.Open(d)
	if err != nil {
		return nil, err // not the file: a nil *blob.File would not be a nil File
	}
	return file, nil
}

// verify reads a photo file again, and says in the queue's words that it is
// damaged.
func (s *station) verify(ctx context.Context, d qc.Digest) error {
	err := s.blobs.Verify(ctx, d)
	if errors.Is(err, blob.ErrDigest) {
		return fmt.Errorf("%w: %w", qc.ErrDigest, err)
	}
	return err
}

func (s *station) counts(ctx context.Context) (outbox.Counts, error) {
	counts, err := s.store.Counts(ctx)
	return outbox.Counts(counts), err
}

func (s *station) Close() error {
	s.link.Close()
	err := s.store.Close()
	if s.derived != nil {
		err = errors.Join(err, s.derived.Close())
	}
	return errors.Join(err, s.logFile.Close())
}

// withStation makes a command of what needs the data: the window's own where
// the command came through its door, else opened for the moment.
func withStation(run func(context.Context, *command.Call, *station) error) func(context.Context, *command.Call) error {
	return command.With(func(ctx context.Context, call *command.Call) (*station, error) {
		wanted, err := settings.LoadStation(call.Set, call.Env)
		if err != nil {
			return nil, err
		}
		return openStation(ctx, wanted)
	}, run)
}

// withWindow makes a command of what needs the open window. It never opens the
// data itself.
func withWindow(run func(context.Context, *command.Call, *station) error) func(context.Context, *command.Call) error {
	return func(ctx context.Context, call *command.Call) error {
		if open, ok := command.Held[*station](ctx); ok && open.window != nil {
			return run(ctx, call, open)
		}
		return command.Fail("cli.no_window", nil)
	}
}

// logName is the log's file in the data folder.
const logName = "station.log"

// openLog opens the folder's log file. It holds no tokens and no photos.
func openLog(data string) (*slog.Logger, io.Closer, error) {
	file, err := logbook.Open(filepath.Join(data, logName))
	if err != nil {
		return nil, nil, command.Fail("cli.folder_unusable", err, "folder", data)
	}
	return slog.New(slog.NewJSONHandler(file, nil)), file, nil
}
