package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/storage/blob"
	"flawmark/storage/central"
)

func migrateFlags(set *flag.FlagSet) {
	set.String("to", "", "`URL` of an empty database: postgres://user@host/name, or file:///folder for SQLite")
}

// migrate copies the centre's database into another one and marks the old one,
// so that nobody serves it by mistake. With --objects, which elsewhere says where
// the photo files are, it copies them there first.
func migrate(ctx context.Context, call *command.Call) error {
	if len(call.Args) > 0 {
		return command.Fail("cli.args_unwanted", nil, "args", call.Args[0])
	}
	s, err := settings.LoadCentre(call.Set, call.Env)
	if err != nil {
		return err
	}
	if _, serving := command.Held[*centre](ctx); serving {
		return command.Fail("error.centre_already_running", nil, "folder", s.Data)
	}
	if call.Flag("objects") != "" {
		if err := moveFiles(ctx, call, s); err != nil || call.Flag("to") == "" {
			return err
		}
	}
	to, err := destination(call, s)
	if err != nil {
		return err
	}
	source, err := central.Inspect(ctx, central.Config{URL: s.Database, Dir: s.Data, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return storeProblem(err, s.Data)
	}
	done, err := move(ctx, source, to)
	if err = errors.Join(err, source.Close()); err != nil {
		return err
	}
	if call.JSON {
		return json.NewEncoder(call.Out).Encode(map[string]any{
			"tables": done.Tables, "rows": done.Rows, "transfers": done.Report.Transfers, "audit": done.Report.Audit,
			"changes": done.Report.Changes, "events": done.Report.Events,
		})
	}
	call.Say("cli.migrated", "tables", strconv.Itoa(done.Tables), "rows", strconv.FormatInt(done.Rows, 10),
		"transfers", strconv.Itoa(done.Report.Transfers), "audit", strconv.Itoa(done.Report.Audit))
	if to.URL != "" {
		call.Say("cli.migrated_server", "file", filepath.Join(s.Data, settings.FileName))
	} else {
		call.Say("cli.migrated_folder", "folder", to.Dir, "old", s.Data)
	}
	return nil
}

// destination reads --to.
func destination(call *command.Call, s settings.Centre) (central.Config, error) {
	text := call.Flag("to")
	invalid := command.Fail("cli.migrate_to", nil)
	if text == "" {
		return central.Config{}, invalid
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || text == s.Database:
		return central.Config{}, invalid // it may hold a password: not said
	case u.Scheme == "postgres" || u.Scheme == "postgresql":
		return central.Config{URL: text, Dir: s.Data}, nil
	case u.Scheme == "file" && u.Host == "" && strings.HasPrefix(u.Path, "/") && (filepath.Clean(u.Path) != s.Data || s.Database != ""):
		return central.Config{Dir: filepath.Clean(filepath.FromSlash(u.Path))}, nil
	}
	return central.Config{}, invalid
}

// move copies, and marks the source only when the copy holds.
func move(ctx context.Context, source *central.Store, to central.Config) (central.Copied, error) {
	report, err := source.Verify(ctx)
	if err != nil {
		return central.Copied{}, err
	}
	if !report.OK() {
		return central.Copied{}, command.Fail("cli.verify_failed", errors.New(report.Problems[0]))
	}
	done, err := source.CopyTo(ctx, to)
	switch {
	case errors.Is(err, central.ErrNotEmpty):
		return done, command.Fail("cli.database_not_empty", err)
	case errors.Is(err, central.ErrDatabase):
		return done, command.Fail("cli.database_unusable", err)
	case errors.Is(err, central.ErrInUse):
		return done, command.Fail("error.centre_already_running", err, "folder", to.Dir)
	case err != nil && (ctx.Err() != nil || isFull(err)):
		return done, err
	case err != nil:
		return done, command.Fail("cli.migrate_failed", err)
	case !done.Report.OK():
		return done, command.Fail("cli.migrate_failed", errors.New(done.Report.Problems[0]))
	}
	return done, source.MarkMoved(ctx)
}

// moveFiles copies every photo file from where the settings file has them into
// the bucket that --objects names. What is there already is passed over, so that
// it can go on after an interruption; nothing is deleted.
func moveFiles(ctx context.Context, call *command.Call, s settings.Centre) (err error) {
	before := s
	before.Objects = keptSettings(s.Data).Objects
	if before.Objects == s.Objects {
		return nil
	}
	store, err := central.Inspect(ctx, central.Config{URL: s.Database, Dir: s.Data, Now: time.Now})
	if err != nil {
		return storeProblem(err, s.Data)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	from, err := openFiles(ctx, before)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := openFiles(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	copied, there, lost := 0, 0, 0
	said := time.Now()
	err = store.EachBlob(ctx, func(b central.Blob) error {
		switch done, err := copyFile(ctx, from, to, b); {
		case err != nil:
			return err
		case done == fileThere:
			there++
		case done == fileCopied:
			copied++
		default:
			lost++
		}
		if time.Since(said) > time.Second {
			said = time.Now()
			fmt.Fprintln(call.Err, call.Words.Text("cli.files_moving", "n", strconv.Itoa(copied+there)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if call.JSON {
		err = json.NewEncoder(call.Out).Encode(map[string]int{"copied": copied, "there": there, "lost": lost})
	} else {
		call.Say("cli.files_moved", "n", strconv.Itoa(copied), "there", strconv.Itoa(there), "file", filepath.Join(s.Data, settings.FileName))
	}
	if err != nil {
		return err
	}
	if lost > 0 {
		return command.Fail("cli.files_lost", nil, "n", strconv.Itoa(lost))
	}
	return nil
}

// What became of a photo file.
const (
	fileLost = iota
	fileThere
	fileCopied
)

// copyFile copies one that is what its name says.
func copyFile(ctx context.Context, from, to blob.Files, b central.Blob) (int, error) {
	if size, here, err := to.Has(b.Digest); err != nil || here && size == b.Bytes {
		return fileThere, err
	}
	file, err := from.Open(b.Digest)
	if errors.Is(err, qc.ErrNotFound) {
		return fileLost, nil
	}
	if err != nil {
		return fileLost, err
	}
	defer file.Close()
	got, _, err := to.Put(ctx, file)
	if err != nil {
		return fileLost, err
	}
	if got != b.Digest {
		return fileLost, to.Remove(got)
	}
	return fileCopied, nil
}
