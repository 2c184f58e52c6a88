package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

// bench is a station's directory under test.
type bench struct {
	*Store
	t        testing.TB
	dir      string
	recovery Recovery
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	b.open()
	t.Cleanup(func() {
		if b.Store != nil {
			_ = b.Close()
		}
	})
	return b
}

func (b *bench) open() {
	b.t.Helper()
	b.recovery = Recovery{}
	s, err := Open(b.dir, Options{Now: now, Recovered: func(r Recovery) { b.recovery = r }})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Store = s
}

func (b *bench) close() {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.Store = nil
}

// die drops the store as a kill would: nothing is noted as ended in order.
func (b *bench) die() {
	b.t.Helper()
	if err := b.release(); err != nil {
		b.t.Fatal(err)
	}
	b.Store = nil
}

func (b *bench) path(name ...string) string {
	return filepath.Join(append([]string{b.dir}, name...)...)
}

func (b *bench) finding(n int, verdict qc.Verdict) qc.Finding {
	f := qc.Finding{
		ID: qc.FindingID(fmt.Sprintf("f%d", n)), Revision: 1, Item: qc.ItemID(fmt.Sprintf("item-%d", n)),
		Verdict: verdict, Inspector: "wang", RecordedAt: noon,
	}
	for p := range 2 {
		name := fmt.Sprintf("%d-%d", n, p)
		f.Photos = append(f.Photos, qc.Photo{
			ID: qc.PhotoID(name), Digest: qc.DigestOf([]byte("o" + name)), Bytes: 1000, MediaType: "image/jpeg",
			Preview: qc.Derivative{Digest: qc.DigestOf([]byte("p" + name)), Bytes: 100},
			Thumb:   qc.Derivative{Digest: qc.DigestOf([]byte("t" + name)), Bytes: 10},
		})
	}
	return f
}

func (b *bench) record(n int, verdict qc.Verdict) qc.Event {
	b.t.Helper()
	event, err := b.Record(b.t.Context(), qc.FindingRecorded, "wang", noon, b.finding(n, verdict))
	if err != nil {
		b.t.Fatal(err)
	}
	return event
}

func (b *bench) counts() Counts {
	b.t.Helper()
	counts, err := b.Counts(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return counts
}

func (b *bench) shipments() []qc.Shipment {
	b.t.Helper()
	all, err := b.PendingShipments(b.t.Context(), 1<<20)
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// waiting opens the chain of all events that wait and returns them.
func (b *bench) waiting() []qc.Event {
	b.t.Helper()
	batch, err := b.PendingBatch(b.t.Context(), 1<<20, 1<<30)
	if err != nil {
		b.t.Fatal(err)
	}
	var events []qc.Event
	prev := batch.Prev
	for i, sealed := range batch.Events {
		event, err := qc.OpenEvent(sealed, prev)
		if err != nil || event.Seq != batch.First+uint64(i) {
			b.t.Fatalf("event %d of the batch from %d: number %d, %v", i, batch.First, event.Seq, err)
		}
		events, prev = append(events, event), event.Hash
	}
	return events
}

func (b *bench) check() {
	b.t.Helper()
	if err := b.Check(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) apply(kind qc.ChangeKind, data any) {
	b.t.Helper()
	body, err := json.Marshal(data)
	if err != nil {
		b.t.Fatal(err)
	}
	cursor, err := b.Cursor(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	page := qc.Page{
		Changes: []qc.Change{{Seq: cursor.Seq + 1, Kind: kind, Data: body}},
		Next:    qc.Cursor{Epoch: "centre", Seq: cursor.Seq + 1},
	}
	if err := b.ApplyPage(b.t.Context(), page); err != nil {
		b.t.Fatal(err)
	}
}

func TestRecordNumbersAndChains(t *testing.T) {
	b := newBench(t)
	for n := range 5 {
		if event := b.record(n, qc.Pass); event.Seq != uint64(n+1) || event.Kind != qc.FindingRecorded || event.By != "wang" {
			t.Fatalf("event %d: %+v", n, event)
		}
	}
	epoch := b.Epoch()
	b.close()
	b.open()
	if b.recovery.Repaired() || b.Epoch() != epoch {
		t.Errorf("after a clean end: %+v, epoch %s, was %s", b.recovery, b.Epoch(), epoch)
	}
	b.record(5, qc.Flag)
	if events := b.waiting(); len(events) != 6 {
		t.Errorf("%d events wait", len(events))
	}
	b.check()
}

func TestRecordRefusesWhatIsNoFinding(t *testing.T) {
	b := newBench(t)
	if _, err := b.Record(t.Context(), qc.FindingRecorded, "wang", noon, "text"); err == nil {
		t.Error("recorded")
	}
	if event := b.record(1, qc.Pass); event.Seq != 1 {
		t.Errorf("a number was lost: %d", event.Seq)
	}
}

func TestRecordEndsTheDraft(t *testing.T) {
	b := newBench(t)
	for n := range 2 {
		if err := b.SaveDraft(t.Context(), qc.Draft{Finding: b.finding(n, ""), UpdatedAt: noon}); err != nil {
			t.Fatal(err)
		}
	}
	b.record(0, qc.Pass)
	if _, err := b.Draft(t.Context(), "item-0"); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("draft of the recorded item: %v", err)
	}
	if draft, err := b.Draft(t.Context(), "item-1"); err != nil || draft.Finding.ID != "f1" {
		t.Errorf("the other draft: %+v, %v", draft, err)
	}
	if err := b.DropDraft(t.Context(), "item-1"); err != nil {
		t.Fatal(err)
	}
	if drafts, err := b.Drafts(t.Context()); err != nil || len(drafts) != 0 {
		t.Errorf("drafts left: %v, %v", drafts, err)
	}
}

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

func TestFeedIsKept(t *testing.T) {
	b := newBench(t)
	item := qc.Item{ID: "20481-2", Order: "A-20481", Waybill: "SF1234567890", Quantity: 1}
	b.apply(qc.ItemChanged, item)
	b.apply(qc.ItemChanged, qc.Item{ID: "20481-20", Order: "a-20481"})
	b.apply(qc.StaffChanged, qc.Staff{ID: "wang", Name: "王芳"})
	b.apply(qc.CaseChanged, refund.Case{ID: "c1", Item: item.ID, ChangedAt: noon})
	b.apply(qc.CaseChanged, refund.Case{ID: "c2", ChangedAt: noon.Add(time.Hour)})
	b.apply(qc.StandingChanged, qc.Standing{Finding: qc.Finding{ID: "f1"}, Item: item, Case: "c1", At: noon})
	b.apply("news.of.tomorrow", 7)
	b.apply(qc.StaffChanged, "no person")
	for query, want := range map[string]int{
		"20481-2": 1, "a-20481": 2, " sf1234567890 ": 1, "20481": 0, "": 0, "20481-": 0,
	} {
		if found, err := b.FindItems(t.Context(), query); err != nil || len(found) != want {
			t.Errorf("FindItems(%q) = %d, %v; want %d", query, len(found), err, want)
		}
	}
	item.Waybill = "YT0000000001"
	b.apply(qc.ItemChanged, item)
	if found, _ := b.FindItems(t.Context(), "SF1234567890"); len(found) != 0 {
		t.Errorf("found by the old waybill: %v", found)
	}
	b.close()
	b.open()
	if got, err := b.Item(t.Context(), "20481-2"); err != nil || got.Waybill != item.Waybill {
		t.Errorf("item %+v, %v", got, err)
	}
	if items, err := b.Items(t.Context()); err != nil || len(items) != 2 {
		t.Errorf("items %v, %v", items, err)
	}
	if staff, err := b.Staff(t.Context()); err != nil || len(staff) != 1 || staff[0].Name != "王芳" {
		t.Errorf("staff %v, %v", staff, err)
	}
	if cases, err := b.Cases(t.Context()); err != nil || len(cases) != 2 || cases[0].ID != "c2" {
		t.Errorf("cases %v, %v", cases, err)
	}
	if _, err := b.Case(t.Context(), "c9"); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("unknown case: %v", err)
	}
	if standings, err := b.Standings(t.Context()); err != nil || len(standings) != 1 {
		t.Errorf("standings %v, %v", standings, err)
	}
	if policy, err := b.Policy(t.Context()); err != nil || policy != qc.DefaultReviewPolicy() {
		t.Errorf("policy %v, %v", policy, err)
	}
	b.apply(qc.PolicyChanged, qc.ReviewPolicy{Unsure: true, ValueOver: money.Fen(500_00)})
	if policy, err := b.Policy(t.Context()); err != nil || policy != (qc.ReviewPolicy{Unsure: true, ValueOver: money.Fen(500_00)}) {
		t.Errorf("policy %v, %v", policy, err)
	}
	if cursor, err := b.Cursor(t.Context()); err != nil || cursor.Seq != 10 {
		t.Errorf("cursor %v, %v", cursor, err)
	}
	// A review names only the finding; the rest is known from the centre.
	if _, err := b.Record(t.Context(), qc.ReviewGiven, "li", noon, qc.Review{Finding: "f1", Outcome: qc.Confirmed}); err != nil {
		t.Fatal(err)
	}
	if all, err := b.Recorded(t.Context(), 1); err != nil || all[0].Case != "c1" || all[0].Item != "20481-2" {
		t.Errorf("recorded %+v, %v", all, err)
	}
}

func TestWatchTicksAndNeverBlocks(t *testing.T) {
	b := newBench(t)
	ticks, stop := b.Watch()
	select {
	case <-ticks:
		t.Error("a tick before any change")
	default:
	}
	for n := range 3 {
		b.record(n, qc.Pass)
	}
	select {
	case <-ticks:
	default:
		t.Error("no tick")
	}
	stop()
	b.record(3, qc.Pass)
	select {
	case <-ticks:
		t.Error("a tick after the end")
	default:
	}
}

func TestIdentityIsKept(t *testing.T) {
	b := newBench(t)
	if _, known, err := b.Identity(t.Context()); known || err != nil {
		t.Errorf("before it is enrolled: %t, %v", known, err)
	}
	want := qc.Identity{Station: "s1", Name: "Bench 1", Centre: "https://centre", Instance: "i"}
	if err := b.SetIdentity(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	b.close()
	if err := os.Remove(b.path(dbName)); err != nil {
		t.Fatal(err)
	}
	b.open()
	if got, known, err := b.Identity(t.Context()); got != want || !known || err != nil {
		t.Errorf("without the database: %v, %t, %v", got, known, err)
	}
}

func TestOneProgramAtATime(t *testing.T) {
	b := newBench(t)
	began := time.Now()
	if _, err := Open(b.dir, Options{Now: now}); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	b.record(1, qc.Pass) // the first one is not disturbed
}

func TestNewerDataIsLeftAlone(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Pass)
	if err := b.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(inMeta).Put(keySchema, []byte("99")) }); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(){b.close, b.die} {
		end()
		before, err := os.ReadFile(b.path(dbName))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(b.dir, Options{Now: now}); !errors.Is(err, ErrNewer) {
			t.Fatalf("got %v", err)
		}
		after, err := os.ReadFile(b.path(dbName))
		if err != nil || string(after) != string(before) {
			t.Errorf("the data was touched: %v", err)
		}
		// Once the newer program has run again, all is there.
		db, err := bbolt.Open(b.path(dbName), 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(inMeta).Put(keySchema, []byte("1")) }), db.Close()); err != nil {
			t.Fatal(err)
		}
		b.open()
		if len(b.waiting()) != 1 {
			t.Error("the event is gone")
		}
		if err := b.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(inMeta).Put(keySchema, []byte("99")) }); err != nil {
			t.Fatal(err)
		}
	}
}
