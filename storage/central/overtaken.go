package central

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Stations are offline, so what two of them have found about the same item, not
// knowing of each other, arrives in any order; what then stands must be the
// same. So arrival decides nothing between such findings: a flag counts over one
// that was recorded before it, and what passes an item takes no flag back but
// its own finding's. What does not count is kept and shown all the same.

// counts reports whether a finding changes anything for the cases it is for, or
// opens one where there are none.
func (t *tx) counts(ctx context.Context, f qc.Finding, mine []refund.Case) (bool, error) {
	knowing := slices.ContainsFunc(mine, func(c refund.Case) bool { return c.Finding == f.ID || c.ID == f.Case })
	switch {
	case knowing:
		return true, nil
	case f.Verdict == qc.Pass:
		return len(mine) == 0 || mine[0].Status == refund.Rechecking, nil
	}
	overtaken, err := t.overtaken(ctx, f)
	return !overtaken, err
}

// recorded is when a station says that something was recorded. It is believed as
// far as it can be true, and decides only between findings of which nobody
// knows which was first.
type recorded struct {
	at time.Time
	of qc.FindingID
}

func recordedAt(f qc.Finding, received time.Time) recorded {
	r := recorded{at: f.RecordedAt, of: f.ID}
	if r.at.After(received) {
		r.at = received // a clock that runs ahead
	}
	return r
}

func (r recorded) compare(other recorded) int {
	return cmp.Or(r.at.Compare(other.at), cmp.Compare(r.of, other.of))
}

// overtaken reports whether another finding has flagged the same pieces later.
func (t *tx) overtaken(ctx context.Context, f qc.Finding) (bool, error) {
	own, others := recordedAt(f, t.at), recorded{}
	rows, err := t.QueryContext(ctx, `SELECT body, received_at FROM finding WHERE item = $1 AND verdict = $2`,
		string(f.Item), string(qc.Flag))
	err = each(rows, err, func(rows *sql.Rows) error {
		var text string
		var received int64
		if err := rows.Scan(&text, &received); err != nil {
			return err
		}
		var g qc.Finding
		if err := json.Unmarshal([]byte(text), &g); err != nil {
			return err
		}
		if g.Round != f.Round {
			return nil
		}
		latest := &others
		if g.ID == f.ID { // an earlier revision
			latest = &own
		}
		if r := recordedAt(g, timeOf(received)); r.compare(*latest) > 0 {
			*latest = r
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read findings of item %s: %w", f.Item, err)
	}
	return own.compare(others) < 0, nil
}
