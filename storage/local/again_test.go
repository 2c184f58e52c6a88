package local

import (
	"slices"
	"testing"

	"flawmark/app/qc"
)

// shipAll has the centre take every file that waits.
func (b *bench) shipAll() {
	b.t.Helper()
	for _, s := range b.shipments() {
		if err := b.Shipped(b.t.Context(), s.Digest); err != nil {
			b.t.Fatal(err)
		}
	}
}

// wantWaiting checks that the files of those findings wait, as if they had just
// been recorded, and no others.
func (b *bench) wantWaiting(numbers ...int) {
	b.t.Helper()
	want := make(map[qc.Digest]bool)
	var size int64
	for _, n := range numbers {
		for _, p := range parcels(1, b.finding(n, qc.Flag)) {
			want[p.digest], size = true, size+p.bytes
		}
	}
	got := b.shipments()
	for _, s := range got {
		if !want[s.Digest] || s.Upload != "" || s.Offset != 0 {
			b.t.Errorf("it waits: %+v", s)
		}
	}
	if len(got) != len(want) {
		b.t.Errorf("%d files wait, want %d", len(got), len(want))
	}
	if !slices.IsSortedFunc(got, func(a, b qc.Shipment) int { return int(a.Lane - b.Lane) }) {
		b.t.Error("not by urgency")
	}
	if counts := b.counts(); counts.PhotosWaiting != 2*len(numbers) || counts.BytesWaiting != size {
		b.t.Errorf("counts %+v", counts)
	}
}

// TestRestoredCentreGetsItsFilesAgain follows a centre back to an old backup.
func TestRestoredCentreGetsItsFilesAgain(t *testing.T) {
	for name, test := range map[string]struct {
		restored func(b *bench) error
		want     []int
	}{
		"it expects an old event": {func(b *bench) error { return b.Rewind(t.Context(), 2) }, []int{2, 3}},
		"its feed began anew": {func(b *bench) error {
			return b.ApplyPage(t.Context(), qc.Page{Next: qc.Cursor{Epoch: "f2", Seq: 1}})
		}, []int{1, 2, 3}},
		"both": {func(b *bench) error {
			if err := b.Rewind(t.Context(), 3); err != nil {
				return err
			}
			return b.ApplyPage(t.Context(), qc.Page{Next: qc.Cursor{Epoch: "f2", Seq: 1}})
		}, []int{1, 2, 3}},
		"nothing happened": {func(b *bench) error {
			if err := b.Rewind(t.Context(), 4); err != nil {
				return err
			}
			return b.ApplyPage(t.Context(), qc.Page{Next: qc.Cursor{Epoch: "f1", Seq: 9}})
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			for n := 1; n <= 3; n++ {
				b.record(n, []qc.Verdict{qc.Flag, qc.Pass}[n%2])
			}
			if err := b.ApplyPage(t.Context(), qc.Page{Next: qc.Cursor{Epoch: "f1", Seq: 8}}); err != nil {
				t.Fatal(err)
			}
			b.wantWaiting(1, 2, 3) // the first feed of all takes nothing back
			b.acknowledge(3, noon)
			b.shipAll()
			b.wantWaiting()
			if err := test.restored(b); err != nil {
				t.Fatal(err)
			}
			b.wantWaiting(test.want...)
			b.check()
			b.shipAll()
			b.wantWaiting()
		})
	}
}

// TestOldFileOfNewEventTravelsAgain rewinds to a revision that names the photos
// of the one before it, and more urgently.
func TestOldFileOfNewEventTravelsAgain(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Pass)
	f := b.finding(1, qc.Flag)
	f.Revision = 2
	if _, err := b.Record(t.Context(), qc.FindingRecorded, "wang", noon, f); err != nil {
		t.Fatal(err)
	}
	b.acknowledge(2, noon)
	b.shipAll()
	if err := b.Rewind(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	b.wantWaiting(1)
	for _, s := range b.shipments() {
		if s.Lane > qc.LaneFlagged {
			t.Errorf("a flag's photo waits with the passes: %+v", s)
		}
	}
	// What the feed says of it ends the waiting, as ever.
	b.apply(qc.PhotoStored, qc.StoredPhoto{Digest: f.Photos[0].Digest})
	if counts := b.counts(); counts.PhotosWaiting != 1 || counts.PhotosTotal != 2 {
		t.Errorf("counts %+v", counts)
	}
}
