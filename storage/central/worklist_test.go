package central_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// many imports an order of n items, flags each, and shows it to the customer.
func (w world) many(order qc.Order, n int) {
	w.t.Helper()
	first := order.Items[0]
	order.Items = nil
	for i := range n {
		item := first
		item.ID, item.Order = qc.ItemID(fmt.Sprintf("%s-%d", order.ID, i+1)), order.ID
		item.PlatformOrder = fmt.Sprintf("P%s%05d", order.ID, i)
		order.Items = append(order.Items, item)
	}
	_, err := w.ImportOrders(w.t.Context(), []qc.Order{order}, noon)
	w.must(err)
	for _, item := range order.Items {
		f := w.bench.flag(qc.FindingID("f-"+item.ID), item.ID)
		f.Order = order.ID
		w.bench.applied(noon, qc.FindingRecorded, "u12", f)
		w.store(f.Photos[0].Preview.Digest)
	}
}

func (w world) worklist(f central.WorkFilter) (items string, total int) {
	w.t.Helper()
	work, err := w.Worklist(w.t.Context(), f)
	w.must(err)
	names := make([]string, len(work.Rows))
	for i, row := range work.Rows {
		names[i] = string(row.Item.ID)
		if row.Case.Item != row.Item.ID || row.Customer.ID != row.Case.Customer {
			w.t.Errorf("row %s is of item %s and customer %s", row.Case.ID, row.Item.ID, row.Customer.ID)
		}
	}
	return strings.ReplaceAll(strings.Join(names, " "), "item", ""), work.Total
}

func (w world) caseOf(item qc.ItemID) refund.Case {
	w.t.Helper()
	cases, err := w.Cases(w.t.Context(), central.CaseFilter{})
	w.must(err)
	i := slices.IndexFunc(cases, func(c refund.Case) bool { return c.Item == item })
	if i < 0 {
		w.t.Fatalf("no case of item %s", item)
	}
	return cases[i]
}

func (open opener) testWorklist(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	lisbon := sampleOrder()
	lisbon.ID, lisbon.Customer.Name = "item5", "Ana Moreira"
	w.many(lisbon, 4)
	late := sampleOrder()
	late.ID, late.Customer = "item6", qc.Customer{ID: "C-2", Name: "林佳慧", Language: "zh"}
	late.Items[0].Seller, late.Items[0].StockedInAt = "布衣坊", noon.Add(-115*time.Hour)
	w.many(late, 2)

	id := func(item qc.ItemID) qc.CaseID { return w.caseOf("item" + item).ID }
	w.act(id("5-1"), refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(id("5-2"), refund.Event{Kind: refund.ChoseKeep, Actor: customer})
	w.act(id("6-2"), refund.Event{Kind: refund.ChoseExchange, Actor: customer})
	w.act(id("6-2"), refund.Event{Kind: refund.AgreedReturn, Actor: clerk})
	w.bench.applied(noon, qc.ReturnDispatched, "u12", qc.Dispatch{Case: id("6-2"), Carrier: "SF", Waybill: "SF9876543210123", By: "u12"})
	w.must(w.Assign(t.Context(), id("5-3"), "clerk3", "clerk3", noon))
	w.must(w.Assign(t.Context(), id("5-4"), "lead7", "clerk3", noon))

	words := func(text string) central.WorkFilter { return central.WorkFilter{Search: refund.ReadSearch(text)} }
	for name, c := range map[string]struct {
		filter central.WorkFilter
		want   string
	}{
		"open, by what runs out":    {central.WorkFilter{Open: true}, "6-1 5-3 5-4 6-2 5-1"},
		"all, what has ended last":  {central.WorkFilter{}, "6-1 5-3 5-4 6-2 5-1 5-2"},
		"a page":                    {central.WorkFilter{Skip: 4, Limit: 2}, "5-1 5-2"},
		"behind the last":           {central.WorkFilter{Skip: 40}, ""},
		"status":                    {central.WorkFilter{Status: refund.AwaitingDecision}, "6-1 5-3 5-4"},
		"the seller's turn":         {central.WorkFilter{Side: refund.SellersTurn}, "6-2 5-1"},
		"a seller":                  {central.WorkFilter{Seller: "布衣坊"}, "6-1 6-2"},
		"overdue":                   {central.WorkFilter{Open: true, Overdue: true, At: noon.Add(25 * time.Hour)}, "6-1"},
		"mine":                      {central.WorkFilter{Assignee: "clerk3"}, "5-3"},
		"nobody's":                  {central.WorkFilter{Open: true, Unassigned: true}, "6-1 6-2 5-1"},
		"green light":               {words("GL"), "5-2"},
		"red light":                 {words("RL"), "6-2 5-1"},
		"red light of a seller":     {words("rl 布衣坊"), "6-2"},
		"both lights":               {words("gl rl"), "6-2 5-1 5-2"},
		"name":                      {words("MOREIRA item5-3"), "5-3"},
		"Chinese name":              {words("佳慧"), "6-1 6-2"},
		"Chinese title":             {words("鞋 item6-1"), "6-1"},
		"the parcel that came":      {words("sf1234567890123"), "6-1 5-3 5-4 6-2 5-1 5-2"},
		"the parcel that went back": {words("SF9876543210123"), "6-2"},
		"marketplace's number":      {words("pitem500003"), "5-4"},
		"no wildcard":               {words("%"), ""},
		"nor this one":              {words("item5_3"), ""},
	} {
		if got, _ := w.worklist(c.filter); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if _, total := w.worklist(central.WorkFilter{Limit: 2}); total != 6 {
		t.Errorf("%d cases, want 6", total)
	}

	counts, err := w.WorkCounts(t.Context(), "clerk3", noon.Add(25*time.Hour))
	w.must(err)
	if counts.Open != 5 || counts.Overdue != 1 || counts.Mine != 1 || counts.Unassigned != 3 || counts.Sides[refund.CustomersTurn] != 3 ||
		counts.Sides[refund.SellersTurn] != 2 || counts.Statuses[refund.Returning] != 1 {
		t.Errorf("counts %+v", counts)
	}
	if got := fmt.Sprint(counts.Sellers); got != "[{潮流前线鞋店 3} {布衣坊 2}]" {
		t.Errorf("sellers %s", got)
	}
	w.sound()
}

func (open opener) testAssign(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	for _, to := range []qc.StaffID{"clerk3", "clerk3", "lead7", "", ""} {
		w.must(w.Assign(t.Context(), c.ID, to, "clerk3", noon))
		if d, err := w.Dossier(t.Context(), c.ID); err != nil || d.Assignee != to {
			t.Errorf("given to %q it is %q's, %v", to, d.Assignee, err)
		}
	}
	wantErr(t, w.Assign(t.Context(), c.ID, "nobody", "clerk3", noon), qc.ErrNotFound)
	wantErr(t, w.Assign(t.Context(), "K-0", "clerk3", "clerk3", noon), qc.ErrNotFound)
	w.sound()
}

// A case is found by what its names are now.
func (open opener) testWorklistFollowsNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	w.visible("20481-2")
	order := sampleOrder()
	order.Customer.Name = "Beatriz"
	order.Items[1].PlatformOrder = "2418830517429106684"
	_, err := w.ImportOrders(t.Context(), []qc.Order{order}, noon)
	w.must(err)
	for text, want := range map[string]int{"beatriz": 1, "Ana": 0, "2418830517429106684": 1} {
		if _, total := w.worklist(central.WorkFilter{Search: refund.ReadSearch(text)}); total != want {
			t.Errorf("%q finds %d, want %d", text, total, want)
		}
	}
	w.act(w.only().ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(w.only().ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	w.act(w.only().ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(100), SellerRef: "R-77"})
	if _, total := w.worklist(central.WorkFilter{Search: refund.ReadSearch("r-77"), Side: refund.ClerksTurn}); total != 1 {
		t.Errorf("the refund's number finds %d", total)
	}
}

func (open opener) testRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	run := central.Run{ID: "r1", Kind: "bulk", Staff: "clerk3", At: noon, Request: `["K1"]`}
	w.must(w.KeepRun(t.Context(), run))
	for _, result := range []string{"done", "done again"} { // the first word stands
		run.Result = result
		w.must(w.KeepRun(t.Context(), run))
	}
	run.Result = "done"
	other := run
	other.Staff, other.Result = "lead7", "taken over"
	w.must(w.KeepRun(t.Context(), other))
	got, err := w.Run(t.Context(), "r1", "clerk3")
	w.must(err)
	if got != run {
		t.Errorf("%+v, want %+v", got, run)
	}
	_, err = w.Run(t.Context(), "r1", "lead7")
	wantErr(t, err, qc.ErrNotFound)
	run.ID, run.At = "r2", noon.Add(100*24*time.Hour)
	w.must(w.KeepRun(t.Context(), run))
	_, err = w.Run(t.Context(), "r1", "clerk3") // long ago
	wantErr(t, err, qc.ErrNotFound)
}
