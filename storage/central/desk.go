package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// deskForm is the version of the rules by which rows for the desk are made of
// cases and findings. A change of them is a new form: an older row is made
// again when the store opens.
const deskForm = 4

// never is when that is due which has no time. What has ended comes after it,
// the last ended first.
const (
	never = math.MaxInt64 / 2
	ended = math.MaxInt64
)

// fileCase keeps what the desk's lists and statistics need of a case.
func (t *tx) fileCase(ctx context.Context, c refund.Case) error {
	row, err := readCaseRow(ctx, t, c)
	if err != nil {
		return err
	}
	if err := t.fileCaseRow(ctx, row); err != nil {
		return err
	}
	if c.Version > 1 && c.Status != refund.Withdrawn {
		return nil
	}
	return t.countAgain(ctx, c.Finding)
}

func (t *tx) fileCaseRow(ctx context.Context, row *caseRow) error {
	if _, err := t.ExecContext(ctx, `INSERT INTO desk_case (`+caseRowColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (case_id) DO UPDATE SET form = excluded.form, version = excluded.version, is_open = excluded.is_open,
		status = excluded.status, intent = excluded.intent, seller = excluded.seller, turn = excluded.turn,
		due_at = excluded.due_at, urgent_at = excluded.urgent_at, search = excluded.search, pieces = excluded.pieces,
		opened_at = excluded.opened_at, decided_at = excluded.decided_at, credited_at = excluded.credited_at,
		ended_at = excluded.ended_at, outcome = excluded.outcome, refusals = excluded.refusals, missing = excluded.missing,
		placed = excluded.placed`,
		row.values()...); err != nil {
		return fmt.Errorf("file case %s: %w", row.id, err)
	}
	return nil
}

// countAgain counts findings anew on which a case stands, or has stood: whether
// they were flaws has become known, or is open again.
func (t *tx) countAgain(ctx context.Context, ids ...qc.FindingID) error {
	for _, id := range ids {
		f, err := readFinding(ctx, t, id)
		if errors.Is(err, qc.ErrNotFound) {
			continue // nothing to count
		}
		if err != nil {
			return err
		}
		if err := t.fileFinding(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// deskSearch is what a clerk finds a case by: every number and name around it.
func deskSearch(c refund.Case, item qc.Item, customer qc.Customer) string {
	return strings.ToLower(strings.Join([]string{
		string(c.ID), string(c.Order), string(c.Item), string(c.Customer), customer.Name, c.Seller,
		item.Title.ZH, item.Title.EN, item.Platform, item.PlatformOrder, string(item.Waybill),
		string(c.ReturnWaybill), string(c.ReplacementWaybill), c.SellerRef,
	}, "\n"))
}

// fileFinding counts an inspection.
func (t *tx) fileFinding(ctx context.Context, f qc.Finding) error {
	item, err := readItem(ctx, t, f.Item)
	if err != nil {
		return err
	}
	return t.countFinding(ctx, f, item)
}

// countFinding counts the inspection of an item.
func (t *tx) countFinding(ctx context.Context, f qc.Finding, item qc.Item) error {
	row, err := findingRowOf(ctx, t, f, item)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO desk_finding (`+findingRowColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (finding) DO UPDATE SET form = excluded.form, revision = excluded.revision, item = excluded.item,
		seller = excluded.seller, inspector = excluded.inspector, verdict = excluded.verdict, pieces = excluded.pieces,
		flawed = excluded.flawed, recorded_at = excluded.recorded_at`, row.values()...); err != nil {
		return fmt.Errorf("count finding %s: %w", f.ID, err)
	}
	return nil
}

// refileItem files the cases and findings of an item again, whose names have
// changed.
func (t *tx) refileItem(ctx context.Context, item qc.ItemID) error {
	findings, err := findingsOf(ctx, t, item)
	if err != nil {
		return err
	}
	for _, f := range findings {
		if err := t.fileFinding(ctx, f); err != nil {
			return err
		}
	}
	return t.refile(ctx, `SELECT body FROM refund_case WHERE item = $1`, string(item))
}

// refileCustomer files the cases of a customer again, whose name has changed.
func (t *tx) refileCustomer(ctx context.Context, customer qc.CustomerID) error {
	return t.refile(ctx, `SELECT body FROM refund_case WHERE customer = $1`, string(customer))
}

func (t *tx) refile(ctx context.Context, query string, args ...any) error {
	cases, err := bodies[refund.Case](t.QueryContext(ctx, query, args...))
	if err != nil {
		return fmt.Errorf("file cases again: %w", err)
	}
	for _, c := range cases {
		if err := t.fileCase(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// fileAll makes the rows for the desk that are missing or of an older form, as
// after an upgrade.
func (t *tx) fileAll(ctx context.Context) error {
	ids, err := texts(t.QueryContext(ctx, `SELECT f.id FROM finding f LEFT JOIN desk_finding d ON d.finding = f.id
		GROUP BY f.id, d.form, d.revision HAVING d.form IS NULL OR d.form <> $1 OR d.revision <> MAX(f.revision)`, deskForm))
	if err != nil {
		return fmt.Errorf("list findings to count: %w", err)
	}
	for _, id := range ids {
		f, err := readFinding(ctx, t, qc.FindingID(id))
		if err != nil {
			return err
		}
		if err := t.fileFinding(ctx, f); err != nil {
			return err
		}
	}
	ids, err = texts(t.QueryContext(ctx, `SELECT c.id FROM refund_case c LEFT JOIN desk_case d ON d.case_id = c.id
		WHERE d.form IS NULL OR d.form <> $1 OR d.version <> c.version`, deskForm))
	if err != nil {
		return fmt.Errorf("list cases to file: %w", err)
	}
	for _, id := range ids {
		c, err := readCase(ctx, t, qc.CaseID(id))
		if err != nil {
			return fmt.Errorf("read case %s: %w", id, err)
		}
		if err := t.fileCase(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// texts reads a column of texts.
func texts(rows *sql.Rows, err error) ([]string, error) {
	var all []string
	err = each(rows, err, func(rows *sql.Rows) error {
		var one string
		err := rows.Scan(&one)
		all = append(all, one)
		return err
	})
	return all, err
}
