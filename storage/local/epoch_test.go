package local

import (
	"fmt"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// TestNewEpochKeepsEverything begins the log anew in the middle of its life,
// also with a death before the journal could follow.
func TestNewEpochKeepsEverything(t *testing.T) {
	for name, begin := range map[string]func(b *bench) error{
		"alive": func(b *bench) error { return b.BeginEpoch(t.Context()) },
		"ended in order": func(b *bench) error {
			err := b.BeginEpoch(t.Context())
			b.close()
			b.open()
			if b.recovery.Repaired() {
				t.Errorf("repaired: %+v", b.recovery)
			}
			return err
		},
		"killed in between": func(b *bench) error {
			err := b.update(t.Context(), func(tx *bbolt.Tx) error { return beginEpoch(tx, "another") })
			b.die()
			b.open()
			return err
		},
	} {
		for _, pruned := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, %d gone", name, pruned), func(t *testing.T) {
				b := newBench(t)
				for n := 1; n <= 4; n++ {
					b.record(n, []qc.Verdict{qc.Flag, qc.Pass}[n%2])
				}
				b.acknowledge(3, noon, qc.Receipt{Seq: 2, Status: qc.Rejected, Problem: "error.case_moved_on"})
				b.ship(b.finding(1, qc.Pass))
				if pruned > 0 {
					if _, err := b.Prune(t.Context(), noon.Add(time.Hour)); err != nil {
						t.Fatal(err)
					}
				}
				old, ids := b.Epoch(), b.recordedIDs()
				lanes, counts := fmt.Sprint(b.shipments()), b.counts()
				if err := begin(b); err != nil {
					t.Fatal(err)
				}
				if b.Epoch() == old {
					t.Error("the epoch is the old one")
				}
				if got := b.recordedIDs(); fmt.Sprint(got) != fmt.Sprint(ids) {
					t.Errorf("events %v, were %v", got, ids)
				}
				waiting := b.waiting()
				if len(waiting) != 4-pruned || waiting[0].Seq != 1 {
					t.Errorf("%d events wait, from %d", len(waiting), waiting[0].Seq)
				}
				if got := fmt.Sprint(b.shipments()); got != lanes {
					t.Errorf("shipments %s\nwere %s", got, lanes)
				}
				counts.EventsWaiting = 4 - pruned
				if got := b.counts(); got != counts {
					t.Errorf("counts %+v, were %+v", got, counts)
				}
				b.record(5, qc.Flag)
				// What was refused stays so, unless the centre now says otherwise.
				b.acknowledge(uint64(5-pruned), noon, qc.Receipt{Seq: uint64(2 - pruned), Status: qc.Duplicate})
				if got := b.counts(); got.Attention != 1 || got.EventsWaiting != 0 {
					t.Errorf("counts %+v", got)
				}
				b.check()
				b.die()
				b.open()
				if len(b.waiting()) != 0 || len(b.recordedIDs()) != 5-pruned {
					t.Errorf("after a kill: %v", b.recordedIDs())
				}
			})
		}
	}
}

func (b *bench) recordedIDs() []qc.FindingID {
	b.t.Helper()
	all, err := b.Recorded(b.t.Context(), 100)
	if err != nil {
		b.t.Fatal(err)
	}
	var ids []qc.FindingID
	for _, one := range all {
		ids = append(ids, one.Finding.ID)
	}
	return ids
}
