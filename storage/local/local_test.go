package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
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

func newBench(tb testing.TB) *bench {
	tb.Helper()
	b := &bench{t: tb, dir: tb.TempDir()}
	b.open()
	tb.Cleanup(func() {
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

// TestRecordedTakesNoGuesses keeps out what could not be listed later, and
// lists what a later version has recorded without reading it.
func TestRecordedTakesNoGuesses(t *testing.T) {
	for name, test := range map[string]struct {
		kind    qc.EventKind
		data    any
		refused bool
	}{
		"finding":                     {qc.FindingRecorded, "f1", true},
		"review":                      {qc.ReviewGiven, "f1", true},
		"dispatch":                    {qc.ReturnDispatched, map[string]int{"case": 1}, true},
		"arrival":                     {qc.ReplacementArrived, []string{"c1"}, true},
		"kind of a later version":     {"parcel.weighed", "f1", false},
		"case of a later version too": {"parcel.weighed", map[string]int{"case": 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if _, err := b.Record(t.Context(), test.kind, "li", noon, test.data); (err != nil) != test.refused {
				t.Fatalf("Record: %v", err)
			}
			want := 1
			if test.refused {
				want = 0
			}
			if all, err := b.Recorded(t.Context(), 10); err != nil || len(all) != want {
				t.Errorf("%d entries, %v; want %d", len(all), err, want)
			}
		})
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
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := b.Record(t.Context(), qc.FindingRecorded, "wang", noon, b.finding(1, qc.Pass)); err == nil {
		t.Error("recorded after the end")
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

func TestRecordWaitsForTheDisk(t *testing.T) {
	b := newBench(t)
	if b.db.NoSync || b.db.NoGrowSync || b.db.NoFreelistSync {
		t.Error("the database does not wait for the disk")
	}
	syncs := 0
	b.journal.sync = func(file *os.File) error {
		syncs++
		if state, err := readLog(b.db); err != nil || state.Last != uint64(syncs-1) {
			t.Errorf("the database has event %d before the journal is on the disk: %v", state.Last, err)
		}
		return file.Sync()
	}
	for n := range 3 {
		if b.record(n, qc.Pass); syncs != n+1 {
			t.Errorf("recorded after %d syncs of %d", syncs, n+1)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	b := newBench(t)
	const people, each = 4, 20
	var group sync.WaitGroup
	for person := range people {
		group.Go(func() {
			for n := range each {
				if _, err := b.Record(t.Context(), qc.FindingRecorded, "wang", noon, b.finding(person*each+n, qc.Flag)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Go(func() {
		for range 30 {
			batch, err := b.PendingBatch(t.Context(), 5, 1<<20)
			if err != nil {
				t.Error(err)
				return
			}
			if len(batch.Events) > 0 {
				ack := qc.Ack{Through: batch.First + uint64(len(batch.Events)) - 1}
				if err := b.Acknowledge(t.Context(), ack, noon); err != nil {
					t.Error(err)
				}
			}
			if _, err := b.Recorded(t.Context(), 50); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	if err := b.Rewind(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if events := b.waiting(); len(events) != people*each {
		t.Errorf("%d events", len(events))
	}
	b.check()
}
