package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"flawmark/app/command"
	"flawmark/app/logbook"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/settings"
	"flawmark/assets"
	"flawmark/storage/blob"
	"flawmark/storage/central"
)

// centre is the service's data, open.
type centre struct {
	settings settings.Centre
	store    *central.Store
	blobs    blob.Files
	flaws    qc.Catalogue
	log      *slog.Logger
	now      func() time.Time
	ending   atomic.Bool // told to stop
	metrics  *metrics
	probe    probe
}

// openCentre opens the data folder, which belongs to one process at a time.
func openCentre(ctx context.Context, s settings.Centre, log *slog.Logger) (*centre, error) {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, command.Fail("cli.folder_unusable", err, "folder", s.Data)
	}
	flaws, err := qc.ParseCatalogue(assets.FlawCatalogue())
	if err != nil {
		return nil, err
	}
	terms, err := refund.ReadPolicies(assets.Policies())
	if err != nil {
		return nil, err
	}
	policy := qc.DefaultReviewPolicy()
	if s.Review != nil {
		policy = *s.Review
	}
	store, err := central.Open(ctx, central.Config{
		URL: s.Database, Alone: s.Objects == "",
		Dir: s.Data, Now: time.Now, Log: log, Policy: policy, Catalogue: flaws, Terms: terms,
		Notices: noticePolicy(s.Notices),
	})
	if err != nil {
		return nil, storeProblem(err, s.Data)
	}
	blobs, err := openFiles(ctx, s)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	c := &centre{settings: s, store: store, blobs: blobs, flaws: flaws, log: log, now: time.Now}
	c.observe()
	return c, nil
}

// observe makes what tells others how the centre is.
func (c *centre) observe() {
	c.metrics = newMetrics()
	c.metrics.registry.MustRegister(newStoreMetrics(c))
}

// storeProblem says why the database of a folder cannot be opened.
func storeProblem(err error, folder string) error {
	for cause, key := range map[error]string{
		central.ErrInUse: "error.centre_already_running", central.ErrDatabase: "cli.database_unusable",
		central.ErrNewer: "error.newer_store", central.ErrMoved: "cli.centre_moved", central.ErrUnfinished: "cli.copy_unfinished",
		central.ErrOthers: "cli.database_others",
	} {
		if errors.Is(err, cause) {
			return command.Fail(key, err, "folder", folder)
		}
	}
	return err
}

func (c *centre) Close() error { return errors.Join(c.blobs.Close(), c.store.Close()) }

// withCentre makes a command of what needs the data: the running service's own
// where the command came through its door, else opened for the moment.
func withCentre(run func(context.Context, *command.Call, *centre) error) func(context.Context, *command.Call) error {
	return command.With(func(ctx context.Context, call *command.Call) (*centre, error) {
		s, err := settings.LoadCentre(call.Set, call.Env)
		if err != nil {
			return nil, err
		}
		return openCentre(ctx, s, slog.New(slog.DiscardHandler))
	}, run)
}

// logName is the log's file in the data folder.
const logName = "central.log"

// openLog writes to errOut and to the folder's log file.
func openLog(data string, errOut io.Writer) (*slog.Logger, io.Closer, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, nil, command.Fail("cli.folder_unusable", err, "folder", data)
	}
	file, err := logbook.Open(filepath.Join(data, logName))
	if err != nil {
		return nil, nil, command.Fail("cli.folder_unusable", err, "folder", data)
	}
	return slog.New(slog.NewMultiHandler(
		slog.NewJSONHandler(file, nil),
		slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn}),
	)), file, nil
}
