package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// This file holds what several centres on one PostgreSQL need of each other:
// one changes the schema while the others wait, each hears of what the others
// have written, and none holds up the others when it dies in the middle of it.

const (
	// schemaLock is held by who brings the schema up to date.
	schemaLock = `SELECT pg_advisory_lock(5176490318)`
	// centresLock is shared by all centres at work, or held by the only one there
	// may be, as long as the line is up by which it hears of others.
	centresLock = 5176490319
	// feedChannel is where a centre says, within the transaction, that something
	// is on the feed: its own name, so that it does not wake itself twice.
	feedChannel = "flawmark_feed"
	// stalled is how long a transaction may stand still before the server ends
	// it, and with it the lock that all writers wait for.
	stalled = 30 * time.Second
)

// dialPostgres returns connections to the database, none of which is made yet.
func dialPostgres(address string) (*sql.DB, error) {
	config, err := postgresConfig(address)
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, fmt.Sprintf(`SET idle_in_transaction_session_timeout = %d`, stalled.Milliseconds()))
		return err
	})), nil
}

func postgresConfig(address string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("%w: address", ErrDatabase) // it holds a password: not said
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	config.DialFunc = (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext
	return config, nil
}

// postgresAlone waits until nobody else changes the schema. The lock is its
// connection's, and so it goes with its holder, however that ends.
func postgresAlone(ctx context.Context, db *sql.DB) (release func() error, err error) {
	db.SetMaxOpenConns(2) // this one, and the one that migrates
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, schemaLock); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for the schema: %w", err), conn.Close())
	}
	return func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock_all()`)
		err = errors.Join(err, conn.Close())
		db.SetMaxOpenConns(1)
		return err
	}, nil
}

// takePlace has a connection hold the place of a centre, of the only one or of one
// among others, and reports whether it got it.
func takePlace(ctx context.Context, conn querier, alone bool) (got bool, err error) {
	take := `SELECT pg_try_advisory_lock_shared($1)`
	if alone {
		take = `SELECT pg_try_advisory_lock($1)`
	}
	err = conn.QueryRowContext(ctx, take, centresLock).Scan(&got)
	return got, err
}

// postgresAdmit looks whether there is a place, and leaves it free.
func postgresAdmit(ctx context.Context, db *sql.DB, alone bool) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	got, err := takePlace(ctx, conn, alone)
	if err == nil {
		_, err = conn.ExecContext(ctx, `SELECT pg_advisory_unlock_all()`)
	}
	if err == nil && !got {
		err = ErrOthers
	}
	return errors.Join(err, conn.Close())
}

// postgresListen takes the centre's place and calls heard for everything that
// other centres put on the feed, and ready once it listens. It returns when the
// connection is lost, and with [ErrOthers] when there is no place.
func postgresListen(ctx context.Context, s *Store, ready, heard func()) (err error) {
	config, err := postgresConfig(s.url)
	if err != nil {
		return err
	}
	// The server finds out within half a minute that this machine is gone.
	for name, value := range map[string]string{"idle": "15", "interval": "5", "count": "3"} {
		config.RuntimeParams["tcp_keepalives_"+name] = value
	}
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return withoutAddress(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := keepPlace(ctx, conn, s.alone); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, `LISTEN `+feedChannel); err != nil {
		return withoutAddress(err)
	}
	ready()
	return conn.Raw(func(driver any) error {
		line := driver.(*stdlib.Conn).Conn() //nolint:forcetypeassert // it was opened as one
		for {
			said, err := line.WaitForNotification(ctx)
			if err != nil {
				return withoutAddress(err)
			}
			if said.Payload != s.self {
				heard()
			}
		}
	})
}

// keepPlace waits for a place that a line which broke a moment ago may still hold.
func keepPlace(ctx context.Context, conn querier, alone bool) error {
	for begun := time.Now(); ; {
		got, err := takePlace(ctx, conn, alone)
		switch {
		case err != nil:
			return withoutAddress(err)
		case got:
			return nil
		case time.Since(begun) > 2*stalled:
			return ErrOthers
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(reconnect):
		}
	}
}

// IsAway reports that the database does not answer, or is just starting or
// stopping: it is nobody's fault here, and worth another try.
func IsAway(err error) bool {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch answer.Code {
		case "57014", pgDiskFull: // a query that was called off; no room
			return false
		case "25P03": // a transaction that stood still
			return true
		}
		class := answer.Code[:min(2, len(answer.Code))]
		return class == "08" || class == "57" || class == "53" // connection, operator, resources
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok || pgconn.SafeToRetry(err) || errors.Is(err, sql.ErrConnDone)
}
