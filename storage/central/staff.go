package central

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"flawmark/app/qc"
)

var (
	// ErrSignIn stands for an unknown person, a wrong password and too many
	// tries; a caller outside is never told which.
	ErrSignIn = errors.New("sign-in refused")
	// ErrStaff says that a new person lacks something or has an unknown role.
	ErrStaff = errors.New("person is not complete")
)

// Locked says that a person was refused without a look at the password,
// because of too many wrong ones. It is an [ErrSignIn].
type Locked struct{ Until time.Time }

func (l *Locked) Error() string { return "sign-in refused until " + l.Until.Format(time.RFC3339) }

// Is makes a Locked an ErrSignIn.
func (l *Locked) Is(target error) bool { return target == ErrSignIn }

// freeTries wrong passwords cost nothing; each further one doubles the wait.
const (
	freeTries = 5
	firstWait = 30 * time.Second
	longWait  = time.Hour
)

// NewStaff is a person to be entered. Badge and PIN open a station, Password
// the desk; any of them may be empty.
type NewStaff struct {
	ID       qc.StaffID
	Name     string
	Latin    string
	Role     qc.Role
	More     []qc.Role // further ones
	Badge    string
	PIN      string
	Password string
}

// AddStaff enters a person, or replaces the one with that ID, and tells the
// stations. Only verifiers are stored. It fails with [ErrStaff] or
// [qc.ErrPINFormat].
func (s *Store) AddStaff(ctx context.Context, n NewStaff, at time.Time) error {
	if strings.TrimSpace(string(n.ID)) == "" || strings.TrimSpace(n.Name) == "" || !known(append([]qc.Role{n.Role}, n.More...)) {
		return fmt.Errorf("add staff %q: %w", n.ID, ErrStaff)
	}
	person := qc.Staff{ID: n.ID, Name: n.Name, Latin: n.Latin, Role: n.Role, More: n.More, Active: true}
	if n.Badge != "" {
		person.Badge = qc.HashBadge(n.Badge)
	}
	var err error
	if n.PIN != "" {
		if person.PIN, err = qc.HashPIN(n.PIN, randomBytes(16)); err != nil {
			return fmt.Errorf("add staff %s: %w", n.ID, err)
		}
	}
	var verifier string
	if n.Password != "" {
		verifier = qc.HashSecret(n.Password, randomBytes(16))
	}
	err = s.write(ctx, at, func(t *tx) error { return t.putStaff(ctx, person, verifier, "staff.add") })
	if err != nil {
		return fmt.Errorf("add staff %s: %w", n.ID, err)
	}
	return nil
}

func known(roles []qc.Role) bool {
	return !slices.ContainsFunc(roles, func(r qc.Role) bool { return !slices.Contains(qc.Roles(), r) })
}

// DismissStaff ends a person's rights everywhere; the name stays for history.
func (s *Store) DismissStaff(ctx context.Context, id qc.StaffID, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		person, err := staff(ctx, t, id)
		if err != nil {
			return err
		}
		person.Active, person.Badge, person.PIN = false, "", ""
		return t.putStaff(ctx, person, "", "staff.dismiss")
	})
	if err != nil {
		return fmt.Errorf("dismiss staff %s: %w", id, err)
	}
	return nil
}

func (t *tx) putStaff(ctx context.Context, person qc.Staff, verifier, action string) error {
	text, err := jsonText(person)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO staff (id, body, password) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body, password = excluded.password,
		failures = 0, locked_until = 0`, string(person.ID), text, verifier); err != nil {
		return err
	}
	if err := t.endSessions(ctx, person.ID); err != nil {
		return err
	}
	if err := t.tell(ctx, qc.StaffChanged, person); err != nil {
		return err
	}
	return t.audit(ctx, "system", action, "staff:"+string(person.ID), map[string]any{"roles": person.Roles(), "active": person.Active})
}

// Staff returns the person with that id, or [qc.ErrNotFound].
func (s *Store) Staff(ctx context.Context, id qc.StaffID) (qc.Staff, error) {
	return staff(ctx, s.reader, id)
}

// AllStaff returns everybody who was ever entered, by id.
func (s *Store) AllStaff(ctx context.Context) ([]qc.Staff, error) {
	return bodies[qc.Staff](s.reader.QueryContext(ctx, `SELECT body FROM staff ORDER BY id`))
}

func staff(ctx context.Context, q querier, id qc.StaffID) (qc.Staff, error) {
	person, err := body[qc.Staff](q.QueryRowContext(ctx, `SELECT body FROM staff WHERE id = $1`, string(id)))
	if err != nil {
		return qc.Staff{}, fmt.Errorf("read staff %s: %w", id, err)
	}
	return person, nil
}

// SignIn returns the person when the password is right. Otherwise it fails
// with [ErrSignIn], and after five wrong tries with a [Locked] that waits ever
// longer. The try is counted before the password is looked at, so that many
// guesses at once win nothing.
func (s *Store) SignIn(ctx context.Context, id qc.StaffID, password string, at time.Time) (qc.Staff, error) {
	person, verifier, err := s.countTry(ctx, id, at)
	if _, locked := errors.AsType[*Locked](err); err != nil && !locked && !errors.Is(err, qc.ErrNotFound) {
		return qc.Staff{}, err
	}
	// Each takes 19 MiB; more at once than there are processors would only
	// take memory.
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return qc.Staff{}, ctx.Err()
	}
	if err != nil || verifier == "" || !person.Active {
		qc.HashSecret(password, make([]byte, 16)) // takes as long as for a known person
		if locked, ok := errors.AsType[*Locked](err); ok {
			return qc.Staff{}, locked
		}
		return qc.Staff{}, ErrSignIn
	}
	if !qc.VerifySecret(password, verifier) {
		return qc.Staff{}, ErrSignIn
	}
	err = s.write(ctx, at, func(t *tx) error {
		if _, err := t.ExecContext(ctx, `UPDATE staff SET failures = 0, locked_until = 0 WHERE id = $1`, string(id)); err != nil {
			return err
		}
		return t.audit(ctx, "staff:"+string(id), "sign_in", "staff:"+string(id), struct{}{})
	})
	if err != nil {
		return qc.Staff{}, fmt.Errorf("sign in %s: %w", id, err)
	}
	return person, nil
}

func (s *Store) countTry(ctx context.Context, id qc.StaffID, at time.Time) (qc.Staff, string, error) {
	var person qc.Staff
	var verifier string
	err := s.write(ctx, at, func(t *tx) error {
		var err error
		if person, err = staff(ctx, t, id); err != nil {
			return err
		}
		var failures, until int64
		err = t.QueryRowContext(ctx, `SELECT password, failures, locked_until FROM staff WHERE id = $1`,
			string(id)).Scan(&verifier, &failures, &until)
		if err != nil {
			return err
		}
		if micros(at) < until {
			return &Locked{Until: timeOf(until)}
		}
		failures++
		until = 0
		if over := failures - freeTries; over >= 0 {
			until = micros(at.Add(min(firstWait<<min(over, 10), longWait)))
		}
		_, err = t.ExecContext(ctx, `UPDATE staff SET failures = $1, locked_until = $2 WHERE id = $3`,
			failures, until, string(id))
		return err
	})
	return person, verifier, err
}
