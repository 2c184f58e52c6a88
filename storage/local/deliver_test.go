package local

import (
	"errors"
	"fmt"
	"testing"

	"flawmark/app/qc"
)

func TestShipmentsTravelByUrgency(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Pass)
	b.record(2, qc.Flag)
	var got []string
	names := make(map[qc.Digest]string)
	for _, n := range []int{1, 2} {
		for p := range 2 {
			for _, kind := range []string{"p", "t", "o"} {
				name := fmt.Sprintf("%s%d-%d", kind, n, p)
				names[qc.DigestOf([]byte(name))] = name
			}
		}
	}
	for _, s := range b.shipments() {
		got = append(got, fmt.Sprintf("%d:%s", s.Lane, names[s.Digest]))
	}
	want := "[1:p2-0 1:p2-1 1:t2-0 1:t2-1 1:p1-0 1:p1-1 1:t1-0 1:t1-1 2:o2-0 2:o2-1 3:o1-0 3:o1-1]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if first, err := b.PendingShipments(t.Context(), 3); err != nil || len(first) != 3 {
		t.Errorf("three at most: %d, %v", len(first), err)
	}
}

func TestFilesAreSentOnce(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Pass)
	f := b.finding(1, qc.Pass)
	if err := b.Shipped(t.Context(), f.Photos[0].Digest, "unknown"); err != nil {
		t.Fatal(err)
	}
	b.apply(qc.PhotoStored, qc.StoredPhoto{Digest: f.Photos[0].Preview.Digest})
	b.apply(qc.PhotoStored, qc.StoredPhoto{Digest: f.Photos[0].Preview.Digest})
	if counts := b.counts(); counts.PhotosWaiting != 1 || counts.PhotosTotal != 2 || counts.BytesWaiting != 1120 {
		t.Errorf("counts %+v", counts)
	}
	// A second revision flags the item: what is left becomes urgent, what is
	// there is not sent again.
	f.Revision, f.Verdict = 2, qc.Flag
	if _, err := b.Record(t.Context(), qc.FindingRecorded, "wang", noon, f); err != nil {
		t.Fatal(err)
	}
	lanes := make(map[qc.Digest]qc.Lane)
	for _, s := range b.shipments() {
		lanes[s.Digest] = s.Lane
	}
	if len(lanes) != 4 || lanes[f.Photos[1].Digest] != qc.LaneFlagged {
		t.Errorf("lanes %v", lanes)
	}
	if counts := b.counts(); counts.PhotosWaiting != 1 || counts.BytesWaiting != 1120 {
		t.Errorf("counts %+v", counts)
	}
}

func TestProgressSurvives(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Flag)
	d := b.finding(1, qc.Flag).Photos[0].Digest
	if err := b.UploadProgress(t.Context(), d, "/uploads/7", 400); err != nil {
		t.Fatal(err)
	}
	if counts := b.counts(); counts.BytesWaiting != 2220-400 || counts.PhotosTotal != 2 {
		t.Errorf("counts %+v", counts)
	}
	b.die()
	b.open()
	for _, s := range b.shipments() {
		if s.Digest == d && (s.Upload != "/uploads/7" || s.Offset != 400) {
			t.Errorf("progress lost: %+v", s)
		}
	}
	if err := b.UploadProgress(t.Context(), "unknown", "x", 1); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("unknown file: %v", err)
	}
	if err := b.Shipped(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if err := b.UploadProgress(t.Context(), d, "/uploads/7", 500); err != nil { // a late word
		t.Error(err)
	}
	if counts := b.counts(); counts.BytesWaiting != 1220 {
		t.Errorf("counts %+v", counts)
	}
}

func TestDeliveryTellsTheTruth(t *testing.T) {
	b := newBench(t)
	for n := range 3 {
		b.record(n, qc.Flag)
	}
	head := b.waiting()[1].Hash
	ack := qc.Ack{Through: 2, Head: head, Receipts: []qc.Receipt{
		{Seq: 1, Status: qc.Applied}, {Seq: 2, Status: qc.Rejected, Problem: "problem.unknown_item"},
	}}
	if err := b.Acknowledge(t.Context(), ack, noon); err != nil {
		t.Fatal(err)
	}
	deliveries := func() string {
		t.Helper()
		all, err := b.Recorded(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, r := range all {
			text = append(text, fmt.Sprintf("%d:%s:%d/%d:%d/%d%s", r.Seq, r.Delivery, r.PhotosSent, r.Photos, r.BytesSent, r.Bytes, r.Problem))
		}
		return fmt.Sprint(text)
	}
	want := "[3:here:0/2:0/2220 2:attention:0/2:0/2220problem.unknown_item 1:sending:0/2:0/2220]"
	if got := deliveries(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, p := range b.finding(0, qc.Flag).Photos {
		if err := b.Shipped(t.Context(), p.Digest, p.Preview.Digest, p.Thumb.Digest); err != nil {
			t.Fatal(err)
		}
	}
	want = "[3:here:0/2:0/2220 2:attention:0/2:0/2220problem.unknown_item 1:accepted:2/2:2220/2220]"
	if got := deliveries(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if counts := b.counts(); counts.EventsWaiting != 1 || counts.Attention != 1 {
		t.Errorf("counts %+v", counts)
	}
	// The centre was restored: it gets the second again and knows it this time.
	if err := b.Rewind(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if counts := b.counts(); counts.EventsWaiting != 2 {
		t.Errorf("counts %+v", counts)
	}
	ack.Receipts = []qc.Receipt{{Seq: 2, Status: qc.Applied}}
	if err := b.Acknowledge(t.Context(), ack, noon); err != nil {
		t.Fatal(err)
	}
	if counts := b.counts(); counts.Attention != 0 {
		t.Errorf("counts %+v", counts)
	}
}

func TestForksAreRefused(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Pass)
	for name, ack := range map[string]qc.Ack{
		"more than we have": {Through: 2, Head: qc.ChainStart},
		"other hash":        {Through: 1, Head: qc.ChainStart},
	} {
		if err := b.Acknowledge(t.Context(), ack, noon); !errors.Is(err, ErrFork) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, expected := range []uint64{0, 3} {
		if err := b.Rewind(t.Context(), expected); !errors.Is(err, ErrFork) {
			t.Errorf("rewind to %d: %v", expected, err)
		}
	}
	if counts := b.counts(); counts.EventsWaiting != 1 {
		t.Errorf("counts %+v", counts)
	}
}

func TestBatchesKeepTheirLimits(t *testing.T) {
	b := newBench(t)
	if batch, err := b.PendingBatch(t.Context(), 10, 1000); err != nil || len(batch.Events) != 0 {
		t.Errorf("nothing recorded: %+v, %v", batch, err)
	}
	for n := range 5 {
		b.record(n, qc.Pass)
	}
	size := 0
	if batch, err := b.PendingBatch(t.Context(), 3, 1<<20); err != nil || len(batch.Events) != 3 || batch.Epoch != b.Epoch() {
		t.Errorf("three at most: %d, %v", len(batch.Events), err)
	} else {
		size = len(batch.Events[0]) + len(batch.Events[1])
	}
	if batch, err := b.PendingBatch(t.Context(), 10, size); err != nil || len(batch.Events) != 2 {
		t.Errorf("%d bytes at most: %d events, %v", size, len(batch.Events), err)
	}
	if batch, err := b.PendingBatch(t.Context(), 10, 1); err != nil || len(batch.Events) != 1 {
		t.Errorf("always one: %d, %v", len(batch.Events), err)
	}
}
