package central

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// WorkFilter narrows the desk's worklist; zero fields leave nothing out.
type WorkFilter struct {
	Open       bool // only cases that have not ended
	Status     refund.Status
	Side       refund.Side // whose turn it is
	Seller     string
	Overdue    bool // what runs out first has run out at At
	At         time.Time
	Assignee   qc.StaffID  // only those this person looks after
	Unassigned bool        // only those nobody looks after
	Untold     bool        // only those whose customer could not be told, at At
	Cases      []qc.CaseID // only these
	Search     refund.Search
	Skip       int
	Limit      int // 0: 50
}

// Work is one page of the worklist: what runs out first comes first, then what
// has ended, the last ended first.
type Work struct {
	Rows  []WorkRow
	Total int // cases that fit the filter
}

// WorkRow is a case with what the worklist says of it.
type WorkRow struct {
	Case     refund.Case
	Item     qc.Item
	Customer qc.Customer
	Assignee qc.StaffID // empty: nobody
	Waiting  int        // messages about the item or the order that nobody has dealt with
	Untold   bool       // the customer could not be told
}

// where returns the conditions of a filter, of cases that have or have not
// ended, and their arguments.
func (f WorkFilter) where(open int) (string, []any) {
	conditions, args := []string{"d.is_open = $1"}, []any{open}
	add := func(is bool, condition string, arg any) {
		if is {
			args = append(args, arg)
			conditions = append(conditions, strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1))
		}
	}
	add(f.Status != "", "d.status = ?", string(f.Status))
	add(f.Side != "", "d.turn = ?", string(f.Side))
	add(f.Seller != "", "d.seller = ?", f.Seller)
	add(f.Overdue, "d.urgent_at <= ?", micros(f.At))
	add(f.Assignee != "", "d.case_id IN (SELECT case_id FROM case_assignee WHERE staff = ?)", string(f.Assignee))
	if f.Unassigned {
		conditions = append(conditions, "d.case_id NOT IN (SELECT case_id FROM case_assignee)")
	}
	if f.Untold {
		args = append(args, lateAt(f.At))
		conditions = append(conditions, "d.case_id IN ("+allUntold("$"+strconv.Itoa(len(args)))+")")
	}
	if len(f.Cases) > 0 {
		places := make([]string, len(f.Cases))
		for i, id := range f.Cases {
			args = append(args, string(id))
			places[i] = "$" + strconv.Itoa(len(args))
		}
		conditions = append(conditions, "d.case_id IN ("+strings.Join(places, ", ")+")")
	}
	var decisions strings.Builder // ".keep. .refund. ", in which each is looked for with its dots
	for _, d := range f.Search.Decisions {
		decisions.WriteString("." + string(d) + ". ")
	}
	add(decisions.Len() > 0, "CAST(? AS TEXT) LIKE '%.' || d.intent || '.%'", decisions.String())
	escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
	for _, word := range f.Search.Words {
		n := len(args) + 1
		args = append(args, "%"+escape.Replace(strings.ToLower(word))+"%", word, strings.ToUpper(word))
		// A case that was paid in parts has several refunds' numbers; its row has the last.
		conditions = append(conditions, fmt.Sprintf(`(d.search LIKE $%d ESCAPE '\' OR d.case_id IN
			(SELECT case_id FROM transfer WHERE ref IN ($%d, $%d) AND kind = 'received'))`, n, n+1, n+2))
	}
	return " FROM desk_case d WHERE " + strings.Join(conditions, " AND "), args
}

// Worklist returns one page of the worklist.
func (s *Store) Worklist(ctx context.Context, f WorkFilter) (Work, error) {
	if f.Limit < 1 {
		f.Limit = 50
	}
	var work Work
	err := s.read(ctx, func(q querier) error {
		for _, open := range []int{1, 0} {
			if open == 0 && f.Open {
				break
			}
			var total int
			where, args := f.where(open)
			if err := q.QueryRowContext(ctx, `SELECT COUNT(*)`+where, args...).Scan(&total); err != nil {
				return err
			}
			limit := f.Limit - len(work.Rows)
			if skip := max(0, f.Skip-work.Total); limit > 0 && skip < total {
				rows, err := workRows(ctx, q, where, args, f.At, limit, skip)
				if err != nil {
					return err
				}
				work.Rows = append(work.Rows, rows...)
			}
			work.Total += total
		}
		return nil
	})
	if err != nil {
		return Work{}, fmt.Errorf("read worklist: %w", err)
	}
	return work, nil
}

func workRows(ctx context.Context, q querier, where string, args []any, at time.Time, limit, skip int) ([]WorkRow, error) {
	// Only the rows of the page are joined with what is said of them.
	args = append(args, lateAt(at))
	rows, err := q.QueryContext(ctx, `SELECT c.body, i.body, u.body, COALESCE(a.staff, ''),
		(SELECT COUNT(*) FROM ticket t JOIN ticket_message m ON m.ticket = t.id WHERE t.order_id = c.order_id
			AND (t.item = c.item OR t.item = '') AND m.party = 'customer' AND m.n > t.seen_by_desk),
		CASE WHEN `+oneUntold("$"+strconv.Itoa(len(args)), "w.case_id")+` THEN 1 ELSE 0 END
		FROM (SELECT d.case_id, d.urgent_at`+where+` ORDER BY d.urgent_at, d.case_id
			LIMIT `+strconv.Itoa(limit)+` OFFSET `+strconv.Itoa(skip)+`) w
		JOIN refund_case c ON c.id = w.case_id JOIN item i ON i.id = c.item JOIN customer u ON u.id = c.customer
		LEFT JOIN case_assignee a ON a.case_id = w.case_id
		ORDER BY w.urgent_at, w.case_id`, args...)
	var list []WorkRow
	err = each(rows, err, func(rows *sql.Rows) error {
		var ofCase, ofItem, ofCustomer string
		var row WorkRow
		var missing int
		if err := rows.Scan(&ofCase, &ofItem, &ofCustomer, &row.Assignee, &row.Waiting, &missing); err != nil {
			return err
		}
		row.Untold = missing == 1
		for _, part := range []struct {
			text string
			into any
		}{{ofCase, &row.Case}, {ofItem, &row.Item}, {ofCustomer, &row.Customer}} {
			if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
				return fmt.Errorf("read stored JSON: %w", err)
			}
		}
		list = append(list, row)
		return nil
	})
	return list, err
}

// WorkCounts says how much work there is: of the cases that have not ended.
type WorkCounts struct {
	Open       int
	Overdue    int
	Mine       int
	Unassigned int
	Untold     int // whose customer could not be told
	Sides      map[refund.Side]int
	Statuses   map[refund.Status]int
	Sellers    []SellerCount // the most cases first
}

// SellerCount is how many open cases a seller has.
type SellerCount struct {
	Seller string
	N      int
}

// mostSellers bounds the sellers to choose from.
const mostSellers = 100

// WorkCounts counts the open cases at a moment, for a person.
func (s *Store) WorkCounts(ctx context.Context, me qc.StaffID, at time.Time) (WorkCounts, error) {
	counts := WorkCounts{Sides: map[refund.Side]int{}, Statuses: map[refund.Status]int{}}
	err := s.read(ctx, func(q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT turn, status, COUNT(*), SUM(CASE WHEN urgent_at <= $1 THEN 1 ELSE 0 END)
			FROM desk_case WHERE is_open = 1 GROUP BY turn, status`, micros(at))
		err = each(rows, err, func(rows *sql.Rows) error {
			var side refund.Side
			var status refund.Status
			var n, overdue int
			err := rows.Scan(&side, &status, &n, &overdue)
			counts.Open += n
			counts.Overdue += overdue
			counts.Sides[side] += n
			counts.Statuses[status] += n
			return err
		})
		if err != nil {
			return err
		}
		rows, err = q.QueryContext(ctx, `SELECT a.staff, COUNT(*) FROM case_assignee a JOIN desk_case d ON d.case_id = a.case_id
			WHERE d.is_open = 1 GROUP BY a.staff`)
		counts.Unassigned = counts.Open
		err = each(rows, err, func(rows *sql.Rows) error {
			var who qc.StaffID
			var n int
			err := rows.Scan(&who, &n)
			counts.Unassigned -= n
			if who == me {
				counts.Mine = n
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM (`+allUntold("$1")+`) AS missing`, lateAt(at)).Scan(&counts.Untold); err != nil {
			return err
		}
		// Of an index alone, which holds the end; an open case has none.
		rows, err = q.QueryContext(ctx, `SELECT seller, COUNT(*) AS n FROM desk_case WHERE ended_at = 0
			GROUP BY seller ORDER BY n DESC, seller LIMIT $1`, mostSellers)
		return each(rows, err, func(rows *sql.Rows) error {
			var one SellerCount
			err := rows.Scan(&one.Seller, &one.N)
			counts.Sellers = append(counts.Sellers, one)
			return err
		})
	})
	if err != nil {
		return WorkCounts{}, fmt.Errorf("count work: %w", err)
	}
	return counts, nil
}

// Assign gives a case to somebody of the desk, or to nobody, where to is empty.
// Doing it again changes nothing.
func (s *Store) Assign(ctx context.Context, id qc.CaseID, to, by qc.StaffID, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		if err := t.holds(ctx, by, refund.ErrNotYours, qc.Clerk, qc.Lead, qc.Administrator); err != nil {
			return err
		}
		if _, err := readCase(ctx, t, id); err != nil {
			return err
		}
		before, err := assignee(ctx, t, id)
		if err != nil || before == to {
			return err
		}
		if to == "" {
			_, err = t.ExecContext(ctx, `DELETE FROM case_assignee WHERE case_id = $1`, string(id))
		} else {
			if _, err := staff(ctx, t, to); err != nil {
				return err
			}
			_, err = t.ExecContext(ctx, `INSERT INTO case_assignee (case_id, staff, at) VALUES ($1, $2, $3)
				ON CONFLICT (case_id) DO UPDATE SET staff = excluded.staff, at = excluded.at`, string(id), string(to), micros(t.at))
		}
		if err != nil {
			return err
		}
		return t.audit(ctx, "staff:"+string(by), "case.assign", "case:"+string(id), map[string]any{"from": before, "to": to})
	})
	if err != nil {
		return fmt.Errorf("assign case %.80q: %w", id, err)
	}
	return nil
}

// assignee returns who looks after a case; empty: nobody.
func assignee(ctx context.Context, q querier, id qc.CaseID) (qc.StaffID, error) {
	list, err := texts(q.QueryContext(ctx, `SELECT staff FROM case_assignee WHERE case_id = $1`, string(id)))
	if err != nil || len(list) == 0 {
		return "", err
	}
	return qc.StaffID(list[0]), nil
}
