package refund_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"flawmark/app/refund"
)

var update = flag.Bool("update", false, "rewrite the lifecycle as people read it")

// TestTable_IsWhatTheProgramDoes keeps the document and the table the same.
func TestTable_IsWhatTheProgramDoes(t *testing.T) {
	t.Parallel()
	const path = "lifecycle.md"
	text := "# The lifecycle of a case\n\nMade of `transitions.go` by its test (`-update` rewrites it); the program reads nothing else.\n\n" + refund.Table()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil || string(written) != text {
		t.Errorf("%s is not what the table says (go test ./app/refund -update rewrites it): %v", path, err)
	}
}

// TestTransitions_EachIsComplete: one row an event, and what a guard asks for is
// said in words.
func TestTransitions_EachIsComplete(t *testing.T) {
	t.Parallel()
	seen := make(map[refund.Kind]bool)
	for _, row := range refund.Transitions() {
		if seen[row.On] || len(row.From) == 0 || len(row.By) == 0 {
			t.Errorf("%s is there twice, or begins nowhere, or is nobody's", row.On)
		}
		seen[row.On] = true
		for _, from := range row.From {
			if from.Terminal() {
				t.Errorf("%s begins at an end, %s", row.On, from)
			}
		}
		if row.Guarded() != (row.Only() != "") {
			t.Errorf("%s: guarded %v, in words %q", row.On, row.Guarded(), row.Only())
		}
	}
}

// TestTimers_EveryStatusThatWaitsForNobodyOfOursHasOne: no case is forgotten.
func TestTimers_EveryStatusThatWaitsForNobodyOfOursHasOne(t *testing.T) {
	t.Parallel()
	for _, s := range refund.Statuses() {
		kind, running := refund.ByClock(s)
		if running == (s.Terminal() || s.WaitsForUs()) {
			t.Errorf("%s: ended %v, waits for us %v, and a clock runs: %v", s, s.Terminal(), s.WaitsForUs(), running)
		}
		if !running {
			continue
		}
		row, ok := refund.Find(kind)
		leads := false
		for _, to := range refund.Statuses() {
			leads = leads || ok && to != s && row.Leads(s, to)
		}
		if !leads {
			t.Errorf("in %s the clock does %s, which leads nowhere", s, kind)
		}
	}
	if !strings.Contains(refund.Table(), "| `negotiating` | `escalate` |") {
		t.Error("the document does not say what the clock does")
	}
}
