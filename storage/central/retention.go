package central

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// LetGo is a step of clearing originals away.
type LetGo struct {
	Files    []qc.Digest // that nobody needs any more, for the caller to delete
	Evidence int         // items whose originals stay for ever from now on
	Next     qc.ItemID   // where to go on; empty: this was all
}

// LetGo judges the originals of up to limit items behind after, in the order of
// their ids, by the rule at a time, and forgets those that are not kept. What it
// returns to be deleted the centre does not have any more: when the caller is
// killed before it deletes a file, nothing but room is lost.
func (s *Store) LetGo(ctx context.Context, rule refund.Retention, at time.Time, after qc.ItemID, limit int) (LetGo, error) {
	var step LetGo
	youngest := at.Add(-min(cmp.Or(rule.Flagged, rule.Passed), cmp.Or(rule.Passed, rule.Flagged)))
	err := s.write(ctx, at, func(t *tx) error {
		step = LetGo{}
		var items []qc.ItemID
		rows, err := t.QueryContext(ctx, `SELECT item FROM original WHERE fate = '' AND item > $1 AND received_at <= $2
			GROUP BY item ORDER BY item LIMIT $3`, string(after), micros(youngest), limit)
		err = each(rows, err, func(rows *sql.Rows) error {
			var item qc.ItemID
			err := rows.Scan(&item)
			items = append(items, item)
			return err
		})
		if err != nil {
			return err
		}
		for _, item := range items {
			shown, listing, err := t.shown(ctx, item)
			if err != nil {
				return fmt.Errorf("item %s: %w", item, err)
			}
			switch rule.Judge(shown, at) {
			case refund.KeptAsEvidence:
				step.Evidence++
				_, err = t.ExecContext(ctx, `UPDATE original SET fate = 'evidence' WHERE item = $1`, string(item))
			case refund.NotKept:
				var files []qc.Digest
				files, err = t.letGo(ctx, item, listing)
				step.Files = append(step.Files, files...)
			case refund.KeptForNow:
			}
			if err != nil {
				return fmt.Errorf("item %s: %w", item, err)
			}
		}
		if len(items) == limit {
			step.Next = items[limit-1]
		}
		if len(step.Files) == 0 {
			return nil
		}
		return t.audit(ctx, "system", "photos.let_go", "photos", map[string]any{
			"files": len(step.Files), "first": items[0], "last": items[len(items)-1],
			"passed_days": rule.Passed.Hours() / 24, "flagged_days": rule.Flagged.Hours() / 24,
		})
	})
	if err != nil {
		return LetGo{}, fmt.Errorf("let originals go: %w", err)
	}
	return step, nil
}

// shown returns what an item's originals were needed for, and its listing photo.
func (t *tx) shown(ctx context.Context, id qc.ItemID) (refund.Shown, qc.Digest, error) {
	var s refund.Shown
	item, err := body[qc.Item](t.QueryRowContext(ctx, `SELECT body FROM item WHERE id = $1`, string(id)))
	if err != nil {
		return s, "", err
	}
	var arrived, ended int64
	var open, money, asked int
	err = t.QueryRowContext(ctx, `SELECT
		(SELECT MAX(received_at) FROM original WHERE item = $1),
		COUNT(*), COALESCE(SUM(is_open), 0), COALESCE(MAX(changed_at), 0),
		COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM transfer p WHERE p.case_id = refund_case.id) THEN 1 ELSE 0 END), 0),
		(SELECT COUNT(*) FROM ticket WHERE item = $1 AND waiting_since > 0)
		FROM refund_case WHERE item = $1`, string(id)).Scan(&arrived, &s.Cases, &open, &ended, &money, &asked)
	if err != nil {
		return s, "", err
	}
	s.StockedIn = item.StockedInAt
	if last := timeOf(arrived); s.StockedIn.Before(last) { // inspected late, or again
		s.StockedIn = last
	}
	s.Open, s.Money, s.EndedAt = open+asked > 0, money > 0, timeOf(ended)
	return s, item.ListingPhoto, nil
}

// letGo forgets an item's originals and returns those that no other item needs,
// and that are not also a preview or the listing photo.
func (t *tx) letGo(ctx context.Context, item qc.ItemID, listing qc.Digest) ([]qc.Digest, error) {
	if _, err := t.ExecContext(ctx, `UPDATE original SET fate = 'gone' WHERE item = $1`, string(item)); err != nil {
		return nil, err
	}
	var files []qc.Digest
	rows, err := t.QueryContext(ctx, `SELECT digest FROM original o WHERE item = $1
		AND NOT EXISTS (SELECT 1 FROM original other WHERE other.digest = o.digest AND other.fate <> 'gone')
		AND NOT EXISTS (SELECT 1 FROM finding_preview p WHERE p.digest = o.digest) ORDER BY digest`, string(item))
	err = each(rows, err, func(rows *sql.Rows) error {
		var d qc.Digest
		err := rows.Scan(&d)
		if d != listing {
			files = append(files, d)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, d := range files {
		for _, text := range []string{`DELETE FROM original WHERE digest = $1`, `DELETE FROM blob WHERE digest = $1`} {
			if _, err := t.ExecContext(ctx, text, string(d)); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// Originals counts the original photos that the centre has not let go.
type Originals struct{ Waiting, Evidence int }

// Originals counts.
func (s *Store) Originals(ctx context.Context) (Originals, error) {
	var o Originals
	err := s.reader.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN fate = '' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN fate = 'evidence' THEN 1 ELSE 0 END), 0) FROM original`).Scan(&o.Waiting, &o.Evidence)
	if err != nil {
		return o, fmt.Errorf("count originals: %w", err)
	}
	return o, nil
}
