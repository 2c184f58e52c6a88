package local

import (
	"testing"

	"flawmark/app/qc"
)

// TestCarriedIsBesideTheLog takes what another station sealed: it waits and is
// counted, survives a restart, and its own log never hears of it.
func TestCarriedIsBesideTheLog(t *testing.T) {
	origin, b := newBench(t), newBench(t)
	origin.record(1, qc.Flag)
	origin.record(2, qc.Pass)
	b.record(1, qc.Flag) // the same photos were taken here, too
	batch, err := origin.PendingBatch(t.Context(), 500, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	first := batch
	first.Events = batch.Events[:1]
	signed := []qc.SignedBatch{
		{Station: "s2", Batch: first, Signature: []byte("1")},
		{Station: "s2", Batch: qc.Batch{Epoch: batch.Epoch, First: 2, Prev: "x", Events: batch.Events[1:]}, Signature: []byte("2")},
	}
	before := b.counts()
	for range 2 { // the same stick twice
		if err := b.Carry(t.Context(), signed, origin.shipments()); err != nil {
			t.Fatal(err)
		}
	}
	after := b.counts()
	if after.EventsWaiting != before.EventsWaiting+2 || after.PhotosWaiting != before.PhotosWaiting+2 || len(b.waiting()) != 1 {
		t.Errorf("%+v, then %+v", before, after)
	}
	b.close()
	b.open()
	carried, err := b.Carried(t.Context(), 10)
	if err != nil || len(carried) != 2 || carried[0].Batch.First != 1 || carried[1].Batch.First != 2 || string(carried[1].Signature) != "2" {
		t.Fatalf("%+v, %v", carried, err)
	}
	if got := b.shipments(); len(got) != 12 || got[0].Lane != qc.LanePreview {
		t.Errorf("%d files wait", len(got))
	}
	if err := b.BeginEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all []qc.Digest
	for _, s := range b.shipments() {
		all = append(all, s.Digest)
	}
	if err := b.Shipped(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	for _, one := range carried {
		if err := b.Delivered(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	if counts := b.counts(); counts.EventsWaiting != 1 || counts.PhotosWaiting != 0 || counts.BytesWaiting != 0 {
		t.Errorf("in the end %+v", counts)
	}
	files, err := b.Files(t.Context())
	if err != nil || len(files) != 6 {
		t.Errorf("%d files are remembered, %v", len(files), err)
	}
	b.check()
}
