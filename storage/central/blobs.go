package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ErrUpload reports an upload that lacks its digest, length or id.
var ErrUpload = errors.New("upload is not complete")

// Blob is a file that the centre holds, checked against its digest.
type Blob struct {
	Digest    qc.Digest
	Bytes     int64
	MediaType string
	StoredAt  time.Time
}

// Blob returns what is known of a stored file, or [qc.ErrNotFound].
func (s *Store) Blob(ctx context.Context, d qc.Digest) (Blob, error) {
	b := Blob{Digest: d}
	var at int64
	err := s.reader.QueryRowContext(ctx, `SELECT size, media_type, stored_at FROM blob WHERE digest = $1`, string(d)).
		Scan(&b.Bytes, &b.MediaType, &at)
	if err != nil {
		return Blob{}, fmt.Errorf("read blob %.80q: %w", d, found(err))
	}
	b.StoredAt = timeOf(at)
	return b, nil
}

// LackedBlobs returns those of the digests that the centre does not have, in
// the order given.
func (s *Store) LackedBlobs(ctx context.Context, digests []qc.Digest) ([]qc.Digest, error) {
	return lackedBlobs(ctx, s.reader, digests)
}

// askedAtOnce bounds the parameters of one query.
const askedAtOnce = 500

func lackedBlobs(ctx context.Context, q querier, digests []qc.Digest) ([]qc.Digest, error) {
	have := make(map[qc.Digest]bool)
	for from := 0; from < len(digests); from += askedAtOnce {
		part := digests[from:min(from+askedAtOnce, len(digests))]
		places, args := make([]string, len(part)), make([]any, len(part))
		for i, d := range part {
			places[i], args[i] = fmt.Sprintf("$%d", i+1), string(d)
		}
		rows, err := q.QueryContext(ctx, `SELECT digest FROM blob WHERE digest IN (`+strings.Join(places, ",")+`)`, args...)
		err = each(rows, err, func(rows *sql.Rows) error {
			var d qc.Digest
			if err := rows.Scan(&d); err != nil {
				return err
			}
			have[d] = true
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("look for blobs: %w", err)
		}
	}
	var lacked []qc.Digest
	for _, d := range digests {
		if !have[d] {
			lacked = append(lacked, d)
		}
	}
	return lacked, nil
}

// BlobStored notes that the centre holds a file whose content was checked
// against d, and tells the stations. A case whose last preview this was is
// shown to the customer. Storing a file again changes nothing.
func (s *Store) BlobStored(ctx context.Context, d qc.Digest, size int64, mediaType string, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		result, err := t.ExecContext(ctx, `INSERT INTO blob (digest, size, media_type, stored_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (digest) DO NOTHING`, string(d), size, mediaType, micros(at))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := t.tell(ctx, qc.PhotoStored, qc.StoredPhoto{Digest: d}); err != nil {
			return err
		}
		return t.previewArrived(ctx, d)
	})
	if err != nil {
		return fmt.Errorf("note blob %.80q: %w", d, err)
	}
	return nil
}

// previewArrived recounts what the hidden cases that wait for d still lack.
func (t *tx) previewArrived(ctx context.Context, d qc.Digest) error {
	waiting, err := bodies[refund.Case](t.QueryContext(ctx, `SELECT DISTINCT c.body FROM refund_case c
		JOIN finding_preview p ON p.finding = c.finding WHERE p.digest = $1 AND c.status = $2`,
		string(d), string(refund.Flagged)))
	if err != nil {
		return err
	}
	for _, c := range waiting {
		f, err := readFinding(ctx, t, c.Finding)
		if err != nil {
			return err
		}
		missing, err := t.missingPreviews(ctx, f)
		if err != nil {
			return err
		}
		if missing == c.PhotosMissing {
			continue // the file belongs to an earlier revision
		}
		after := c
		after.PhotosMissing = missing
		if missing == 0 {
			after, err = t.move(ctx, c, refund.Event{
				Kind: refund.PhotosArrived, Actor: refund.Actor{Party: refund.BySystem}, At: t.at,
			})
		} else {
			// Only a count: nothing happened to the case that its history should show.
			err = t.updateCase(ctx, c.Version, after)
		}
		if err != nil {
			return err
		}
		if err := t.tellStanding(ctx, after); err != nil {
			return err
		}
	}
	return nil
}

// Upload is a file on its way to the centre.
type Upload struct {
	ID        string
	Station   qc.StationID
	Digest    qc.Digest
	Length    int64
	MediaType string
	ExpiresAt time.Time
}

// BeginUpload notes an upload. When the station has an unfinished one of the
// same file and length, that one is returned instead, so that a station that
// lost the answer goes on where it was. One that has expired or has another
// length is forgotten: replaced is its id, for the caller to discard its file.
func (s *Store) BeginUpload(ctx context.Context, u Upload) (begun Upload, replaced string, err error) {
	if _, err := qc.ParseDigest(string(u.Digest)); err != nil || u.ID == "" || u.Length < 1 {
		return Upload{}, "", errors.Join(fmt.Errorf("begin upload %.80q: %w", u.ID, ErrUpload), err)
	}
	at := s.now()
	err = s.write(ctx, at, func(t *tx) error {
		before, err := readUpload(t.QueryRowContext(ctx, uploadColumns+` WHERE station = $1 AND digest = $2`,
			string(u.Station), string(u.Digest)))
		if err == nil && before.Length == u.Length && at.Before(before.ExpiresAt) {
			u = before
			return nil
		}
		if err != nil && !errors.Is(err, qc.ErrNotFound) {
			return err
		}
		replaced = before.ID
		if _, err := t.ExecContext(ctx, `DELETE FROM upload WHERE station = $1 AND digest = $2`,
			string(u.Station), string(u.Digest)); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO upload (id, station, digest, length, media_type, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6)`, u.ID, string(u.Station), string(u.Digest), u.Length, u.MediaType, micros(u.ExpiresAt))
		return err
	})
	if err != nil {
		return Upload{}, "", fmt.Errorf("begin upload of %s: %w", u.Digest, err)
	}
	return u, replaced, nil
}

// Upload returns an upload that was begun, or [qc.ErrNotFound]. An expired one
// is still returned until it is dropped.
func (s *Store) Upload(ctx context.Context, id string) (Upload, error) {
	u, err := readUpload(s.reader.QueryRowContext(ctx, uploadColumns+` WHERE id = $1`, id))
	if err != nil {
		return Upload{}, fmt.Errorf("read upload %.80q: %w", id, err)
	}
	return u, nil
}

// DropUpload forgets an upload, finished or not; an unknown one is no error.
func (s *Store) DropUpload(ctx context.Context, id string) error {
	err := s.write(ctx, s.now(), func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM upload WHERE id = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("drop upload %.80q: %w", id, err)
	}
	return nil
}

// ExpiredUploads lists uploads whose time is over, for the caller to discard
// their files and drop them.
func (s *Store) ExpiredUploads(ctx context.Context, at time.Time) ([]Upload, error) {
	var expired []Upload
	rows, err := s.reader.QueryContext(ctx, uploadColumns+` WHERE expires_at <= $1 ORDER BY expires_at`, micros(at))
	err = each(rows, err, func(rows *sql.Rows) error {
		u, err := readUpload(rows)
		expired = append(expired, u)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list expired uploads: %w", err)
	}
	return expired, nil
}

const uploadColumns = `SELECT id, station, digest, length, media_type, expires_at FROM upload`

func readUpload(row interface{ Scan(...any) error }) (Upload, error) {
	var u Upload
	var expires int64
	err := row.Scan(&u.ID, &u.Station, &u.Digest, &u.Length, &u.MediaType, &expires)
	u.ExpiresAt = timeOf(expires)
	return u, found(err)
}
