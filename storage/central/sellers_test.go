package central_test

import (
	"slices"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// shop is the seller of the sample order.
const shop = "潮流前线鞋店"

func (open opener) testSellerRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	flagged := func(item qc.ItemID) qc.CaseID {
		f := w.bench.flag(qc.FindingID("f-"+item), item)
		w.bench.applied(noon, qc.FindingRecorded, "u12", f)
		w.store(f.Photos[0].Preview.Digest)
		cases, err := w.Cases(t.Context(), central.CaseFilter{Query: string(item)})
		w.must(err)
		return cases[0].ID
	}
	after := func(id qc.CaseID, hours int, e refund.Event) {
		e.At, e.Actor = noon.Add(time.Duration(hours)*time.Hour), clerk
		_, err := w.Act(t.Context(), id, 0, e, "")
		w.must(err)
	}
	paid := flagged("20481-2")
	after(paid, 1, refund.Event{Kind: refund.ChoseRefund})
	after(paid, 30, refund.Event{Kind: refund.Refused, Reason: "no"})
	after(paid, 31, refund.Event{Kind: refund.Resubmitted})
	after(paid, 40, refund.Event{Kind: refund.AgreedRefund})
	after(paid, 97, refund.Event{Kind: refund.SellerPaid, Amount: money.Fen(40100), SellerRef: "R-1"})
	refused := flagged("20481-1")
	after(refused, 1, refund.Event{Kind: refund.ChoseRefund})
	after(refused, 2, refund.Event{Kind: refund.Refused, Reason: "no"})

	got, err := w.SellerRecord(t.Context(), shop, time.Time{})
	w.must(err)
	one := refund.Rate{Hits: 1, N: 1}
	want := refund.Record{
		Seller: shop, Pieces: refund.Rate{Hits: 2, N: 2}, Claims: 1, Refunded: one, Refused: one,
		Short: refund.Rate{N: 1}, Days: refund.Days{N: 1, Median: 4, P80: 4},
	}
	if got != want {
		t.Errorf("with one claim ended: %+v, want %+v", got, want)
	}

	after(refused, 50, refund.Event{Kind: refund.GaveUp, Reason: "enough"})
	w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.pass("good", "20481-3"))
	all, err := w.SellerRecords(t.Context(), time.Time{})
	w.must(err)
	want.Claims, want.Refunded.N, want.Refused = 2, 2, refund.Rate{Hits: 2, N: 2}
	want.Pieces.N = 3
	if len(all) != 1 || all[0] != want {
		t.Errorf("with both ended: %+v, want %+v", all, want)
	}
	if later, err := w.SellerRecord(t.Context(), shop, noon.Add(60*time.Hour)); err != nil || later.Claims != 1 || later.Pieces.N != 0 {
		t.Errorf("since the third day: %+v, %v", later, err)
	}
	if unknown, err := w.SellerRecord(t.Context(), "nobody", time.Time{}); err != nil || unknown != (refund.Record{Seller: "nobody"}) {
		t.Errorf("of nobody: %+v, %v", unknown, err)
	}
	w.sound()
}

// What the desk counts by is made again where it is missing, as after an
// upgrade.
func TestOpen_CountsAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, reopen(dir))
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.Refused, Actor: clerk, Reason: "no"})
	w.act(c.ID, refund.Event{Kind: refund.GaveUp, Actor: customer})
	before, err := w.SellerRecords(t.Context(), time.Time{})
	w.must(err)
	w.must(w.Close())
	tamper(t, dir, `DELETE FROM desk_case`, `UPDATE desk_finding SET form = 0, flawed = 17`)

	w.Store = reopen(dir)(t)
	after, err := w.SellerRecords(t.Context(), time.Time{})
	w.must(err)
	if len(before) != 1 || before[0].Claims != 1 || !slices.Equal(before, after) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	w.must(w.Close())
}

func (open opener) testDismissedIsNoFlaw(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.LeadDismissed, Actor: refund.Actor{Party: refund.ByLead, ID: "lead7"}, Reason: "a crease"})
	record, err := w.SellerRecord(t.Context(), shop, time.Time{})
	w.must(err)
	if record.Pieces != (refund.Rate{N: 1}) || record.Claims != 0 {
		t.Errorf("a dismissed flag counts against the seller: %+v", record)
	}
}
