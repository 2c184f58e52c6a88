package local

import (
	"testing"
	"time"

	"flawmark/app/qc"
)

func TestTriesSurviveARestart(t *testing.T) {
	b := newBench(t)
	if all, err := b.Tries(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("%v, %v", all, err)
	}
	note := func(id qc.StaffID, tries qc.Tries) {
		t.Helper()
		if err := b.NoteTries(t.Context(), id, tries); err != nil {
			t.Fatal(err)
		}
	}
	note("u12", qc.Tries{Count: 6, Until: noon.Add(time.Minute)})
	note("", qc.Tries{Count: 2})
	note("u13", qc.Tries{Count: 1})
	note("u13", qc.Tries{})
	b.die()
	b.open()
	all, err := b.Tries(t.Context())
	if err != nil || len(all) != 2 || all[""].Count != 2 || all["u12"].Count != 6 || !all["u12"].Until.Equal(noon.Add(time.Minute)) {
		t.Errorf("%v, %v", all, err)
	}
	b.check()
}
