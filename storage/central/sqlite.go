package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"

	"modernc.org/sqlite" // also the driver "sqlite"
)

// This file holds everything that is particular to SQLite.

var sqliteEngine = engine{
	name: "sqlite", goose: goose.DialectSQLite3, within: true,
	named: sqliteNamed, backup: sqliteBackup, integrity: sqliteIntegrity,
	tables: sqliteTables, arrival: "rowid",
}

// openSQLite opens path twice: once for writing, where the single connection
// makes writers wait for their turn instead of failing as busy, and once for
// reading, where the write-ahead log keeps them out of each other's way.
func openSQLite(path string) (writer, reader *sql.DB, err error) {
	pragmas := []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"}
	// What undoes a savepoint is kept in memory: every event has one, and a file
	// for it would be made and forgotten with each of them.
	writing := url.Values{"_txlock": {"immediate"}, "_pragma": append(slices.Clip(pragmas), "temp_store(MEMORY)")}
	if writer, err = openFile(path, writing); err != nil {
		return nil, nil, err
	}
	writer.SetMaxOpenConns(1)
	if reader, err = openFile(path, url.Values{"_pragma": append(pragmas, "query_only(ON)")}); err != nil {
		return writer, nil, err
	}
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	return writer, reader, nil
}

// openFile opens path, whatever characters are in it.
func openFile(path string, options url.Values) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	place := filepath.ToSlash(absolute)
	if !strings.HasPrefix(place, "/") {
		place = "/" + place // a drive letter
	}
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: place, RawQuery: options.Encode()}).String())
}

// What SQLite calls a full disk: one for files, one for the index of its
// write-ahead log.
const (
	sqliteFull         = 13
	sqliteIOErrShmSize = 4874
)

// sqliteNamed gives an error of the engine the name that the store promises.
func sqliteNamed(err error) error {
	engine, ok := errors.AsType[*sqlite.Error](err)
	if !ok || errors.Is(err, ErrFull) || engine.Code() != sqliteFull && engine.Code() != sqliteIOErrShmSize {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFull, err)
}

// sqliteBackup writes a consistent copy of the database to path, by way of a file
// beside it, so that path is never half a copy.
func sqliteBackup(ctx context.Context, db *sql.DB, path string) error {
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := copyInto(ctx, db, part); err != nil {
		return err
	}
	if err := forgetFeed(ctx, part); err != nil {
		return err
	}
	return durableMove(part, path)
}

// durableMove gives a file its name once its content is on the disk.
func durableMove(part, path string) error {
	file, err := os.OpenFile(part, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(part, path)
}

func sqliteTables(ctx context.Context, q querier) ([]table, error) {
	return tablesOf(q.QueryContext(ctx, `SELECT t.name, COALESCE(f."table", '') FROM sqlite_schema t
		LEFT JOIN pragma_foreign_key_list(t.name) f
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'goose_db_version'`))
}

func copyInto(ctx context.Context, db *sql.DB, path string) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, `PRAGMA query_only(OFF)`); err != nil {
		return errors.Join(err, conn.Close())
	}
	_, err = conn.ExecContext(ctx, `VACUUM INTO $1`, path)
	_, restore := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA query_only(ON)`)
	return errors.Join(err, restore, conn.Close())
}

// forgetFeed takes the feed's epoch out of a copy; a new one is made when the
// copy is opened as a centre.
func forgetFeed(ctx context.Context, path string) error {
	db, err := openFile(path, nil)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `DELETE FROM meta WHERE name = 'feed_epoch'`)
	return errors.Join(err, db.Close())
}

// sqliteIntegrity asks the engine to look at its own pages and returns what it
// complains about.
func sqliteIntegrity(ctx context.Context, db *sql.DB) ([]string, error) {
	var complaints []string
	rows, err := db.QueryContext(ctx, `PRAGMA integrity_check`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		if line != "ok" {
			complaints = append(complaints, line)
		}
		return nil
	})
	return complaints, err
}
