package central

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
)

// A session at the desk ends after a working day, and sooner when nobody uses
// it. Its use is noted so rarely that looking at pages hardly writes.
const (
	sessionLife = 12 * time.Hour
	sessionIdle = 4 * time.Hour
	sessionNote = 5 * time.Minute
)

// BeginSession signs a person in and returns the secret of the session, of
// which only the hash is stored. It fails with [ErrSignIn] for somebody who
// does not work here any more.
func (s *Store) BeginSession(ctx context.Context, id qc.StaffID, at time.Time) (string, error) {
	secret := base64.RawURLEncoding.EncodeToString(randomBytes(32))
	err := s.write(ctx, at, func(t *tx) error {
		person, err := staff(ctx, t, id)
		if err != nil || !person.Active {
			return errorsOr(err, ErrSignIn)
		}
		if _, err := t.ExecContext(ctx, `DELETE FROM desk_session WHERE began_at <= $1 OR seen_at <= $2`,
			micros(at.Add(-sessionLife)), micros(at.Add(-sessionIdle))); err != nil {
			return err
		}
		if _, err = t.ExecContext(ctx, `INSERT INTO desk_session (secret_hash, staff, began_at, seen_at) VALUES ($1, $2, $3, $3)`,
			secretHash(secret), string(id), micros(at)); err != nil {
			return err
		}
		return t.audit(ctx, "staff:"+string(id), "session.begin", "staff:"+string(id), struct{}{})
	})
	if err != nil {
		return "", fmt.Errorf("begin session of %.80q: %w", id, err)
	}
	return secret, nil
}

// Session returns the person whose session it is, as they are now. It fails
// with [ErrSignIn] when it has ended: by time, by signing out, or because the
// person was dismissed or entered anew.
func (s *Store) Session(ctx context.Context, secret string, at time.Time) (qc.Staff, error) {
	hash := secretHash(secret)
	var id string
	var began, seen int64
	err := s.reader.QueryRowContext(ctx, `SELECT staff, began_at, seen_at FROM desk_session WHERE secret_hash = $1`, hash).
		Scan(&id, &began, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return qc.Staff{}, ErrSignIn
	}
	if err != nil {
		return qc.Staff{}, fmt.Errorf("read session: %w", err)
	}
	if !at.Before(timeOf(began).Add(sessionLife)) || !at.Before(timeOf(seen).Add(sessionIdle)) {
		return qc.Staff{}, ErrSignIn
	}
	person, err := staff(ctx, s.reader, qc.StaffID(id))
	if err != nil {
		return qc.Staff{}, err
	}
	if !person.Active {
		return qc.Staff{}, ErrSignIn
	}
	if at.Sub(timeOf(seen)) < sessionNote {
		return person, nil
	}
	err = s.write(ctx, at, func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE desk_session SET seen_at = $1 WHERE secret_hash = $2 AND seen_at < $1`, micros(at), hash)
		return err
	})
	if err != nil {
		return qc.Staff{}, fmt.Errorf("note session: %w", err)
	}
	return person, nil
}

// EndSession signs out. A session that is not known is not one any more.
func (s *Store) EndSession(ctx context.Context, secret string, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM desk_session WHERE secret_hash = $1`, secretHash(secret))
		return err
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// endSessions signs a person out everywhere.
func (t *tx) endSessions(ctx context.Context, id qc.StaffID) error {
	_, err := t.ExecContext(ctx, `DELETE FROM desk_session WHERE staff = $1`, string(id))
	return err
}
