package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

// This file holds everything that is particular to PostgreSQL.

// One transaction writes at a time, however many centres share the database:
// what is numbered in it is then visible in the order of its numbers, and every
// rule that is checked before writing still holds when it is written. The
// number is ours among the locks of the database.
var postgresEngine = engine{
	name: "postgres", goose: goose.DialectPostgres,
	begin: `SELECT pg_advisory_xact_lock(5176490317)`,
	named: postgresNamed, tables: postgresTables, arrival: "ctid", snapshot: sql.LevelRepeatableRead,
	alone: postgresAlone, admit: postgresAdmit, listen: postgresListen, tell: `SELECT pg_notify('` + feedChannel + `', $1)`,
}

func postgresTables(ctx context.Context, q querier) ([]table, error) {
	return tablesOf(q.QueryContext(ctx, `SELECT t.relname, COALESCE(named.relname, '') FROM pg_class t
		LEFT JOIN pg_constraint f ON f.conrelid = t.oid AND f.contype = 'f'
		LEFT JOIN pg_class named ON named.oid = f.confrelid
		WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND t.relname <> 'goose_db_version'`))
}

// openPostgres connects to the database that address names. Writing has a
// connection of its own, as with SQLite.
func openPostgres(ctx context.Context, address string) (writer, reader *sql.DB, err error) {
	if _, err := url.Parse(address); err != nil {
		return nil, nil, fmt.Errorf("%w: address is not a URL", ErrDatabase) // it holds a password: not said
	}
	if writer, err = dialPostgres(address); err != nil {
		return nil, nil, err
	}
	writer.SetMaxOpenConns(1)
	if reader, err = dialPostgres(address); err != nil {
		return writer, nil, err
	}
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	if err := writer.PingContext(ctx); err != nil {
		return writer, reader, fmt.Errorf("%w: %w", ErrDatabase, withoutAddress(err))
	}
	return writer, reader, nil
}

// withoutAddress keeps what a server said and drops what we said to it.
func withoutAddress(err error) error {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fmt.Errorf("%s (%s)", answer.Message, answer.Code)
	}
	return errors.New("no connection")
}

// What PostgreSQL calls a full disk, and too little memory or connections.
const (
	pgDiskFull = "53100"
)

func postgresNamed(err error) error {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || errors.Is(err, ErrFull) || answer.Code != pgDiskFull {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFull, err)
}
