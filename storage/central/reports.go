package central

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// A report is a table about a period, told row by row so that its length does
// not matter. Its first row names the columns, by the keys of their words.

// ReportCases tells of the cases that were opened or that ended in a period.
func (s *Store) ReportCases(ctx context.Context, from, to time.Time, row func([]string) error) error {
	if err := row([]string{
		"case", "order", "item", "customer", "seller", "status", "decision", "opened", "decided", "credited", "ended", "quantity", "paid",
		"freight_in", "received", "credited_amount", "absorbed", "charged", "refusals",
	}); err != nil {
		return err
	}
	rows, err := s.reader.QueryContext(ctx, `SELECT c.body, d.decided_at, d.credited_at, d.ended_at
		FROM desk_case d JOIN refund_case c ON c.id = d.case_id
		WHERE d.opened_at >= $1 AND d.opened_at < $2 OR d.ended_at >= $1 AND d.ended_at < $2
		ORDER BY d.opened_at, d.case_id`, micros(from), micros(to))
	err = each(rows, err, func(rows *sql.Rows) error {
		var text string
		var decided, credited, ended int64
		if err := rows.Scan(&text, &decided, &credited, &ended); err != nil {
			return err
		}
		var c refund.Case
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return fmt.Errorf("read stored JSON: %w", err)
		}
		return row([]string{
			string(c.ID), string(c.Order), string(c.Item), string(c.Customer), c.Seller, string(c.Status), string(c.Intent),
			moment(c.OpenedAt), moment(timeOf(decided)), moment(timeOf(credited)), moment(timeOf(ended)), strconv.Itoa(c.Quantity),
			c.Paid.Decimal(), c.FreightIn.Decimal(), c.Received.Decimal(), c.Credited.Decimal(), c.Absorbed.Decimal(), c.Charged.Decimal(),
			strconv.Itoa(c.Refusals),
		})
	})
	if err != nil {
		return fmt.Errorf("report cases: %w", err)
	}
	return nil
}

// moment writes a time for whoever gives it a zone; the zero time is empty.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// ReportMoney tells what moved in a period, by kind, between which accounts,
// and what sellers owe of claims that ended short in it.
func (s *Store) ReportMoney(ctx context.Context, from, to time.Time, row func([]string) error) error {
	if err := row([]string{"kind", "from_account", "to_account", "transfers", "amount"}); err != nil {
		return err
	}
	type flow struct {
		kind, debit, credit string
		currency            money.Currency
	}
	sums, counts := map[flow]money.Amount{}, map[flow]int{}
	rows, err := s.reader.QueryContext(ctx, `SELECT kind, debit, credit, currency, COUNT(*), SUM(amount) FROM transfer
		WHERE at >= $1 AND at < $2 GROUP BY kind, debit, credit, currency`, micros(from), micros(to))
	err = each(rows, err, func(rows *sql.Rows) error {
		var f flow
		var n int
		var minor int64
		if err := rows.Scan(&f.kind, &f.debit, &f.credit, &f.currency, &n, &minor); err != nil {
			return err
		}
		f.debit, f.credit = accountClass(f.debit), accountClass(f.credit)
		amount, err := money.New(minor, f.currency)
		if err == nil {
			if before, known := sums[f]; known {
				amount, err = before.Add(amount)
			}
			sums[f], counts[f] = amount, counts[f]+n
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("report money: %w", err)
	}
	flows := make([]flow, 0, len(sums))
	for f := range sums {
		flows = append(flows, f)
	}
	slices.SortFunc(flows, func(a, b flow) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.debit, b.debit), cmp.Compare(a.credit, b.credit))
	})
	for _, f := range flows {
		if err := row([]string{f.kind, f.debit, f.credit, strconv.Itoa(counts[f]), sums[f].Decimal()}); err != nil {
			return err
		}
	}
	var n int
	var minor int64
	err = s.reader.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(missing), 0) FROM desk_case
		WHERE outcome = 'short' AND ended_at >= $1 AND ended_at < $2`, micros(from), micros(to)).Scan(&n, &minor)
	if err != nil {
		return fmt.Errorf("report money: %w", err)
	}
	return row([]string{"short", "seller_receivable", "", strconv.Itoa(n), money.Fen(minor).Decimal()})
}

// accountClass is the kind of an account, without whose it is.
func accountClass(account string) string {
	class, _, _ := strings.Cut(account, ":")
	return class
}

// ReportFlaws tells how often each flaw was found at each seller's pieces in a
// period, in findings that still stand, with the pieces that were inspected.
func (s *Store) ReportFlaws(ctx context.Context, from, to time.Time, row func([]string) error) error {
	if err := row([]string{"seller", "code", "flaw", "severity", "findings", "flawed_pieces", "inspected_pieces"}); err != nil {
		return err
	}
	type key struct {
		seller   string
		code     qc.FlawCode
		severity qc.Severity
	}
	findings, pieces := map[key]int{}, map[key]int{}
	inspected := map[string]int{}
	err := s.read(ctx, func(q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT seller, SUM(pieces) FROM desk_finding WHERE recorded_at >= $1 AND recorded_at < $2
			GROUP BY seller`, micros(from), micros(to))
		if err := each(rows, err, func(rows *sql.Rows) error {
			var seller string
			var n int
			err := rows.Scan(&seller, &n)
			inspected[seller] = n
			return err
		}); err != nil {
			return err
		}
		rows, err = q.QueryContext(ctx, `SELECT d.seller, f.body FROM desk_finding d
			JOIN finding f ON f.id = d.finding AND f.revision = d.revision
			WHERE d.flawed > 0 AND d.recorded_at >= $1 AND d.recorded_at < $2`, micros(from), micros(to))
		return each(rows, err, func(rows *sql.Rows) error {
			var seller, text string
			if err := rows.Scan(&seller, &text); err != nil {
				return err
			}
			var f qc.Finding
			if err := json.Unmarshal([]byte(text), &f); err != nil {
				return fmt.Errorf("read stored JSON: %w", err)
			}
			for _, flaw := range f.Flaws {
				k := key{seller, flaw.Code, flaw.Severity}
				findings[k]++
				pieces[k] += max(1, flaw.Quantity)
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("report flaws: %w", err)
	}
	keys := make([]key, 0, len(findings))
	for k := range findings {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.seller, b.seller), cmp.Compare(a.code, b.code), cmp.Compare(a.severity, b.severity))
	})
	for _, k := range keys {
		if err := row([]string{
			k.seller, string(k.code), string(k.code), string(k.severity), strconv.Itoa(findings[k]), strconv.Itoa(pieces[k]), strconv.Itoa(inspected[k.seller]),
		}); err != nil {
			return err
		}
	}
	return nil
}

// ReportPeople tells what inspectors found and leads decided in a period. Each
// figure stands beside what it is a part of.
func (s *Store) ReportPeople(ctx context.Context, from, to time.Time, row func([]string) error) error {
	if err := row([]string{
		"staff", "name", "inspections", "pieces", "flagged_pieces", "flagged", "reviewed", "confirmed", "sent_back", "dismissed",
	}); err != nil {
		return err
	}
	type figures struct{ inspections, pieces, flaggedPieces, flagged, confirmed, sentBack, dismissed int }
	people := map[qc.StaffID]*figures{}
	of := func(id qc.StaffID) *figures {
		if people[id] == nil {
			people[id] = &figures{}
		}
		return people[id]
	}
	err := s.read(ctx, func(q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT inspector, COUNT(*), SUM(pieces), SUM(flawed), SUM(CASE WHEN verdict = 'flag' THEN 1 ELSE 0 END)
			FROM desk_finding WHERE recorded_at >= $1 AND recorded_at < $2 GROUP BY inspector`, micros(from), micros(to))
		if err := each(rows, err, func(rows *sql.Rows) error {
			var id qc.StaffID
			var f figures
			err := rows.Scan(&id, &f.inspections, &f.pieces, &f.flaggedPieces, &f.flagged)
			*of(id) = f
			return err
		}); err != nil {
			return err
		}
		rows, err = q.QueryContext(ctx, `SELECT actor, action, COUNT(*) FROM audit WHERE at >= $1 AND at < $2
			AND action IN ('case.confirm', 'case.send_back', 'case.dismiss') GROUP BY actor, action`, micros(from), micros(to))
		return each(rows, err, func(rows *sql.Rows) error {
			var actor, action string
			var n int
			if err := rows.Scan(&actor, &action, &n); err != nil {
				return err
			}
			party, id, _ := strings.Cut(actor, ":")
			if party != string(refund.ByLead) {
				return nil
			}
			switch f := of(qc.StaffID(id)); action {
			case "case.confirm":
				f.confirmed += n
			case "case.send_back":
				f.sentBack += n
			case "case.dismiss":
				f.dismissed += n
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("report people: %w", err)
	}
	staff, err := s.AllStaff(ctx)
	if err != nil {
		return fmt.Errorf("report people: %w", err)
	}
	for _, person := range staff {
		f := people[person.ID]
		if f == nil {
			continue
		}
		if err := row([]string{
			string(person.ID), person.Name, strconv.Itoa(f.inspections), strconv.Itoa(f.pieces), strconv.Itoa(f.flaggedPieces), strconv.Itoa(f.flagged),
			strconv.Itoa(f.confirmed + f.sentBack + f.dismissed), strconv.Itoa(f.confirmed), strconv.Itoa(f.sentBack), strconv.Itoa(f.dismissed),
		}); err != nil {
			return err
		}
	}
	return nil
}

// ReportTimes tells how long each step of cases took that was left in a period:
// of how many, the median and what four of five did not exceed, in hours.
func (s *Store) ReportTimes(ctx context.Context, from, to time.Time, row func([]string) error) error {
	if err := row([]string{"status", "cases", "median_hours", "p80_hours"}); err != nil {
		return err
	}
	stays := map[refund.Status][]time.Duration{}
	rows, err := s.reader.QueryContext(ctx, `SELECT c.body FROM refund_case c WHERE c.changed_at >= $1 AND c.opened_at < $2`,
		micros(from), micros(to))
	err = each(rows, err, func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		var c refund.Case
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return fmt.Errorf("read stored JSON: %w", err)
		}
		since := c.OpenedAt
		for _, e := range c.Timeline {
			if e.From == e.To || e.From == "" {
				continue
			}
			if !e.At.Before(from) && e.At.Before(to) {
				stays[e.From] = append(stays[e.From], e.At.Sub(since))
			}
			since = e.At
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("report times: %w", err)
	}
	for _, status := range refund.Statuses() {
		days := refund.DaysOf(stays[status])
		if days.N == 0 {
			continue
		}
		hours := func(days float64) string { return strconv.FormatFloat(24*days, 'f', 1, 64) }
		if err := row([]string{string(status), strconv.Itoa(days.N), hours(days.Median), hours(days.P80)}); err != nil {
			return err
		}
	}
	return nil
}
