package refund

import (
	"errors"
	"testing"
	"time"
)

// The lead looks at most flags after the customer was told. However far the
// case has come by then, the look is recorded and moves nothing.
func TestApply_ALateLookIsOnlyRecorded(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	lead := Actor{Party: ByLead, ID: "lead7"}
	for _, status := range open() {
		if status == Flagged {
			continue
		}
		before := Case{ID: "c", Status: status, Version: 4, Inspector: "u12"}
		after, moved, err := before.Apply(Event{Kind: LeadConfirmed, Actor: lead, At: at})
		if err != nil || after.Status != status || after.Version != 5 || len(after.Timeline) != 1 || len(moved) != 0 {
			t.Errorf("%s: %s version %d, %d entries, %d transfers, %v", status, after.Status, after.Version, len(after.Timeline), len(moved), err)
		}
		own := Event{Kind: LeadConfirmed, Actor: Actor{Party: ByLead, ID: "u12"}, At: at}
		if _, _, err := before.Apply(own); !errors.Is(err, ErrOwnFinding) {
			t.Errorf("%s: the inspector's own look: %v", status, err)
		}
	}
	for _, status := range []Status{Credited, Exchanged, Kept, Withdrawn} {
		if _, _, err := (Case{Status: status}).Apply(Event{Kind: LeadConfirmed, Actor: lead, At: at}); !errors.Is(err, ErrNotNow) {
			t.Errorf("%s: %v, want ErrNotNow", status, err)
		}
	}
}
