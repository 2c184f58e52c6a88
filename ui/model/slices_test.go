package model_test

import (
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Two cases of one item are two rows, each with its pieces and its own task,
// and the inspection is made for the one that waits for it.
func TestCases_TwoOfOneItem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store.Goods[0].Quantity = 3
	item := b.store.Goods[0].ID
	b.store.AllCases = []refund.Case{
		{ID: "back", Item: item, Finding: "F1", Round: 1, Quantity: 2, Status: refund.ReturnApproved, Version: 5, ChangedAt: monday},
		{ID: "closer", Item: item, Finding: "F1", Round: 1, Quantity: 1, Status: refund.PhotosRequested, Version: 3, ChangedAt: monday},
	}
	b.signIn("B0012")
	rows := b.Cases.Rows()
	if len(rows) != 2 {
		t.Fatalf("%d rows, want both cases", len(rows))
	}
	for _, row := range rows {
		want := map[qc.CaseID]qc.TaskKind{"back": qc.TaskSendBack, "closer": qc.TaskReinspect}[row.Case.ID]
		if row.Task.Kind != want || row.Pieces.IsZero() {
			t.Errorf("%s: task %s, pieces %v", row.Case.ID, row.Task.Kind, row.Pieces)
		}
	}
	b.open(string(item))
	if f := b.Inspection.Finding(); f.Case != "closer" || f.Round != 1 {
		t.Errorf("the inspection is for %q in round %d", f.Case, f.Round)
	}
}

// A look at a flag matters as long as it does to one of the cases on it.
func TestReviews_OfTwoCasesTheOneThatCanTakeIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store.AllCases = []refund.Case{
		{ID: "K1", Item: "20481-1", Finding: "F1", Status: refund.Kept}, {ID: "K2", Item: "20481-1", Finding: "F1", Status: refund.AwaitingDecision},
	}
	f := qc.Finding{ID: "F1", Revision: 1, Item: "20481-1", Round: 1, Verdict: qc.Flag, Inspector: "u12"}
	b.store.AllFlags = []qc.Standing{{Finding: f, Case: "K1"}}
	b.signIn("B0007")
	if rows := b.Reviews.Rows(); len(rows) != 1 || rows[0].Decided {
		t.Errorf("to look at: %+v", rows)
	}
}

// The third piece is looked at for what was wrong with the first and the second.
func TestInspection_RemembersEveryRound(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store.AllCases = []refund.Case{{ID: "K1", Item: "20481-1", Finding: "F2", Round: 3, Status: refund.Rechecking}}
	flag := func(id qc.FindingID, round int, codes ...qc.FlawCode) qc.Standing {
		f := qc.Finding{ID: id, Revision: 1, Item: "20481-1", Round: round, Verdict: qc.Flag, RecordedAt: monday.Add(time.Duration(round) * time.Hour)}
		for _, code := range codes {
			f.Flaws = append(f.Flaws, qc.Flaw{ID: qc.FlawID(code), Code: code, Zone: qc.ZoneB})
		}
		return qc.Standing{Finding: f, Case: "K1", At: f.RecordedAt}
	}
	wrong := flag("F0", 1, "T01")
	wrong.Review = &qc.Review{Finding: "F0", Revision: 1, Outcome: qc.Dismissed}
	other := flag("F9", 1, "E01")
	other.Finding.Item = "20481-2"
	b.store.AllFlags = []qc.Standing{wrong, flag("F1", 1, "H02", "H11"), flag("F2", 2, "H11", "F04"), other}
	b.signIn("B0012")
	b.open("20481-1")
	var codes []qc.FlawCode
	for _, flaw := range b.Inspection.Earlier() {
		codes = append(codes, flaw.Code)
	}
	if len(codes) != 3 || codes[0] != "H11" || codes[1] != "F04" || codes[2] != "H02" {
		t.Errorf("to look at first: %v", codes)
	}
}
