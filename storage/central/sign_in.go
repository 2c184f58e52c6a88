package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
)

// ErrSignIn stands for an unknown person, a wrong password and too many tries; a
// caller outside is never told which.
var ErrSignIn = errors.New("sign-in refused")

// Locked says that a person was refused without a look at the password, because
// of too many wrong ones. It is an [ErrSignIn].
type Locked struct{ Until time.Time }

func (l *Locked) Error() string { return "sign-in refused until " + l.Until.Format(time.RFC3339) }

// Is makes a Locked an ErrSignIn.
func (l *Locked) Is(target error) bool { return target == ErrSignIn }

// Source is where somebody tries to sign in from.
type Source struct {
	Name string // such as an address; only its hash is kept, for a day
	// Known: this person has signed in from there before. Wrong passwords from
	// elsewhere do not keep them out, nor does a known source have more tries.
	Known bool
}

// Wrong passwords from one source cost nothing until freeTries; each further one
// doubles the wait. All strangers together, who may have many addresses, have
// strangersTries and wait less: a person at a new device has to wait with them.
const (
	freeTries      = 5
	strangersTries = 50
	firstWait      = 30 * time.Second
	longWait       = time.Hour
	strangersWait  = 15 * time.Minute
	tryLife        = 24 * time.Hour // for which tries count
)

// SignIn returns the person when the password is right. Otherwise it fails with
// [ErrSignIn], and after too many tries with a [Locked] that waits ever longer.
// The try is counted before the password is looked at, so that many guesses at
// once win nothing, and for people who are not known as for all others, so that
// it takes as long.
func (s *Store) SignIn(ctx context.Context, id qc.StaffID, password string, from Source, at time.Time) (qc.Staff, error) {
	person, verifier, err := s.countTry(ctx, id, from, at)
	locked, isLocked := errors.AsType[*Locked](err)
	if err != nil && !isLocked {
		return qc.Staff{}, fmt.Errorf("sign in: %w", err)
	}
	// Each takes 19 MiB; more at once than there are processors would only
	// take memory.
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return qc.Staff{}, ctx.Err()
	}
	if isLocked || verifier == "" || !person.Active {
		qc.HashSecret(password, make([]byte, 16)) // takes as long as for a known person
		if isLocked {
			return qc.Staff{}, locked
		}
		return qc.Staff{}, ErrSignIn
	}
	if !qc.VerifySecret(password, verifier) {
		return qc.Staff{}, ErrSignIn
	}
	err = s.write(ctx, at, func(t *tx) error {
		if err := t.forgetTries(ctx, id, from); err != nil {
			return err
		}
		return t.audit(ctx, "staff:"+string(id), "sign_in", "staff:"+string(id), struct{}{})
	})
	if err != nil {
		return qc.Staff{}, fmt.Errorf("sign in %s: %w", id, err)
	}
	return person, nil
}

// limit is how many tries a source has: one, or all strangers together.
type limit struct {
	source  string // its hash; empty: all strangers
	free    int64  // tries that cost nothing
	longest time.Duration
}

func (from Source) limits() []limit {
	own := limit{secretHash("source\x00" + from.Name), freeTries, longWait}
	if from.Known {
		return []limit{own}
	}
	return []limit{own, {"", strangersTries, strangersWait}}
}

func whoIsTried(id qc.StaffID) string { return secretHash("staff\x00" + string(id)) }

// countTry counts one try and returns whom it is about; nobody has no verifier.
func (s *Store) countTry(ctx context.Context, id qc.StaffID, from Source, at time.Time) (person qc.Staff, verifier string, err error) {
	err = s.write(ctx, at, func(t *tx) error {
		if person, err = staff(ctx, t, id); err != nil && !errors.Is(err, qc.ErrNotFound) {
			return err
		}
		err := t.QueryRowContext(ctx, `SELECT password FROM staff WHERE id = $1`, string(id)).Scan(&verifier)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if _, err := t.ExecContext(ctx, `DELETE FROM sign_in_try WHERE at <= $1`, micros(at.Add(-tryLife))); err != nil {
			return err
		}
		for _, l := range from.limits() {
			locked, err := t.countUnder(ctx, l, id, at)
			if err != nil {
				return err
			}
			if locked && person.ID != "" {
				kept := map[string]any{"known_source": from.Known, "all_strangers": l.source == ""}
				if err := t.audit(ctx, "system", "sign_in.locked", "staff:"+string(id), kept); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return person, verifier, err
}

// countUnder counts one try under a limit and reports whether the next has to
// wait. It fails with [Locked] when this one had to.
func (t *tx) countUnder(ctx context.Context, l limit, id qc.StaffID, at time.Time) (bool, error) {
	who := whoIsTried(id)
	var tried, until int64
	err := t.QueryRowContext(ctx, `SELECT tries, locked_until FROM sign_in_try WHERE who = $1 AND source = $2`, who, l.source).
		Scan(&tried, &until)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	// A clock that was put back since keeps nobody waiting for longer.
	if wait := timeOf(until).Sub(at); wait > 0 && wait <= l.longest {
		return false, &Locked{Until: timeOf(until)}
	}
	tried++
	until = 0
	if over := tried - l.free; over >= 0 {
		until = micros(at.Add(min(firstWait<<min(over, 10), l.longest)))
	}
	_, err = t.ExecContext(ctx, `INSERT INTO sign_in_try (who, source, tries, locked_until, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (who, source) DO UPDATE SET tries = excluded.tries, locked_until = excluded.locked_until, at = excluded.at`,
		who, l.source, tried, until, micros(at))
	return until > 0, err
}

// forgetTries takes back what a source was counted for that has proved to be
// the person's.
func (t *tx) forgetTries(ctx context.Context, id qc.StaffID, from Source) error {
	who, own := whoIsTried(id), from.limits()[0].source
	if !from.Known {
		if _, err := t.ExecContext(ctx, `UPDATE sign_in_try SET locked_until = 0,
			tries = tries - (SELECT own.tries FROM sign_in_try own WHERE own.who = $1 AND own.source = $2)
			WHERE who = $1 AND source = '' AND EXISTS (SELECT 1 FROM sign_in_try own WHERE own.who = $1 AND own.source = $2)`,
			who, own); err != nil {
			return err
		}
	}
	_, err := t.ExecContext(ctx, `DELETE FROM sign_in_try WHERE who = $1 AND source = $2`, who, own)
	return err
}

// forgetAllTries is for a person who has got another password.
func (t *tx) forgetAllTries(ctx context.Context, id qc.StaffID) error {
	_, err := t.ExecContext(ctx, `DELETE FROM sign_in_try WHERE who = $1`, whoIsTried(id))
	return err
}
