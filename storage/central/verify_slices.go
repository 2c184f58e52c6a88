package central

import (
	"context"
	"database/sql"
	"encoding/json"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// verifySlices compares what the open cases of each item hold with how many
// pieces there are.
func verifySlices(ctx context.Context, q querier, report *Report) error {
	rows, err := q.QueryContext(ctx, `SELECT c.body, i.body FROM refund_case c JOIN item i ON i.id = c.item WHERE c.is_open = 1`)
	held, there := make(map[qc.ItemID]int), make(map[qc.ItemID]int)
	err = each(rows, err, func(rows *sql.Rows) error {
		var ofCase, ofItem string
		if err := rows.Scan(&ofCase, &ofItem); err != nil {
			return err
		}
		var c refund.Case
		var item qc.Item
		if json.Unmarshal([]byte(ofCase), &c) != nil || json.Unmarshal([]byte(ofItem), &item) != nil {
			return nil // verifyCases says so
		}
		held[item.ID] += c.Pieces()
		there[item.ID] = item.Quantity
		return nil
	})
	for item, pieces := range held {
		if pieces > there[item] {
			report.add("open cases hold %d pieces of item %s, there are %d", pieces, item, there[item])
		}
	}
	return err
}
