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

// ErrStaff says that a new person lacks something or has an unknown role.
var ErrStaff = errors.New("person is not complete")

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
		ON CONFLICT (id) DO UPDATE SET body = excluded.body, password = excluded.password`,
		string(person.ID), text, verifier); err != nil {
		return err
	}
	if err := t.forgetAllTries(ctx, person.ID); err != nil {
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
