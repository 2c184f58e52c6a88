package central

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/pressly/goose/v3"
)

// engine is what differs between databases; the SQL is the same.
type engine struct {
	name  string // of its folder of migrations
	goose goose.Dialect
	// within: the database is a part of this program, nobody else's.
	within bool
	// begin is said first in every transaction that writes; empty: nothing.
	begin string
	// alone waits until no other centre changes the schema; nil: there is none.
	alone func(ctx context.Context, db *sql.DB) (release func() error, err error)
	// admit fails with [ErrOthers] where other centres are at work beside which
	// this one may not be; nil: there are none.
	admit func(ctx context.Context, db *sql.DB, alone bool) error
	// tell is said last in every transaction that put something on the feed, with
	// the store's name for itself, and listen calls heard for what others told,
	// until the connection is lost; empty and nil: there are no others.
	tell   string
	listen func(ctx context.Context, s *Store, ready, heard func()) error
	// named gives an error of the engine the name that the store promises.
	named func(error) error
	// backup writes a consistent copy to a file; nil: every row is copied.
	backup func(ctx context.Context, db *sql.DB, path string) error
	// integrity asks the engine to look at its own pages and returns what it
	// complains about; nil: it has nothing to say.
	integrity func(ctx context.Context, db *sql.DB) ([]string, error)
	// tables lists all tables but that of the migrations, so that none names
	// one that comes later.
	tables func(ctx context.Context, q querier) ([]table, error)
	// arrival is the column that has rows in the order in which they came.
	arrival string
	// snapshot is what a transaction asks for that reads as of one moment.
	snapshot sql.IsolationLevel
}

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrationFiles embed.FS

// readers is how many questions are answered at the same time.
const readers = 8

// migrate brings the schema up to date, or fails with [ErrNewer] without
// touching anything.
func (e engine) migrate(ctx context.Context, db *sql.DB) (err error) {
	if e.alone != nil {
		release, failed := e.alone(ctx, db)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, release()) }()
	}
	files, err := fs.Sub(migrationFiles, "migrations/"+e.name)
	if err != nil {
		return err
	}
	// A version between two that are there already may have come later: what was
	// built from the source in between is brought up to date as well.
	provider, err := goose.NewProvider(e.goose, db, files, goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if current > target {
		if oldest := toleratedBy(ctx, db, current); target < oldest {
			return fmt.Errorf("%w: schema %d needs %d, this program knows %d", ErrNewer, current, oldest, target)
		}
		return nil // a newer centre is at work on it, beside which this one may be
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring schema up to date: %w", err)
	}
	_, err = db.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ('oldest_program', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, strconv.Itoa(oldestProgram))
	return err
}

// oldestProgram is the last migration that a program must know to work on the
// schema as it is now. A migration that only adds leaves it as it is, so that
// centres of the version before go on, and start again, while one after the other
// is replaced; one that takes something away, or changes what it means, raises it
// to its own number.
const oldestProgram = 11

// toleratedBy returns the number that the newer program has left for older ones;
// the schema's own when it has left none.
func toleratedBy(ctx context.Context, db *sql.DB, current int64) int64 {
	var text string
	if err := db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'oldest_program'`).Scan(&text); err != nil {
		return current
	}
	oldest, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return current
	}
	return oldest
}
