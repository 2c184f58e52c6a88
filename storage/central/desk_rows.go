package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// The desk's rows are made of cases and findings and of nothing else, so they
// can be compared with what they are made of, and made again.

// caseRow is a case as the desk's lists and statistics have it.
type caseRow struct {
	id                                       string
	form, version, open                      int
	status, intent, seller, turn             string
	due, urgent                              int64
	search                                   string
	pieces                                   int
	openedAt, decidedAt, creditedAt, endedAt int64
	outcome                                  string
	refusals                                 int
	missing                                  int64
	placed                                   string
}

const caseRowColumns = `case_id, form, version, is_open, status, intent, seller, turn, due_at, urgent_at, search, pieces,
	opened_at, decided_at, credited_at, ended_at, outcome, refusals, missing, placed`

func (r *caseRow) values() []any {
	return []any{
		r.id, r.form, r.version, r.open, r.status, r.intent, r.seller, r.turn, r.due, r.urgent, r.search, r.pieces,
		r.openedAt, r.decidedAt, r.creditedAt, r.endedAt, r.outcome, r.refusals, r.missing, r.placed,
	}
}

func (r *caseRow) scan(rows *sql.Rows) error {
	return rows.Scan(&r.id, &r.form, &r.version, &r.open, &r.status, &r.intent, &r.seller, &r.turn, &r.due, &r.urgent, &r.search, &r.pieces,
		&r.openedAt, &r.decidedAt, &r.creditedAt, &r.endedAt, &r.outcome, &r.refusals, &r.missing, &r.placed)
}

// readCaseRow makes the row of a case out of what is stored.
func readCaseRow(ctx context.Context, q querier, c refund.Case) (*caseRow, error) {
	item, err := readItem(ctx, q, c.Item)
	if err != nil {
		return nil, err
	}
	customer, err := customerOf(ctx, q, c.Order)
	if err != nil {
		return nil, err
	}
	return caseRowOf(c, item, customer), nil
}

// caseRowOf makes the row of a case.
func caseRowOf(c refund.Case, item qc.Item, customer qc.Customer) *caseRow {
	turn, claim := c.Turn(), c.Claim()
	urgent := int64(never)
	if first := turn.First(); !first.IsZero() {
		urgent = micros(first)
	}
	if !claim.EndedAt.IsZero() {
		urgent = ended - micros(claim.EndedAt)
	}
	return &caseRow{
		id: string(c.ID), form: deskForm, version: c.Version, open: openColumn(c),
		status: string(c.Status), intent: string(c.Intent), seller: c.Seller, turn: string(turn.Side),
		due: micros(turn.By), urgent: urgent, search: deskSearch(c, item, customer), pieces: c.Quantity,
		openedAt: micros(c.OpenedAt), decidedAt: micros(claim.DecidedAt), creditedAt: micros(claim.CreditedAt),
		endedAt: micros(claim.EndedAt), outcome: string(claim.Result), refusals: c.Refusals, missing: c.Missing().Minor(),
		placed: item.PlatformOrder,
	}
}

// findingRow is an inspection as the statistics have it.
type findingRow struct {
	id                               string
	form, revision                   int
	item, seller, inspector, verdict string
	pieces, flawed                   int
	recordedAt                       int64
}

const findingRowColumns = `finding, form, revision, item, seller, inspector, verdict, pieces, flawed, recorded_at`

func (r *findingRow) values() []any {
	return []any{r.id, r.form, r.revision, r.item, r.seller, r.inspector, r.verdict, r.pieces, r.flawed, r.recordedAt}
}

func (r *findingRow) scan(rows *sql.Rows) error {
	return rows.Scan(&r.id, &r.form, &r.revision, &r.item, &r.seller, &r.inspector, &r.verdict, &r.pieces, &r.flawed, &r.recordedAt)
}

// findingRowOf makes the row of a finding in its last revision. It counts from
// when it was first recorded.
func findingRowOf(ctx context.Context, q querier, f qc.Finding, item qc.Item) (*findingRow, error) {
	first := f
	if f.Revision > 1 {
		var err error
		first, err = body[qc.Finding](q.QueryRowContext(ctx, `SELECT body FROM finding WHERE id = $1 ORDER BY revision LIMIT 1`, string(f.ID)))
		if err != nil {
			return nil, fmt.Errorf("read finding %s: %w", f.ID, err)
		}
	}
	flawed := refund.FlawedPieces(f, item.Quantity)
	if flawed > 0 {
		none, err := noDefect(ctx, q, f.ID)
		if err != nil {
			return nil, err
		}
		if none {
			flawed = 0
		}
	}
	return &findingRow{
		id: string(f.ID), form: deskForm, revision: f.Revision, item: string(f.Item), seller: item.Seller,
		inspector: string(f.Inspector), verdict: string(f.Verdict), pieces: item.Quantity, flawed: flawed,
		recordedAt: micros(first.RecordedAt),
	}, nil
}

// noDefect reports whether all cases that stand on a finding were withdrawn.
func noDefect(ctx context.Context, q querier, id qc.FindingID) (bool, error) {
	cases, err := bodies[refund.Case](q.QueryContext(ctx, `SELECT body FROM refund_case WHERE finding = $1`, string(id)))
	if err != nil {
		return false, fmt.Errorf("read cases of finding %s: %w", id, err)
	}
	cases = slices.DeleteFunc(cases, func(c refund.Case) bool { return c.Sort != "" })
	stands := slices.ContainsFunc(cases, func(c refund.Case) bool { return c.Status != refund.Withdrawn })
	return len(cases) > 0 && !stands, nil
}

// DeskFaults are rows of the desk that are not what they are made of.
type DeskFaults struct {
	Rows     int         // that were compared
	Cases    []qc.CaseID // whose row is missing, wrong, or of no case
	Findings []qc.FindingID
}

// OK reports whether nothing is wrong.
func (f DeskFaults) OK() bool { return len(f.Cases)+len(f.Findings) == 0 }

// CheckDesk makes every row of the desk once more and compares.
func (s *Store) CheckDesk(ctx context.Context) (DeskFaults, error) {
	var faults DeskFaults
	err := s.read(ctx, func(q querier) (err error) {
		faults, err = deskFaults(ctx, q)
		return err
	})
	if err != nil {
		return DeskFaults{}, fmt.Errorf("check the desk's rows: %w", err)
	}
	return faults, nil
}

func deskFaults(ctx context.Context, q querier) (faults DeskFaults, err error) {
	cases := make(map[qc.CaseID]caseRow)
	rows, err := q.QueryContext(ctx, `SELECT `+caseRowColumns+` FROM desk_case`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var row caseRow
		err := row.scan(rows)
		cases[qc.CaseID(row.id)] = row
		return err
	})
	if err != nil {
		return faults, err
	}
	ids, err := texts(q.QueryContext(ctx, `SELECT id FROM refund_case ORDER BY id`))
	if err != nil {
		return faults, err
	}
	for _, id := range ids {
		c, err := readCase(ctx, q, qc.CaseID(id))
		if err != nil {
			return faults, err
		}
		want, err := readCaseRow(ctx, q, c)
		if err != nil {
			return faults, err
		}
		faults.Rows++
		if cases[c.ID] != *want {
			faults.Cases = append(faults.Cases, c.ID)
		}
	}
	findings := make(map[qc.FindingID]findingRow)
	rows, err = q.QueryContext(ctx, `SELECT `+findingRowColumns+` FROM desk_finding`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var row findingRow
		err := row.scan(rows)
		findings[qc.FindingID(row.id)] = row
		return err
	})
	if err != nil {
		return faults, err
	}
	if ids, err = texts(q.QueryContext(ctx, `SELECT DISTINCT id FROM finding ORDER BY id`)); err != nil {
		return faults, err
	}
	for _, id := range ids {
		f, err := readFinding(ctx, q, qc.FindingID(id))
		if err != nil {
			return faults, err
		}
		item, err := readItem(ctx, q, f.Item)
		if err != nil {
			return faults, err
		}
		want, err := findingRowOf(ctx, q, f, item)
		if err != nil {
			return faults, err
		}
		faults.Rows++
		if findings[f.ID] != *want {
			faults.Findings = append(faults.Findings, f.ID)
		}
		delete(findings, f.ID)
	}
	for id := range findings { // of no finding; a case cannot be taken away from under its row
		faults.Findings = append(faults.Findings, id)
	}
	return faults, nil
}

// MendDesk makes the rows anew that [Store.CheckDesk] has found wrong, and
// returns how many those were.
func (s *Store) MendDesk(ctx context.Context) (int, error) {
	mended := 0
	err := s.write(ctx, s.now(), func(t *tx) error {
		faults, err := deskFaults(ctx, t)
		if err != nil {
			return err
		}
		for _, id := range faults.Findings {
			if err := t.mendFinding(ctx, id); err != nil {
				return err
			}
		}
		for _, id := range faults.Cases {
			c, err := readCase(ctx, t, id)
			if err != nil {
				return err
			}
			if err := t.fileCase(ctx, c); err != nil {
				return err
			}
		}
		mended = len(faults.Findings) + len(faults.Cases)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("mend the desk's rows: %w", err)
	}
	return mended, nil
}

func (t *tx) mendFinding(ctx context.Context, id qc.FindingID) error {
	f, err := readFinding(ctx, t, id)
	if errors.Is(err, qc.ErrNotFound) {
		_, err = t.ExecContext(ctx, `DELETE FROM desk_finding WHERE finding = $1`, string(id))
		return err
	}
	if err != nil {
		return err
	}
	return t.fileFinding(ctx, f)
}
