package central

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"flawmark/app/refund"
)

// SellerRecord returns how a seller has dealt with us since then: claims that
// ended and pieces that were inspected at or after it. A seller nobody knows has
// a record of nothing.
func (s *Store) SellerRecord(ctx context.Context, seller string, since time.Time) (refund.Record, error) {
	records, err := s.sellers(ctx, seller, since)
	if err != nil {
		return refund.Record{}, fmt.Errorf("count seller: %w", err)
	}
	if len(records) == 0 {
		return refund.Record{Seller: seller}, nil
	}
	return records[0], nil
}

// SellerRecords returns the record of every seller since then, by name.
func (s *Store) SellerRecords(ctx context.Context, since time.Time) ([]refund.Record, error) {
	records, err := s.sellers(ctx, "", since)
	if err != nil {
		return nil, fmt.Errorf("count sellers: %w", err)
	}
	return records, nil
}

// sellers counts one seller, or all where none is named.
func (s *Store) sellers(ctx context.Context, seller string, since time.Time) ([]refund.Record, error) {
	counted := make(map[string]*refund.Record)
	of := func(name string) *refund.Record {
		if counted[name] == nil {
			counted[name] = &refund.Record{Seller: name}
		}
		return counted[name]
	}
	lengths := make(map[string][]time.Duration)
	err := s.read(ctx, func(q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT seller, SUM(flawed), SUM(pieces) FROM desk_finding
			WHERE ($1 = '' OR seller = $1) AND recorded_at >= $2 GROUP BY seller`, seller, micros(since))
		err = each(rows, err, func(rows *sql.Rows) error {
			var name string
			var pieces refund.Rate
			err := rows.Scan(&name, &pieces.Hits, &pieces.N)
			of(name).Pieces = pieces
			return err
		})
		if err != nil {
			return err
		}
		rows, err = q.QueryContext(ctx, `SELECT seller, outcome, refusals, decided_at, credited_at FROM desk_case
			WHERE ($1 = '' OR seller = $1) AND is_open = 0 AND ended_at >= $2 AND outcome <> '' AND outcome <> 'aside'`,
			seller, micros(since))
		return each(rows, err, func(rows *sql.Rows) error {
			var name string
			var result refund.ClaimResult
			var refusals int
			var decided, credited int64
			if err := rows.Scan(&name, &result, &refusals, &decided, &credited); err != nil {
				return err
			}
			of(name).Count(result, refusals)
			if result == refund.ClaimRefunded && decided > 0 && credited > decided {
				lengths[name] = append(lengths[name], timeOf(credited).Sub(timeOf(decided)))
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	records := make([]refund.Record, 0, len(counted))
	for name, record := range counted {
		record.Days = refund.DaysOf(lengths[name])
		records = append(records, *record)
	}
	slices.SortFunc(records, func(a, b refund.Record) int { return cmp.Compare(a.Seller, b.Seller) })
	return records, nil
}
