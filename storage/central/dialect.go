package central

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// engine is what differs between databases; the SQL is the same.
type engine struct {
	name  string // of its folder of migrations
	goose goose.Dialect
	// begin is said first in every transaction that writes; empty: nothing.
	begin string
	// named gives an error of the engine the name that the store promises.
	named func(error) error
	// backup writes a consistent copy to a file; nil: the database has its own
	// tools for that.
	backup func(ctx context.Context, db *sql.DB, path string) error
	// integrity asks the engine to look at its own pages and returns what it
	// complains about; nil: it has nothing to say.
	integrity func(ctx context.Context, db *sql.DB) ([]string, error)
}

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrationFiles embed.FS

// readers is how many questions are answered at the same time.
const readers = 8

// ErrBackup reports that a database is to be backed up by its own tools, such
// as pg_dump.
var ErrBackup = errors.New("the database is backed up by its own tools")

// migrate brings the schema up to date, or fails with [ErrNewer] without
// touching anything.
func (e engine) migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrationFiles, "migrations/"+e.name)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(e.goose, db, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if current > target {
		return fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, current, target)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring schema up to date: %w", err)
	}
	return nil
}
