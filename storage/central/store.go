// Package central is the memory of the refund centre: orders, staff, stations
// and their logs, findings, cases, the ledger, the feed that stations follow,
// and an audit trail of it all, in one SQL database.
//
// Its promises:
//
//   - What a call returned without error survives a power cut.
//   - An effect, its money, its feed changes and its audit entries are one
//     transaction: all are there or none.
//   - Every event of a station, every [Store.Act] and every transfer happens
//     once, however often it is sent.
//   - Numbers of the feed become visible in their order, so a reader that
//     follows a [qc.Cursor] never misses a change.
//   - What the desk has corrected of a customer's address or language holds
//     against imports that repeat what the shop said before; what the shop says
//     anew wins ([qc.Customer.Imported]).
//
// The database is SQLite in the centre's folder, or PostgreSQL where several
// centres work together. Queries keep to what both understand; whatever does not
// is in dialect.go.
//
// Times are kept as microseconds UTC. All methods may be called from any
// goroutine.
package central

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/google/uuid"
)

// The errors of the store as a whole. What belongs to one subject is declared
// beside it.
var (
	// ErrInUse: another centre has the folder open.
	ErrInUse = errors.New("folder is in use by another centre")
	// ErrOthers: another centre works on the database, and one of the two keeps its
	// photo files where the other cannot see them.
	ErrOthers = errors.New("another centre works on the database")
	// ErrNewer: a newer program has written the database; nothing was changed.
	ErrNewer = errors.New("database was written by a newer version")
	// ErrFull: the disk has no room. Nothing was changed; it may be tried again.
	ErrFull = errors.New("disk is full")
	// ErrDatabase: the URL names no database that this version can use, or one
	// that does not answer.
	ErrDatabase = errors.New("database cannot be used")
)

// Config is what a [Store] is opened with.
type Config struct {
	// Dir is the centre's folder; it is made when missing.
	Dir string
	// URL names a PostgreSQL database, "postgres://…"; empty means SQLite in Dir.
	// It may hold a password and is never said or logged.
	URL string
	// Alone: no other centre may work on the same database, because this one has
	// photo files that others do not see.
	Alone bool
	// Now is the clock; nil means the system's.
	Now func() time.Time
	// Log receives what nobody is told otherwise; nil discards it.
	Log *slog.Logger
	// Policy says which flags wait for a shift lead.
	Policy qc.ReviewPolicy
	// Catalogue is what findings are checked against.
	Catalogue qc.Catalogue
	// Terms are the rules that cases are opened under, by their time; none: the
	// original ones.
	Terms refund.Policies
	// Notices says when customers are told; nil: the default policy.
	Notices *refund.NoticePolicy
}

// Store is an open database of the centre.
type Store struct {
	engine    engine
	url       string // of PostgreSQL; empty: SQLite
	alone     bool
	self      string  // what other centres on it know this one by, while it runs
	writer    *sql.DB // one connection: writers stand in line here
	reader    *sql.DB
	lock      *os.File
	now       func() time.Time
	log       *slog.Logger
	policy    qc.ReviewPolicy
	catalogue qc.Catalogue
	terms     refund.Policies
	notices   refund.NoticePolicy
	instance  string
	feedEpoch string
	dir       string
	watchers  watchers
	senders   watchers      // of notices
	hashing   chan struct{} // who has a password hashed now
	// statements are prepared on writer
	statements statements
}

// Open opens the centre's database, brings its schema up to date and tells the
// stations when the policy has changed. It fails with [ErrInUse] at once when
// another centre has the folder, with [ErrOthers] when one works on the database
// that may not, with [ErrNewer] when a newer program has
// written it, and with [ErrMoved] or [ErrUnfinished] when it is not the centre.
func Open(ctx context.Context, c Config) (*Store, error) {
	s, err := Inspect(ctx, c)
	if err != nil {
		return nil, err
	}
	if s.engine.admit != nil {
		err = s.engine.admit(ctx, s.reader, s.alone)
	}
	if err == nil {
		err = s.begin(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open centre in %s: %w", c.Dir, s.engine.named(err)), s.Close())
	}
	return s, nil
}

// Inspect opens the database as [Open] does, to look at it or to copy it: it
// tells nobody anything, and a feed that was to begin anew has not begun.
func Inspect(ctx context.Context, c Config) (*Store, error) {
	s, err := dial(ctx, c, true)
	if err != nil {
		return nil, err
	}
	if err = s.engine.migrate(ctx, s.writer); err == nil {
		err = s.checkMarks(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open centre in %s: %w", c.Dir, s.engine.named(err)), s.Close())
	}
	return s, nil
}

// dial connects to the database; with exclusive, the folder is this store's.
func dial(ctx context.Context, c Config, exclusive bool) (*Store, error) {
	kind := sqliteEngine
	switch {
	case strings.HasPrefix(c.URL, "postgres://"), strings.HasPrefix(c.URL, "postgresql://"):
		kind = postgresEngine
	case c.URL != "":
		return nil, fmt.Errorf("open centre: %w", ErrDatabase)
	}
	s := &Store{
		hashing: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
		now:     c.Now, log: c.Log, policy: c.Policy, catalogue: c.Catalogue, dir: c.Dir,
		engine: kind, url: c.URL, alone: c.Alone, self: uuid.NewString(),
	}
	s.terms = c.Terms
	if s.now == nil {
		s.now = time.Now
	}
	s.notices = refund.DefaultNoticePolicy()
	if c.Notices != nil {
		s.notices = *c.Notices
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	err := error(nil)
	if exclusive {
		if err = os.MkdirAll(c.Dir, 0o700); err == nil {
			s.lock, err = lockFolder(filepath.Join(c.Dir, "central.lock"))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open centre: %w", err)
	}
	if s.url != "" {
		s.writer, s.reader, err = openPostgres(ctx, s.url)
	} else {
		s.writer, s.reader, err = openSQLite(filepath.Join(s.dir, "central.db"))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open centre in %s: %w", c.Dir, err), s.Close())
	}
	return s, nil
}

// begin makes what a centre has from its first moment on, and says what is new.
func (s *Store) begin(ctx context.Context) error {
	at := s.now()
	return s.write(ctx, at, func(t *tx) (err error) {
		if s.instance, err = t.fact(ctx, "instance", func() string { return uuid.NewString() }); err != nil {
			return err
		}
		if s.feedEpoch, err = t.fact(ctx, "feed_epoch", func() string { return uuid.NewString() }); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `DELETE FROM idempotency WHERE at < $1`, micros(at.Add(-keepKeys))); err != nil {
			return err
		}
		if err := t.fileAll(ctx); err != nil {
			return err
		}
		if err := t.firstTemplates(ctx); err != nil {
			return err
		}
		return t.announcePolicy(ctx)
	})
}

// announcePolicy puts the policy on the feed when it differs from the one that
// stations have been told.
func (t *tx) announcePolicy(ctx context.Context) error {
	body, err := json.Marshal(t.store.policy)
	if err != nil {
		return err
	}
	var told string
	err = t.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'policy'`).Scan(&told)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || told == string(body) {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ('policy', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, string(body)); err != nil {
		return err
	}
	if err := t.tell(ctx, qc.PolicyChanged, t.store.policy); err != nil {
		return err
	}
	return t.audit(ctx, "system", "policy.set", "policy", t.store.policy)
}

// Close ends all work and frees the folder.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, unlockFolder(s.lock))
	}
	return errors.Join(errs...)
}

// Instance returns this centre's own name: random, and the same for the life
// of its database.
func (s *Store) Instance() string { return s.instance }

// Policy returns the review policy in force.
func (s *Store) Policy() qc.ReviewPolicy { return s.policy }

// Secret returns the 32 random bytes kept under name, made when first asked
// for.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	var text string
	err := s.write(ctx, s.now(), func(t *tx) error {
		var err error
		text, err = t.fact(ctx, "secret:"+name, func() string {
			return base64.RawStdEncoding.EncodeToString(randomBytes(32))
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	return base64.RawStdEncoding.DecodeString(text)
}

// Backup writes a complete copy of the database, as of one moment, to path: a
// file of SQLite, whatever the database is. It may run while the centre works. A
// centre that is later opened on the copy begins a new feed, so that stations
// which have seen more than the copy knows start over instead of missing what
// comes under the same numbers.
func (s *Store) Backup(ctx context.Context, path string) error {
	backup := s.engine.backup
	if backup == nil {
		backup = func(ctx context.Context, _ *sql.DB, path string) error { return s.copyOut(ctx, path) }
	}
	if err := backup(ctx, s.reader, path); err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	return nil
}

// copyOut is the backup of a database that has no files of its own.
func (s *Store) copyOut(ctx context.Context, path string) error {
	folder := path + ".part"
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	_, err := s.CopyTo(ctx, Config{Dir: folder, Now: s.now})
	if err == nil {
		err = forgetFeed(ctx, filepath.Join(folder, "central.db"))
	}
	if err == nil {
		err = durableMove(filepath.Join(folder, "central.db"), path)
	}
	return errors.Join(err, os.RemoveAll(folder))
}

func randomBytes(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.Read(data) // never fails
	return data
}

// querier is what both a transaction and the reading connections can do.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// tx is a writing transaction with the moment it happens at.
type tx struct {
	*sql.Tx
	store *Store
	at    time.Time
	told  bool // something was put on the feed
	// announced: something was put into the outbox of notices
	announced bool
}

// write runs do in a transaction of its own and wakes the feed's readers once
// it is durable. It fails with [ErrFull], and then nothing has happened.
func (s *Store) write(ctx context.Context, at time.Time, do func(*tx) error) error {
	return s.engine.named(s.transact(ctx, at, do))
}

func (s *Store) transact(ctx context.Context, at time.Time, do func(*tx) error) error {
	s.statements.prepare(ctx, s.writer)
	sqlTx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	t := &tx{Tx: sqlTx, store: s, at: asStored(at)}
	if s.engine.begin != "" {
		if _, err := t.ExecContext(ctx, s.engine.begin); err != nil {
			return errors.Join(fmt.Errorf("begin: %w", err), sqlTx.Rollback())
		}
	}
	if err := do(t); err != nil {
		if undo := sqlTx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			return errors.Join(err, fmt.Errorf("roll back: %w", undo))
		}
		return err
	}
	if t.told && s.engine.tell != "" {
		if _, err := t.ExecContext(ctx, s.engine.tell, s.self); err != nil {
			return errors.Join(fmt.Errorf("tell other centres: %w", err), sqlTx.Rollback())
		}
	}
	if err := sqlTx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if t.told {
		s.watchers.tick()
	}
	if t.announced {
		s.senders.tick()
	}
	return nil
}

// attempt runs do so that an error leaves nothing of it behind while the
// transaction goes on.
func (t *tx) attempt(ctx context.Context, do func() error) error {
	if _, err := t.ExecContext(ctx, `SAVEPOINT attempt`); err != nil {
		return err
	}
	told, announced := t.told, t.announced
	err := do()
	if err != nil {
		t.told, t.announced = told, announced
		if _, undo := t.ExecContext(ctx, `ROLLBACK TO SAVEPOINT attempt`); undo != nil {
			return fmt.Errorf("undo: %w", undo) // not a refusal any more: the transaction is lost
		}
	}
	if _, release := t.ExecContext(ctx, `RELEASE SAVEPOINT attempt`); release != nil {
		return fmt.Errorf("release: %w", release)
	}
	return err
}

// next returns the next number of a counter.
func (t *tx) next(ctx context.Context, counter string) (int64, error) {
	var n int64
	err := t.QueryRowContext(ctx,
		`UPDATE counter SET value = value + 1 WHERE name = $1 RETURNING value`, counter).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", counter, err)
	}
	return n, nil
}

// fact returns what is kept under name, after making it when there is nothing.
func (t *tx) fact(ctx context.Context, name string, make func() string) (string, error) {
	var value string
	err := t.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, name).Scan(&value)
	if !errors.Is(err, sql.ErrNoRows) {
		return value, err
	}
	value = make()
	_, err = t.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2)`, name, value)
	return value, err
}

// micros returns t as it is stored; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// timeOf returns what micros was given, in UTC.
func timeOf(stored int64) time.Time {
	if stored == 0 {
		return time.Time{}
	}
	return time.UnixMicro(stored).UTC()
}

// asStored returns t as it will be read back: in UTC, to the microsecond.
func asStored(t time.Time) time.Time { return timeOf(micros(t)) }

// found turns the database's word for an empty result into the domain's.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return qc.ErrNotFound
	}
	return err
}

// each runs scan for every row.
func each(rows *sql.Rows, err error, scan func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// bodies reads a column of JSON texts.
func bodies[T any](rows *sql.Rows, err error) ([]T, error) {
	var all []T
	err = eachBody(rows, err, func(one T) error {
		all = append(all, one)
		return nil
	})
	return all, err
}

// eachBody calls with for every value of a column of JSON.
func eachBody[T any](rows *sql.Rows, err error, with func(T) error) error {
	return each(rows, err, func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		var one T
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			return fmt.Errorf("read stored JSON: %w", err)
		}
		return with(one)
	})
}

// body reads one JSON text; [qc.ErrNotFound] when there is no row.
func body[T any](row *sql.Row) (T, error) {
	var one T
	var text string
	if err := row.Scan(&text); err != nil {
		return one, found(err)
	}
	if err := json.Unmarshal([]byte(text), &one); err != nil {
		return one, fmt.Errorf("read stored JSON: %w", err)
	}
	return one, nil
}

// jsonText returns v as it is stored.
func jsonText(v any) (string, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write JSON: %w", err)
	}
	return string(data), nil
}
