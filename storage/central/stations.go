package central

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"flawmark/app/qc"
)

// How an enrolment ends. Each but ErrPending is final.
var (
	ErrPending = errors.New("enrolment waits for approval")
	ErrExpired = errors.New("enrolment code has expired")
	ErrCode    = errors.New("no such enrolment code")
	// ErrEnrolment: what a station begins with lacks a usable name or key.
	ErrEnrolment = errors.New("enrolment is not complete")
	// ErrRevoked: the station was shut out.
	ErrRevoked = errors.New("station is revoked")
)

// codeLife is how long a person has to carry a code from the station to
// somebody who may approve it.
const codeLife = 10 * time.Minute

// codeLetters leaves out vowels and what is easily mixed up.
const codeLetters = "BCDFGHJKLMNPQRSTVWXZ"

// Enrolment is what a new station shows (UserCode) and asks with (DeviceCode).
type Enrolment struct {
	UserCode   string
	DeviceCode string
	ExpiresAt  time.Time
}

// Station is a bench that may speak to this centre. Epoch, AckedSeq and Head
// are those of the log it last wrote.
type Station struct {
	ID        qc.StationID
	Name      string
	Key       ed25519.PublicKey
	Epoch     string
	AckedSeq  uint64
	Head      qc.ChainHash
	CreatedAt time.Time
	RevokedAt time.Time
}

// maxStationName is in letters, not bytes: a Chinese one has three.
const maxStationName = 80

// BeginEnrolment returns the codes for a station that offers key. It fails with
// [ErrEnrolment].
func (s *Store) BeginEnrolment(ctx context.Context, name string, key ed25519.PublicKey, at time.Time) (Enrolment, error) {
	if len(key) != ed25519.PublicKeySize || blank(name) || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxStationName {
		return Enrolment{}, fmt.Errorf("begin enrolment of %.100q: %w", name, ErrEnrolment)
	}
	code, err := userCode()
	if err != nil {
		return Enrolment{}, fmt.Errorf("begin enrolment: %w", err)
	}
	e := Enrolment{
		UserCode: code, DeviceCode: base64.RawURLEncoding.EncodeToString(randomBytes(32)),
		ExpiresAt: asStored(at.Add(codeLife)),
	}
	err = s.write(ctx, at, func(t *tx) error {
		if _, err := t.ExecContext(ctx, `DELETE FROM enrolment WHERE expires_at < $1`, micros(at.Add(-24*time.Hour))); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO enrolment (device_hash, user_code, name, pubkey, expires_at)
			VALUES ($1, $2, $3, $4, $5)`, secretHash(e.DeviceCode), e.UserCode, name,
			base64.RawStdEncoding.EncodeToString(key), micros(e.ExpiresAt))
		return err
	})
	if err != nil {
		return Enrolment{}, fmt.Errorf("begin enrolment of %s: %w", name, err)
	}
	return e, nil
}

// userCode returns eight letters in two groups, as people read them out.
func userCode() (string, error) {
	var code strings.Builder
	for i := range 8 {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(codeLetters))))
		if err != nil {
			return "", err
		}
		if i == 4 {
			code.WriteByte('-')
		}
		code.WriteByte(codeLetters[n.Int64()])
	}
	return code.String(), nil
}

// cleanCode accepts a code as people type it.
func cleanCode(typed string) string {
	code := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(typed))
	if len(code) != 8 {
		return code
	}
	return code[:4] + "-" + code[4:]
}

// secretHash is how bearer secrets are stored: they are random enough that a
// plain hash does not give them away.
func secretHash(secret string) string {
	sum := sha256.Sum256([]byte("flawmark secret\x00" + secret))
	return hex.EncodeToString(sum[:])
}

// ApproveEnrolment lets the station in that shows userCode. It fails with
// [ErrCode] or [ErrExpired]. Approving twice returns the same station, and a
// key that is already known keeps its station.
func (s *Store) ApproveEnrolment(ctx context.Context, typed string, at time.Time) (Station, error) {
	var station Station
	err := s.write(ctx, at, func(t *tx) error {
		var name, key, id string
		var expires int64
		err := t.QueryRowContext(ctx, `SELECT name, pubkey, station, expires_at FROM enrolment WHERE user_code = $1`,
			cleanCode(typed)).Scan(&name, &key, &id, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrCode
		}
		if err != nil {
			return err
		}
		if id == "" {
			if micros(at) >= expires {
				return ErrExpired
			}
			if id, err = t.admit(ctx, name, key); err != nil {
				return err
			}
			if _, err := t.ExecContext(ctx, `UPDATE enrolment SET station = $1 WHERE user_code = $2`, id, cleanCode(typed)); err != nil {
				return err
			}
		}
		station, err = readStation(ctx, t, qc.StationID(id))
		return err
	})
	if err != nil {
		return Station{}, fmt.Errorf("approve enrolment: %w", err)
	}
	return station, nil
}

// admit enters a station, or finds the one that has the key already.
func (t *tx) admit(ctx context.Context, name, key string) (string, error) {
	var id string
	var revoked int64
	err := t.QueryRowContext(ctx, `SELECT id, revoked_at FROM station WHERE pubkey = $1`, key).Scan(&id, &revoked)
	switch {
	case err == nil && revoked != 0:
		return "", ErrRevoked
	case err == nil:
		_, err = t.ExecContext(ctx, `UPDATE station SET name = $1 WHERE id = $2`, name, id)
	case errors.Is(err, sql.ErrNoRows):
		id = "st-" + hex.EncodeToString(randomBytes(5))
		_, err = t.ExecContext(ctx, `INSERT INTO station (id, name, pubkey, created_at) VALUES ($1, $2, $3, $4)`,
			id, name, key, micros(t.at))
	}
	if err != nil {
		return "", err
	}
	return id, t.audit(ctx, "admin", "station.approve", "station:"+id, map[string]string{"name": name, "key": key})
}

// PollEnrolment returns the station that the device code has become. It fails
// with [ErrPending] until somebody approves, then [ErrExpired]; [ErrCode] for
// a code that was never given.
func (s *Store) PollEnrolment(ctx context.Context, deviceCode string, at time.Time) (qc.StationID, error) {
	var id string
	var expires int64
	err := s.reader.QueryRowContext(ctx, `SELECT station, expires_at FROM enrolment WHERE device_hash = $1`,
		secretHash(deviceCode)).Scan(&id, &expires)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", ErrCode
	case err != nil:
		return "", fmt.Errorf("poll enrolment: %w", err)
	case id != "":
		return qc.StationID(id), nil
	case micros(at) >= expires:
		return "", ErrExpired
	}
	return "", ErrPending
}

// Station returns a station with the state of its log, or [qc.ErrNotFound].
func (s *Store) Station(ctx context.Context, id qc.StationID) (Station, error) {
	return readStation(ctx, s.reader, id)
}

// Stations returns all stations by name.
func (s *Store) Stations(ctx context.Context) ([]Station, error) {
	var ids []qc.StationID
	rows, err := s.reader.QueryContext(ctx, `SELECT id FROM station ORDER BY name, id`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var id qc.StationID
		ids = append(ids, id)
		return rows.Scan(&ids[len(ids)-1])
	})
	if err != nil {
		return nil, fmt.Errorf("list stations: %w", err)
	}
	all := make([]Station, 0, len(ids))
	for _, id := range ids {
		station, err := readStation(ctx, s.reader, id)
		if err != nil {
			return nil, err
		}
		all = append(all, station)
	}
	return all, nil
}

// RevokeStation shuts a station out for good; what it said stays.
func (s *Store) RevokeStation(ctx context.Context, id qc.StationID, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		if _, err := readStation(ctx, t, id); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `UPDATE station SET revoked_at = $1 WHERE id = $2 AND revoked_at = 0`,
			micros(at), string(id)); err != nil {
			return err
		}
		return t.audit(ctx, "admin", "station.revoke", "station:"+string(id), struct{}{})
	})
	if err != nil {
		return fmt.Errorf("revoke station %s: %w", id, err)
	}
	return nil
}

func readStation(ctx context.Context, q querier, id qc.StationID) (Station, error) {
	station := Station{ID: id}
	var key string
	var created, revoked, acked int64
	err := q.QueryRowContext(ctx, `SELECT s.name, s.pubkey, s.epoch, s.created_at, s.revoked_at,
		COALESCE(l.acked_seq, 0), COALESCE(l.head, $2)
		FROM station s LEFT JOIN station_log l ON l.station = s.id AND l.epoch = s.epoch WHERE s.id = $1`,
		string(id), string(qc.ChainStart)).
		Scan(&station.Name, &key, &station.Epoch, &created, &revoked, &acked, &station.Head)
	if err != nil {
		return Station{}, fmt.Errorf("read station %.80q: %w", id, found(err))
	}
	station.CreatedAt, station.RevokedAt, station.AckedSeq = timeOf(created), timeOf(revoked), uint64(acked)
	if station.Key, err = base64.RawStdEncoding.DecodeString(key); err != nil {
		return Station{}, fmt.Errorf("read key of station %s: %w", id, err)
	}
	return station, nil
}

// logState returns how far an epoch of a station's log is known: nothing yet
// is 0 and [qc.ChainStart].
func logState(ctx context.Context, q querier, id qc.StationID, epoch string) (uint64, qc.ChainHash, error) {
	var acked int64
	var head qc.ChainHash
	err := q.QueryRowContext(ctx, `SELECT acked_seq, head FROM station_log WHERE station = $1 AND epoch = $2`,
		string(id), epoch).Scan(&acked, &head)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, qc.ChainStart, nil
	}
	if err != nil {
		return 0, "", fmt.Errorf("read log of station %s: %w", id, err)
	}
	return uint64(acked), head, nil
}
