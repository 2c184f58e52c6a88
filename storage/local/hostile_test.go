package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
)

// TestHostileChangesArePassedOver: whatever a change says, the page it is in is
// applied, the cursor moves, and recording goes on.
func TestHostileChangesArePassedOver(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat("x", 40_000)
	changes := []qc.Change{
		{Seq: 1, Kind: qc.ItemChanged, Data: json.RawMessage(`[]`)},
		{Seq: 2, Kind: qc.ItemChanged, Data: json.RawMessage(`{"id":7}`)},
		{Seq: 3, Kind: qc.ItemChanged, Data: nil},
		{Seq: 4, Kind: qc.ItemChanged, Data: json.RawMessage(`{"id":"` + long + `"}`)},
		{Seq: 5, Kind: qc.ItemChanged, Data: json.RawMessage(`{"id":"i1","order":"` + long + `"}`)},
		{Seq: 6, Kind: qc.ItemChanged, Data: json.RawMessage(`{"id":"i2","waybill":"` + long + `"}`)},
		{Seq: 7, Kind: qc.ItemChanged, Data: json.RawMessage(`{"id":"a\u0000b"}`)},
		{Seq: 8, Kind: qc.StaffChanged, Data: json.RawMessage(`{"id":"` + long + `"}`)},
		{Seq: 9, Kind: qc.CaseChanged, Data: json.RawMessage(`null`)},
		{Seq: 10, Kind: qc.StandingChanged, Data: json.RawMessage(`{"at":"99999-01-01T00:00:00Z"}`)},
		{Seq: 11, Kind: qc.PhotoStored, Data: json.RawMessage(`{"sha256":"` + long + `"}`)},
		{Seq: 12, Kind: "from.tomorrow", Data: json.RawMessage(`{`)},
		{Seq: -1, Kind: "", Data: json.RawMessage(`"`)},
		{Seq: 13, Kind: qc.ItemChanged, Data: json.RawMessage(`{"id":"good","stocked_in_at":"9999-12-31T23:59:59Z"}`)},
		{Seq: 13, Kind: qc.ItemChanged, Data: json.RawMessage(`{"id":"good","stocked_in_at":"0001-01-01T00:00:00Z"}`)},
	}
	next := qc.Cursor{Epoch: "e", Seq: 13}
	for range 2 {
		if err := b.ApplyPage(t.Context(), qc.Page{Changes: changes, Next: next}); err != nil {
			t.Fatal(err)
		}
	}
	if cursor, err := b.Cursor(t.Context()); err != nil || cursor != next {
		t.Errorf("at %v, %v", cursor, err)
	}
	items, err := b.Items(t.Context())
	if err != nil || len(items) != 1 || items[0].ID != "good" {
		t.Errorf("%d items, %v", len(items), err)
	}
	b.record(1, qc.Flag)
	b.check()
}

// TestHostileAcksAreNoFacts: an answer beyond the log, or about events that are
// not there, changes nothing.
func TestHostileAcksAreNoFacts(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Flag)
	for _, ack := range []qc.Ack{{Through: 2}, {Through: 1 << 63}, {Through: 1, Head: "x"}} {
		if err := b.Acknowledge(t.Context(), ack, noon); !errors.Is(err, ErrFork) {
			t.Errorf("%+v: %v", ack, err)
		}
	}
	if b.counts().EventsWaiting != 1 {
		t.Error("an event is no longer waiting")
	}
	receipts := []qc.Receipt{{Seq: 0, Status: qc.Rejected}, {Seq: 9, Status: qc.Rejected}, {Seq: 1, Status: qc.Applied}, {Seq: 1, Status: qc.Applied}}
	if err := b.Acknowledge(t.Context(), qc.Ack{Through: 1, Receipts: receipts}, time.Unix(1<<40, 0)); err == nil {
		if counts := b.counts(); counts.Attention != 0 || counts.EventsWaiting != 0 {
			t.Errorf("%+v", counts)
		}
	} else if b.counts().EventsWaiting != 1 {
		t.Error(fmt.Errorf("half of an answer was noted: %w", err))
	}
	b.check()
}
