package local

import (
	"errors"
	"os"
	"testing"
	"time"

	"flawmark/app/qc"
)

func (b *bench) acknowledge(through uint64, at time.Time, receipts ...qc.Receipt) {
	b.t.Helper()
	if err := b.Acknowledge(b.t.Context(), qc.Ack{Through: through, Receipts: receipts}, at); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) ship(f qc.Finding) {
	b.t.Helper()
	for _, p := range parcels(1, f) {
		if err := b.Shipped(b.t.Context(), p.digest); err != nil {
			b.t.Fatal(err)
		}
	}
}

func TestPruneForgetsOnlyWhatNobodyNeeds(t *testing.T) {
	for name, test := range map[string]struct {
		arrange func(*bench)
		gone    int // of three findings
	}{
		"nothing answered":       {func(*bench) {}, 0},
		"all answered and there": {func(b *bench) { b.acknowledge(3, noon); b.ship(b.finding(1, "")) }, 3},
		"third not answered":     {func(b *bench) { b.acknowledge(2, noon); b.ship(b.finding(1, "")) }, 2},
		"second answered lately": {func(b *bench) {
			b.acknowledge(1, noon)
			b.acknowledge(3, noon.Add(15*24*time.Hour))
			b.ship(b.finding(1, ""))
		}, 1},
		"second refused": {func(b *bench) {
			b.acknowledge(3, noon, qc.Receipt{Seq: 2, Status: qc.Rejected})
			b.ship(b.finding(1, ""))
		}, 1},
		"photos of the second wait": {func(b *bench) { b.acknowledge(3, noon) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.journal.limit = 1 // a segment for each
			for n := range 3 {
				b.record(n, qc.Flag)
			}
			b.ship(b.finding(0, ""))
			b.ship(b.finding(2, ""))
			test.arrange(b)
			freed, err := b.Prune(t.Context(), noon.Add(14*24*time.Hour))
			if err != nil || len(freed) != 6*test.gone {
				t.Fatalf("%d files freed, %v", len(freed), err)
			}
			b.check()
			if all, err := b.Recorded(t.Context(), 10); err != nil || len(all) != 3-test.gone {
				t.Errorf("%d entries left, %v", len(all), err)
			}
			if err := b.Rewind(t.Context(), uint64(test.gone)); test.gone > 0 && !errors.Is(err, ErrFork) {
				t.Errorf("rewind to what is gone: %v", err)
			}
			b.record(3, qc.Pass)
			for range 2 { // once with the database, once out of the journal
				b.die()
				b.open()
				b.check()
				if err := b.Rewind(t.Context(), uint64(test.gone+1)); err != nil {
					t.Fatal(err)
				}
				if left := len(b.waiting()); left < 4-test.gone {
					t.Errorf("%d events left; %+v", left, b.recovery)
				}
				if err := os.Truncate(b.path(dbName), 100); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestPruneKeepsFilesOfLaterRevisions(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Pass)
	b.record(1, qc.Flag)
	b.ship(b.finding(1, ""))
	b.acknowledge(1, noon)
	if freed, err := b.Prune(t.Context(), noon.Add(time.Hour)); err != nil || len(freed) != 0 {
		t.Errorf("freed %v, %v", freed, err)
	}
	if all, err := b.Recorded(t.Context(), 10); err != nil || len(all) != 1 || all[0].PhotosSent != 2 {
		t.Errorf("left %+v, %v", all, err)
	}
	b.acknowledge(2, noon)
	if freed, err := b.Prune(t.Context(), noon.Add(time.Hour)); err != nil || len(freed) != 6 {
		t.Errorf("freed %v, %v", freed, err)
	}
}
