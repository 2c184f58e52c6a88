package load

import (
	"context"
	"encoding/json"
	"fmt"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Opened is what a centre's feed says of the cases that were opened.
type Opened struct {
	Cases   int // that are there
	Doubled int // items that have more than one
}

// Opened reads the centre's feed from its beginning, as a new station does.
func (s *Sender) Opened(ctx context.Context) (Opened, error) {
	cases := make(map[qc.CaseID]qc.ItemID)
	for after := (qc.Cursor{}); ; {
		page, err := s.remote.Changes(ctx, after, 500, 0)
		if err != nil {
			return Opened{}, fmt.Errorf("read the feed: %w", err)
		}
		for _, change := range page.Changes {
			if change.Kind != qc.CaseChanged {
				continue
			}
			var c refund.Case
			if err := json.Unmarshal(change.Data, &c); err != nil {
				return Opened{}, fmt.Errorf("read the feed: %w", err)
			}
			cases[c.ID] = c.Item
		}
		if after = page.Next; page.UpToDate {
			break
		}
	}
	of := make(map[qc.ItemID]int)
	opened := Opened{Cases: len(cases)}
	for _, item := range cases {
		if of[item]++; of[item] == 2 {
			opened.Doubled++
		}
	}
	return opened, nil
}
