// Package local is the memory of a station: everything an inspector saved, what
// of it the centre has, and what the centre told.
//
// Its promise: when [Store.Record] has returned, the event is on the disk
// twice, in the database (bbolt, station.db) and in the journal (plain
// append-only files), and no kill, power cut or loss of either one takes it
// away. Events are numbered from 1 without gaps and chained ([qc.Seal]).
//
// The order of a Record is: journal record, fsync, then one transaction with
// the event, the files to be sent and the draft that it ends. If the
// transaction fails, the journal record is taken back; where even that fails,
// the store takes nothing more ([ErrSync]), and at the next [Open] the event is
// there, though nobody was told so. The reverse never happens.
//
// At Open the journal and the database are brought together: what only the
// journal has is applied, what only the database has is written to a new
// segment. A database that is damaged or missing is set aside and made again
// from the newest sound backup ([Store.KeepBackup]) that the journal continues,
// else from the journal alone; then the acknowledgements and everything the
// centre told come again with the feed. Drafts are salvaged from the damaged
// file and from the backup as far as they can be read.
//
// Data that was copied or restored begins a new log (epoch), unless the journal
// proves that nothing was sent that it does not know.
//
// A directory belongs to one process at a time ([ErrInUse]).
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"flawmark/app/qc"
)

// What can go wrong. Looking for something unknown fails with [qc.ErrNotFound].
var (
	// ErrInUse: another process has the directory open.
	ErrInUse = errors.New("station data is in use by another program")
	// ErrNewer: a later version of the program wrote the data.
	ErrNewer = errors.New("station data is of a newer version")
	// ErrFull: the disk has no room. Nothing was changed; it may be tried again.
	ErrFull = errors.New("disk is full")
	// ErrSync: the disk does not confirm writes. The store takes nothing more
	// until it is opened again.
	ErrSync = errors.New("disk does not confirm the write")
	// ErrDamaged: the database cannot be read. Opening it again repairs it.
	ErrDamaged = errors.New("station data is damaged")
	// ErrFork: the centre has another history of this station than we do.
	ErrFork = qc.ErrFork
)

// Options are what a store needs from outside.
type Options struct {
	Now func() time.Time // for the ids of events; nil: the system's clock
	Log *slog.Logger     // nil: silent
	// Recovered is called from [Open], before it returns, when something had to
	// be repaired. It may be nil.
	Recovered func(Recovery)
}

// Recovery says what Open had to repair.
type Recovery struct {
	Unclean  bool      `json:"unclean"`             // the last run did not end with Close
	Reason   string    `json:"reason,omitempty"`    // why the database was made again, for the log; empty: it was not
	SetAside []string  `json:"set_aside,omitempty"` // names of the files that were kept under another name
	Backup   string    `json:"backup,omitempty"`    // the backup that was restored; empty: none
	BackupAt time.Time `json:"backup_at,omitzero"`
	Restored int       `json:"restored"`  // events that came from the backup
	Rebuilt  int       `json:"rebuilt"`   // events that went from the journal into a new database
	Replayed int       `json:"replayed"`  // events that only the journal had, in a database that stayed or a backup
	Drafts   int       `json:"drafts"`    // drafts that were salvaged, beside those of the backup
	Torn     int64     `json:"torn"`      // bytes of unfinished journal records that were cut off
	Healed   int       `json:"healed"`    // events that the journal lacked and the database gave
	Copied   bool      `json:"copied"`    // the data lay elsewhere when it was last used
	NewEpoch bool      `json:"new_epoch"` // the log began anew
}

// Repaired reports whether there is anything a person should hear about.
func (r Recovery) Repaired() bool {
	return r.Reason != "" || len(r.SetAside) > 0 || r.Rebuilt+r.Replayed+r.Healed+r.Restored > 0 || r.Torn > 0 || r.Copied
}

// Events returns how many events the repair brought together.
func (r Recovery) Events() int { return r.Restored + r.Rebuilt + r.Replayed }

// Store is the open data of a station. It is safe for use by several
// goroutines; none of its methods belongs on the window's goroutine, because
// each change waits for the disk.
type Store struct {
	dir   string
	db    *bbolt.DB
	lock  *lockFile
	now   func() time.Time
	log   *slog.Logger
	epoch string

	recording sync.Mutex // one Record at a time, from the seal to the commit
	journal   *journal
	closed    bool
	onlyRead  bool        // see [Inspect]
	failed    atomic.Bool // see ErrSync

	backing  sync.Mutex // one backup at a time
	recovery Recovery

	watching sync.Mutex
	watchers map[chan struct{}]struct{}
}

const (
	dbName      = "station.db"
	journalName = "journal"
	dirMode     = 0o750
	fileMode    = 0o640
	// lockWait is how long Open waits for another process to end.
	lockWait = time.Second
	// maxDatabase keeps a runaway database from eating the disk of the photos.
	maxDatabase = 2 << 30
)

// Open opens the data in dir, which is made when it is missing, and repairs
// what a crash has left. It fails with [ErrInUse] or [ErrNewer].
func Open(dir string, opts Options) (*Store, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(filepath.Join(dir, journalName), dirMode); err != nil {
		return nil, fmt.Errorf("open station data: %w", err)
	}
	lock, err := acquire(filepath.Join(dir, "station.lock"), lockWait)
	if err != nil {
		return nil, fmt.Errorf("open station data %s: %w", dir, err)
	}
	s := &Store{dir: dir, lock: lock, now: opts.Now, log: log, watchers: make(map[chan struct{}]struct{})}
	recovery, err := s.open()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open station data %s: %w", dir, err), s.release())
	}
	s.recovery = recovery
	if recovery.Repaired() {
		log.Warn("station data repaired", "recovery", recovery)
		if opts.Recovered != nil {
			opts.Recovered(recovery)
		}
	}
	return s, nil
}

// Close ends all use of the data and notes that it was left in order. Closing
// twice is no error.
func (s *Store) Close() error {
	s.recording.Lock()
	defer s.recording.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.onlyRead {
		return s.release()
	}
	dbErr, journalErr := s.db.Close(), s.journal.close()
	if dbErr == nil && journalErr == nil && !s.failed.Load() {
		if err := s.lock.mark(stateClosed); err != nil {
			journalErr = err
		}
	}
	return errors.Join(dbErr, journalErr, s.lock.release())
}

// release closes what an Open that failed had opened.
func (s *Store) release() error {
	var errs []error
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.journal != nil {
		errs = append(errs, s.journal.close())
	}
	return errors.Join(append(errs, s.lock.release())...)
}

// Epoch names the life of this log: it changes only with a log that begins anew.
func (s *Store) Epoch() string {
	s.recording.Lock()
	defer s.recording.Unlock()
	return s.epoch
}

// Recovery returns what Open had to repair.
func (s *Store) Recovery() Recovery { return s.recovery }

// Backup writes a consistent copy of the database while the store is in use.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	return s.view(ctx, func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
}

// Check reads the whole database and the chain of events and fails with
// [ErrDamaged]. It is meant for a doctor command and for tests.
func (s *Store) Check(ctx context.Context) error {
	return s.view(ctx, checkContent)
}

// view runs fn in a read transaction.
func (s *Store) view(ctx context.Context, fn func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return guarded(func() error { return s.db.View(fn) })
}

// update runs fn in a write transaction that is on the disk when it returns.
func (s *Store) update(ctx context.Context, fn func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.failed.Load() {
		return ErrSync
	}
	err := commit(s.db, fn)
	if errors.Is(err, ErrSync) {
		s.failed.Store(true)
	}
	if err == nil {
		s.tick()
	}
	return err
}

// commit runs fn in a transaction and tells its own errors from those of the
// disk: [ErrFull] has changed nothing, after [ErrSync] nobody knows.
func commit(db *bbolt.DB, fn func(*bbolt.Tx) error) error {
	var refused error
	err := guarded(func() error {
		return db.Update(func(tx *bbolt.Tx) error {
			refused = fn(tx)
			return refused
		})
	})
	switch {
	case err == nil || errors.Is(err, ErrDamaged) || errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return err
	case isFull(err) || errors.Is(err, bolterrors.ErrMaxSizeReached):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case refused != nil:
		return err
	}
	return fmt.Errorf("%w: %w", ErrSync, err)
}

// guarded turns the panics and memory faults by which bbolt reports a damaged
// file into [ErrDamaged].
func guarded(fn func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(before)
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrDamaged, p, debug.Stack())
		}
	}()
	return fn()
}

// Watch returns a channel that ticks after changes, several changes perhaps in
// one tick, and a function that ends the watch. It never blocks the store.
func (s *Store) Watch() (<-chan struct{}, func()) {
	ticks := make(chan struct{}, 1)
	s.watching.Lock()
	defer s.watching.Unlock()
	s.watchers[ticks] = struct{}{}
	return ticks, func() {
		s.watching.Lock()
		defer s.watching.Unlock()
		delete(s.watchers, ticks)
	}
}

func (s *Store) tick() {
	s.watching.Lock()
	defer s.watching.Unlock()
	for ticks := range s.watchers {
		select {
		case ticks <- struct{}{}:
		default: // one is waiting already
		}
	}
}

// notFound is what a lookup of something unknown fails with.
func notFound(what string, id any) error {
	return fmt.Errorf("%s %v: %w", what, id, qc.ErrNotFound)
}
