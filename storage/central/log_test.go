package central_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

func (open opener) testLogIsAppliedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	b := w.bench
	batch := qc.Batch{Epoch: b.epoch, First: 1, Prev: qc.ChainStart}
	for i := range 3 {
		one := b.seal(qc.FindingRecorded, "u12", b.pass(qc.FindingID(fmt.Sprint("f", i)), "20481-1"))
		batch.Events = append(batch.Events, one.Events...)
	}
	broken := b.seal(qc.FindingRecorded, "u12", b.pass("x", "no such item"))
	batch.Events = append(batch.Events, broken.Events...)
	ack, err := w.ApplyEvents(t.Context(), b.id, batch, noon)
	w.must(err)
	if got := statuses(ack); !slices.Equal(got, []qc.ReceiptStatus{qc.Applied, qc.Applied, qc.Applied, qc.Rejected}) {
		t.Fatalf("first time: %v", got)
	}
	before, err := w.Stats(t.Context())
	w.must(err)

	ack, err = w.ApplyEvents(t.Context(), b.id, batch, noon)
	w.must(err)
	if got := statuses(ack); !slices.Equal(got, []qc.ReceiptStatus{qc.Duplicate, qc.Duplicate, qc.Duplicate, qc.Rejected}) {
		t.Fatalf("second time: %v", got)
	}
	if ack.Through != 4 || ack.Head != b.head || ack.Receipts[3].Problem != "error.order_unknown" {
		t.Errorf("second answer %+v", ack)
	}
	after, err := w.Stats(t.Context())
	w.must(err)
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("a repeated batch changed %+v to %+v", before, after)
	}
	// An overlap: the last known event with a new one.
	next := b.seal(qc.FindingRecorded, "u12", b.pass("f9", "20481-2"))
	batch = qc.Batch{Epoch: b.epoch, First: 3, Prev: hashOf(t, batch, 2), Events: append(slices.Clone(batch.Events[2:]), next.Events...)}
	ack, err = w.ApplyEvents(t.Context(), b.id, batch, noon)
	w.must(err)
	if got := statuses(ack); !slices.Equal(got, []qc.ReceiptStatus{qc.Duplicate, qc.Rejected, qc.Applied}) {
		t.Fatalf("overlap: %v", got)
	}
	station, err := w.Station(t.Context(), b.id)
	w.must(err)
	if station.AckedSeq != 5 || station.Head != b.head || station.Epoch != b.epoch {
		t.Errorf("station %+v", station)
	}
	w.sound()
}

func statuses(ack qc.Ack) []qc.ReceiptStatus {
	var all []qc.ReceiptStatus
	for _, r := range ack.Receipts {
		all = append(all, r.Status)
	}
	return all
}

// hashOf returns the hash of the n-th event of a batch that begins a log.
func hashOf(t *testing.T, batch qc.Batch, n int) qc.ChainHash {
	t.Helper()
	head := qc.ChainStart
	for _, sealed := range batch.Events[:n] {
		e, err := qc.OpenEvent(sealed, head)
		if err != nil {
			t.Fatal(err)
		}
		head = e.Hash
	}
	return head
}

func (open opener) testLogForksAndGaps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	b := w.bench
	b.applied(noon, qc.FindingRecorded, "u12", b.pass("f1", "20481-1"))
	first := *b

	lost := b.seal(qc.FindingRecorded, "u12", b.pass("f2", "20481-1"))
	after := b.seal(qc.FindingRecorded, "u12", b.pass("f3", "20481-1"))
	_, err := w.ApplyEvents(t.Context(), b.id, after, noon)
	var gap *central.Gap
	if !errors.As(err, &gap) || gap.Expected != 2 {
		t.Fatalf("a missing event: %v", err)
	}
	w.must(func() error { _, err := w.ApplyEvents(t.Context(), b.id, lost, noon); return err }())

	other := first // the station's disk went back in time and it said something else
	fork := other.seal(qc.FindingRecorded, "u12", b.pass("f4", "20481-1"))
	_, err = w.ApplyEvents(t.Context(), b.id, fork, noon)
	wantErr(t, err, central.ErrFork)
	fork = other.seal(qc.FindingRecorded, "u12", b.pass("f5", "20481-1"))
	_, err = w.ApplyEvents(t.Context(), b.id, fork, noon)
	wantErr(t, err, central.ErrFork)

	tampered := after
	tampered.Events = [][]byte{append([]byte(nil), after.Events[0]...)}
	at := len(tampered.Events[0]) / 2
	for tampered.Events[0][at] < 'a' || tampered.Events[0][at] > 'y' {
		at++
	}
	tampered.Events[0][at]++
	_, err = w.ApplyEvents(t.Context(), b.id, tampered, noon)
	if !errors.Is(err, central.ErrFork) && !errors.Is(err, central.ErrBatch) {
		t.Fatalf("a tampered event: %v", err)
	}
	_, err = w.ApplyEvents(t.Context(), b.id, qc.Batch{Epoch: b.epoch, First: 3, Prev: first.head, Events: [][]byte{[]byte("{")}}, noon)
	wantErr(t, err, central.ErrFork)
	_, err = w.ApplyEvents(t.Context(), b.id, qc.Batch{Epoch: b.epoch, First: 3, Prev: after.Prev, Events: [][]byte{[]byte("{")}}, noon)
	wantErr(t, err, central.ErrBatch)
	_, err = w.ApplyEvents(t.Context(), "st-unknown", after, noon)
	wantErr(t, err, qc.ErrNotFound)

	// A new epoch begins at one; what is carried over from the old has no second effect.
	renewed := &bench{w: w, id: b.id, epoch: "renewed", head: qc.ChainStart}
	renewed.applied(noon, qc.FindingRecorded, "u12", b.pass("f7", "20481-1"))
	ack, err := w.ApplyEvents(t.Context(), b.id, after, noon) // the old epoch may still finish
	w.must(err)
	if got := statuses(ack); got[0] != qc.Applied {
		t.Errorf("old epoch: %v", got)
	}
	w.sound()

	w.must(w.RevokeStation(t.Context(), b.id, noon))
	_, err = w.ApplyEvents(t.Context(), b.id, qc.Batch{Epoch: b.epoch}, noon)
	wantErr(t, err, central.ErrRevoked)
}

func (open opener) testRefusalsLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	before, err := w.Stats(t.Context())
	w.must(err)
	tests := map[string]struct {
		want string
		kind qc.EventKind
		by   qc.StaffID
		data func() any
	}{
		"unknown item":       {"error.order_unknown", qc.FindingRecorded, "u12", func() any { return w.bench.flag("r1", "nothing") }},
		"other inspector":    {"error.not_allowed", qc.FindingRecorded, "lead7", func() any { return w.bench.flag("r2", "20481-1") }},
		"a clerk inspects":   {"error.not_allowed", qc.FindingRecorded, "clerk3", func() any { return w.bench.flag("r3", "20481-1") }},
		"nobody known":       {"error.not_allowed", qc.FindingRecorded, "u99", func() any { return w.bench.flag("r4", "20481-1") }},
		"no photo":           {"error.finding_no_photo", qc.FindingRecorded, "u12", func() any { f := w.bench.flag("r5", "20481-1"); f.Photos = nil; return f }},
		"no flaw":            {"error.finding_no_flaw", qc.FindingRecorded, "u12", func() any { f := w.bench.flag("r6", "20481-1"); f.Flaws, f.Marks = nil, nil; return f }},
		"too many pieces":    {"error.finding_flaw_quantity", qc.FindingRecorded, "u12", func() any { f := w.bench.flag("r7", "20481-1"); f.Flaws[0].Quantity = 2; return f }},
		"not redacted":       {"error.finding_redactions", qc.FindingRecorded, "u12", func() any { f := w.bench.flag("r9", "20481-1"); f.Photos[0].Redactions = qc.DigestOf(nil); return f }},
		"scale of nothing":   {"error.finding_scale", qc.FindingRecorded, "u12", func() any { f := w.bench.flag("r10", "20481-1"); f.Photos[0].Scale.MMPerPixel = -1; return f }},
		"digest is a path":   {"error.finding_no_photo", qc.FindingRecorded, "u12", func() any { f := w.bench.flag("r8", "20481-1"); f.Photos[0].Thumb.Digest = "../../etc"; return f }},
		"other station":      {"error.not_allowed", qc.FindingRecorded, "u12", func() any { f := w.bench.flag("r9", "20481-1"); f.Station = "st-other"; return f }},
		"no verdict":         {"error.event_unknown", qc.FindingRecorded, "u12", func() any { f := w.bench.flag("r0", "20481-1"); f.Verdict = "perhaps"; return f }},
		"unknown kind":       {"error.event_unknown", "item.sold", "u12", func() any { return struct{}{} }},
		"wrong shape":        {"error.event_unknown", qc.FindingRecorded, "u12", func() any { return []int{1} }},
		"unknown case":       {"error.case_moved_on", qc.ReturnDispatched, "u12", func() any { return qc.Dispatch{Case: "x", Waybill: "SF1234567890"} }},
		"no waybill":         {"error.waybill_invalid", qc.ReturnDispatched, "u12", func() any { return qc.Dispatch{Case: "x", Waybill: "hello"} }},
		"arrival of nothing": {"error.case_moved_on", qc.ReplacementArrived, "u12", func() any { return qc.Arrival{Case: "x", Waybill: "SF1234567890"} }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { w.bench.refused(test.want, test.kind, test.by, test.data()) })
	}
	after, err := w.Stats(t.Context())
	w.must(err)
	after.Events, after.Rejected = after.Events-len(tests), after.Rejected-len(tests)
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("refused events left something behind:\n%+v\n%+v", before, after)
	}
	w.sound()
}

func (open opener) testMoneyOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	choose := refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: noon}
	first, err := w.Act(t.Context(), c.ID, c.Version, choose, "k1")
	w.must(err)
	again, err := w.Act(t.Context(), c.ID, c.Version, choose, "k1")
	w.must(err)
	if again.Version != first.Version {
		t.Errorf("same key: version %d, then %d", first.Version, again.Version)
	}
	_, err = w.Act(t.Context(), c.ID, 0, refund.Event{Kind: refund.ChoseKeep, Actor: customer, At: noon}, "k1")
	wantErr(t, err, central.ErrKeyReused)
	_, err = w.Act(t.Context(), c.ID, c.Version, choose, "")
	var conflict *central.Conflict
	if !errors.As(err, &conflict) || conflict.Case.Version != first.Version {
		t.Fatalf("old version: %v", err)
	}
	_, err = w.Act(t.Context(), c.ID, 0, choose, "")
	wantErr(t, err, refund.ErrNotNow)
	_, err = w.Act(t.Context(), "no such case", 0, choose, "")
	wantErr(t, err, qc.ErrNotFound)

	w.act(c.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	paid := refund.Event{Kind: refund.SellerPaid, Actor: clerk, At: noon, Amount: money.Fen(40100), SellerRef: "R-77"}
	done := w.act(c.ID, paid)
	same, err := w.Act(t.Context(), c.ID, 1, paid, "another key")
	w.must(err)
	if same.Version != done.Version {
		t.Errorf("the same money changed the case")
	}
	_, err = w.Act(t.Context(), c.ID, done.Version, paid, "another instalment")
	wantErr(t, err, central.ErrSellerRef) // entered by somebody who sees that it was booked
	paid.Amount = money.Fen(1)
	_, err = w.Act(t.Context(), c.ID, 0, paid, "")
	wantErr(t, err, central.ErrSellerRef)

	f := w.bench.flag("g1", "20481-1")
	w.store(f.Photos[0].Preview.Digest)
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	open2, err := w.Cases(t.Context(), central.CaseFilter{Open: true})
	w.must(err)
	w.act(open2[0].ID, choose)
	w.act(open2[0].ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	paid.Amount = money.Fen(47100)
	_, err = w.Act(t.Context(), open2[0].ID, 0, paid, "")
	wantErr(t, err, central.ErrSellerRef)
	balance, err := w.Balance(t.Context(), "C-1001")
	w.must(err)
	if balance != money.Fen(40100) {
		t.Errorf("balance %s", balance)
	}
	w.sound()
}

func (open opener) testManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedReturn, Actor: clerk})
	sent := w.bench.seal(qc.ReturnDispatched, "u12", qc.Dispatch{Case: c.ID, Carrier: "SF", Waybill: "SF9876543210123", By: "u12"})
	var applied atomic.Int64
	together(t, 50, func(int) error {
		ack, err := w.ApplyEvents(t.Context(), w.bench.id, sent, noon)
		if err == nil && ack.Receipts[0].Status == qc.Applied {
			applied.Add(1)
		}
		return err
	})
	if applied.Load() != 1 {
		t.Errorf("one event was applied %d times", applied.Load())
	}
	c = w.act(c.ID, refund.Event{Kind: refund.SellerReceived, Actor: clerk})
	together(t, 50, func(i int) error {
		key := ""
		if i%2 == 0 {
			key = fmt.Sprint("click ", i%4)
		}
		_, err := w.Act(t.Context(), c.ID, c.Version,
			refund.Event{Kind: refund.SellerPaid, Actor: clerk, At: noon, Amount: money.Fen(40100), SellerRef: "R-1"}, key)
		return err
	})
	balance, err := w.Balance(t.Context(), "C-1001")
	w.must(err)
	if balance != money.Fen(40100) {
		t.Errorf("credited %s", balance)
	}
	w.status(refund.Credited)
	w.sound()
}

// together runs do n times at once and fails the test on any error.
func together(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			if err := do(i); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// A page is bounded in bytes, too: a station on a bad line gets it whole.
func (open opener) testFeedPagesAreSmall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	order := qc.Order{ID: "big", Customer: qc.Customer{ID: "C-9", Name: "Bo"}}
	for i := range 9 {
		item := sampleOrder().Items[0]
		item.ID, item.Order, item.CustomerNote = qc.ItemID(fmt.Sprint("big-", i)), "big", strings.Repeat("x", 1<<20)
		if i == 4 {
			item.CustomerNote = strings.Repeat("x", 6<<20) // larger than a page, and comes all the same
		}
		order.Items = append(order.Items, item)
	}
	_, err := w.ImportOrders(t.Context(), []qc.Order{order}, noon)
	w.must(err)
	var after qc.Cursor
	items := 0
	for page := (qc.Page{}); !page.UpToDate; after = page.Next {
		page, err = w.Changes(t.Context(), after, 500)
		w.must(err)
		bytes := 0
		for _, c := range page.Changes {
			bytes += len(c.Data)
			if c.Kind == qc.ItemChanged {
				items++
			}
		}
		if bytes > 4<<20 && len(page.Changes) > 1 {
			t.Errorf("a page of %d changes has %d bytes", len(page.Changes), bytes)
		}
		if len(page.Changes) == 0 && !page.UpToDate || items > 12 {
			t.Fatal("the feed does not end")
		}
	}
	if items != 12 {
		t.Errorf("%d items came, want 12", items)
	}
}

func (open opener) testFeedMissesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	const writers, each = 6, 40
	ticks, stop := w.Watch()
	defer stop()
	written := make(chan struct{})
	go func() { // ends with the writers
		defer close(written)
		together(t, writers, func(i int) error {
			for j := range each {
				d := qc.DigestOf(fmt.Appendf(nil, "photo %d of %d", j, i))
				if err := w.BlobStored(t.Context(), d, 1, "image/jpeg", noon); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	seen := make(map[int64]bool)
	photos := 0
	var after qc.Cursor
	for last := false; ; {
		page, err := w.Changes(t.Context(), after, 3)
		w.must(err)
		for _, c := range page.Changes {
			if seen[c.Seq] {
				t.Fatalf("change %d twice", c.Seq)
			}
			seen[c.Seq] = true
			if c.Kind == qc.PhotoStored {
				photos++
			}
		}
		after = page.Next
		if !page.UpToDate {
			continue
		}
		if last {
			break
		}
		select {
		case <-ticks:
		case <-written:
			last = true
		}
	}
	if photos != writers*each {
		t.Errorf("a reader saw %d changes, %d were written", photos, writers*each)
	}
	_, err := w.Changes(t.Context(), qc.Cursor{Epoch: "another life", Seq: 1}, 10)
	wantErr(t, err, central.ErrCursorGone)
	_, err = w.Changes(t.Context(), qc.Cursor{Epoch: after.Epoch, Seq: after.Seq + 1000}, 10)
	wantErr(t, err, central.ErrCursorGone)
	w.sound()
}

func (open opener) testWatchTicks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	ticks, stop := w.Watch()
	w.store(qc.DigestOf([]byte("a")))
	<-ticks
	w.must(w.DropUpload(t.Context(), "nothing")) // changes no feed
	stop()
	w.store(qc.DigestOf([]byte("b")))
	select {
	case <-ticks:
		t.Error("a tick after nothing, or after the end")
	default:
	}
}
