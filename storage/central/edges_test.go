package central_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// edges is a centre under the real rules at which the cases are tried that are
// easily forgotten. Each of the list has a test of its name here; what of it is
// seen on a page only is tested with the pages.
type edges struct {
	world
	t *testing.T
}

// testEdges tries every one of them in a centre of its own, at places that where
// makes.
func testEdges(t *testing.T, where func(*testing.T) place) {
	t.Helper()
	t.Parallel()
	for name, edge := range map[string]func(edges){
		"customer does not answer":                   edges.silence,
		"seller refuses":                             edges.refusal,
		"partial refund offer":                       edges.offer,
		"seller pays less than agreed":               edges.short,
		"item non-returnable":                        edges.nonReturnable,
		"window expires while in review":             edges.lateReview,
		"window expires before the decision":         edges.lateDecision,
		"exchange flawed again":                      edges.flawedAgain,
		"exchange is a different item or not linked": edges.differentItem,
		"customer changes the decision":              edges.secondThoughts,
		"two people decide at once":                  edges.twoAtOnce,
		"lost return parcel":                         edges.lostParcel,
		"seller says received wrong or damaged":      edges.disputedParcel,
		"return comes back to our warehouse":         edges.cameBack,
		"double callback, double click, resend":      edges.twice,
		"finding edited after the customer saw it":   edges.edited,
		"photo never arrives":                        edges.noPhoto,
		"offline station, item already decided":      edges.offline,
		"clock skew on the station":                  edges.clockSkew,
		"several flaws, different liability":         edges.severalFlaws,
		"multi-piece line":                           edges.pieces,
		"coupon or discounted order":                 edges.coupon,
		"money is claimed back after a withdrawal":   edges.spent,
		"balance too short for fees":                 edges.feesOffTheRefund,
		"zero or negative net":                       edges.negativeNet,
		"fen rounding":                               edges.rounding,
		"prohibited or counterfeit found":            edges.counterfeit,
		"customer disputes a passed item":            edges.missed,
		"seller never sends the replacement":         edges.noReplacement,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := where(t)
			w := newWorld(t, func(testing.TB) *central.Store {
				c, err := at.config()
				if err != nil {
					t.Fatal(err)
				}
				store, err := central.Open(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				return store
			})
			edge(edges{w, t})
			w.sound()
			w.must(w.Close())
		})
	}
}

// shown flags an item with one flaw so that its customer is asked.
func (e edges) shown(item qc.ItemID, severity qc.Severity) refund.Case {
	e.t.Helper()
	f := e.bench.flag(qc.FindingID("f-"+item), item)
	f.Flaws[0].Severity = severity
	e.store(f.Photos[0].Preview.Digest)
	e.bench.applied(noon, qc.FindingRecorded, "u12", f)
	c, err := e.openCaseOf(item)
	e.must(err)
	return e.stands(c.ID, refund.AwaitingDecision)
}

// does lets a case go on by one event after the other, each with what any asks for.
func (e edges) does(c refund.Case, by refund.Actor, kinds ...refund.Kind) refund.Case {
	e.t.Helper()
	for _, kind := range kinds {
		c = e.act(c.ID, refund.Event{
			Kind: kind, Actor: by, Reason: "because", Approver: "boss1", Waybill: "SF1234567890", Carrier: "SF", Consent: true,
		})
	}
	return c
}

func (e edges) pays(c refund.Case, fen int64, ref string) refund.Case {
	e.t.Helper()
	return e.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(fen), SellerRef: ref})
}

// refused fails the test unless the event is refused for that.
func (e edges) refused(c refund.Case, event refund.Event, why error) {
	e.t.Helper()
	if event.At.IsZero() {
		event.At = noon
	}
	event.Reason, event.Approver, event.Waybill = "because", "boss1", "SF1234567890"
	_, err := e.Act(e.t.Context(), c.ID, 0, event, "")
	wantErr(e.t, err, why)
}

func (e edges) clock(at time.Time) {
	e.t.Helper()
	_, err := e.RunTimers(e.t.Context(), at)
	e.must(err)
}

func (e edges) want(is bool, format string, args ...any) {
	e.t.Helper()
	if !is {
		e.t.Errorf(format, args...)
	}
}

func (e edges) silence() {
	c := e.shown("20481-2", qc.Major)
	e.clock(c.DecideBy)
	kept := e.stands(c.ID, refund.Kept)
	e.want(kept.Reason == refund.Unanswered, "kept because %q", kept.Reason)
	e.want(kept.WindowEndsAt.After(c.DecideBy), "the window had closed at %s", kept.WindowEndsAt)
	anyway := asks("Ask the seller anyway, please.", "k1", noon)
	anyway.Case, anyway.Topic = c.ID, refund.TopicAskAnyway
	e.want(e.write(anyway).Waiting() == 1, "nobody is to ask the seller anyway")
}

func (e edges) refusal() {
	c := e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund)
	c = e.act(c.ID, refund.Event{Kind: refund.Refused, Actor: clerk, Reason: "照片不清"})
	e.want(c.Reason == "照片不清" && c.Refusals == 1, "refused because %q, %d times", c.Reason, c.Refusals)
	for _, on := range []refund.Kind{refund.Resubmitted, refund.Appealed, refund.Goodwill} {
		e.want(slices.ContainsFunc(c.Next(clerk, noon), func(a refund.Action) bool { return a.Kind == on && a.Allowed }), "%s is not offered", on)
	}
	c = e.does(c, clerk, refund.Resubmitted, refund.Refused)
	e.want(c.Refusals == 2, "refused %d times", c.Refusals)
	record, err := e.SellerRecord(e.t.Context(), c.Seller, noon)
	e.must(err)
	e.does(c, customer, refund.GaveUp)
	after, err := e.SellerRecord(e.t.Context(), c.Seller, noon)
	e.must(err)
	e.want(after != record, "the seller's record is as before: %+v", after)
}

func (e edges) offer() {
	c := e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund)
	offers := refund.Event{Kind: refund.Offered, Actor: clerk, Amount: money.Fen(3000)}
	c = e.act(c.ID, offers)
	c = e.act(c.ID, refund.Event{Kind: refund.CounteredOffer, Actor: customer, Amount: money.Fen(9000)})
	e.want(c.Offer.Counter == money.Fen(9000), "countered with %s", c.Offer.Counter)
	offers.Amount = money.Fen(6000)
	e.act(c.ID, offers)
	c = e.does(c, customer, refund.AcceptedOffer)
	e.refused(c, refund.Event{Kind: refund.AgreedReturn, Actor: clerk}, refund.ErrNotNow) // the return is waived
	c = e.pays(c, 6000, "R-1")
	e.want(c.Status == refund.CreditedKept && e.balance() == 6000 && c.Task().Kind == qc.TaskRelease, "%s with %d, task %s", c.Status, e.balance(), c.Task().Kind)
}

func (e edges) short() {
	c := e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund)
	c = e.does(c, clerk, refund.AgreedRefund)
	c = e.pays(c, 30000, "R-1")
	e.want(c.Status == refund.RefundShort && e.balance() == 30000 && c.Missing() == money.Fen(10100), "%s, %d came, %s is missing", c.Status, e.balance(), c.Missing())
	c = e.pays(e.does(c, clerk, refund.ShortChased), 10100, "R-2")
	e.want(c.Status == refund.Credited && e.balance() == 40100, "%s with %d", c.Status, e.balance())
}

func (e edges) nonReturnable() {
	order := sampleOrder()
	order.Items[1].NonReturnable = qc.NextToSkin
	_, err := e.ImportOrders(e.t.Context(), []qc.Order{order}, noon)
	e.must(err)
	c := e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund)
	e.want(c.Status == refund.Negotiating, "the seller is not asked: %s", c.Status)
}

// lateReview: what was late was us, so the customer chooses all the same, and
// where the seller refuses, we pay.
func (e edges) lateReview() {
	f := e.bench.flag("f1", "20481-3") // dear enough to wait for a lead
	f.Flaws[0].Severity = qc.Major
	e.store(f.Photos[0].Preview.Digest)
	e.bench.applied(noon, qc.FindingRecorded, "u12", f)
	c := e.status(refund.Flagged)
	late := c.WindowEndsAt.Add(time.Hour)
	e.bench.applied(late, qc.ReviewGiven, "lead7", qc.Review{Finding: "f1", Revision: 1, Outcome: qc.Confirmed, By: "lead7"})
	c = e.status(refund.AwaitingDecision)
	e.want(c.Liability == refund.ByAgentFault && c.DecideBy.Equal(late.Add(72*time.Hour)), "%q's fault, decide by %s", c.Liability, c.DecideBy)
	chosen, err := e.Act(e.t.Context(), c.ID, c.Version, refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: late.Add(time.Hour)}, "")
	e.must(err)
	c = e.does(chosen, clerk, refund.Refused, refund.AgentPaid)
	e.want(c.Status == refund.Credited && e.balance() == 251200 && c.Absorbed == money.Fen(251200), "%s with %d, we bore %s", c.Status, e.balance(), c.Absorbed)
}

func (e edges) lateDecision() {
	c := e.shown("20481-2", qc.Major)
	e.want(!c.DecideBy.After(c.WindowEndsAt.Add(-24*time.Hour)), "decide by %s, the window closes at %s", c.DecideBy, c.WindowEndsAt)
	e.refused(c, refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: c.WindowEndsAt}, refund.ErrWindowClosed)
	tried, err := e.Act(e.t.Context(), c.ID, 0, refund.Event{Kind: refund.ChoseRefund, Actor: clerk, At: c.WindowEndsAt}, "") // the desk may try
	e.must(err)
	e.want(tried.Liability == refund.BySellerFault, "%q's fault", tried.Liability)
}

func (e edges) flawedAgain() {
	c := e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseExchange)
	e.want(len(c.Fees) == 0, "a seller's fault costs %v", c.Fees)
	for round := 2; round <= 3; round++ {
		c = e.does(c, clerk, refund.AgreedReship)
		e.bench.applied(noon, qc.ReplacementArrived, "u12", qc.Arrival{Case: c.ID, Waybill: "YT1234567890", By: "u12"})
		f := e.bench.flag(qc.FindingID("f-round"+string(rune('0'+round))), "20481-2")
		f.Round, f.Case, f.Flaws[0].Severity = round, c.ID, qc.Major
		e.store(f.Photos[0].Preview.Digest)
		e.bench.applied(noon, qc.FindingRecorded, "u12", f)
		if c = e.stands(c.ID, refund.AwaitingDecision); round < 3 {
			c = e.does(c, customer, refund.ChoseExchange)
		}
	}
	e.refused(c, refund.Event{Kind: refund.ChoseExchange, Actor: customer}, refund.ErrRounds)
	e.want(len(e.seen().Findings) == 3, "the customer sees %d rounds", len(e.seen().Findings))
	e.does(c, customer, refund.ChoseRefund)
}

func (e edges) differentItem() {
	c := e.does(e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseExchange), clerk, refund.AgreedReship)
	e.bench.refused("error.case_moved_on", qc.ReplacementArrived, "u12", qc.Arrival{Case: "of nobody", Waybill: "YT1234567890", By: "u12"})
	e.bench.applied(noon, qc.ReplacementArrived, "u12", qc.Arrival{Case: c.ID, Waybill: "YT1234567891", By: "u12"})
	f := e.bench.flag("other", "20481-2")
	f.Round, f.Case, f.Flaws[0] = 2, c.ID, qc.Flaw{ID: "f1", Code: "W01", Severity: qc.Critical, Zone: qc.ZoneB, Quantity: 1}
	e.store(f.Photos[0].Preview.Digest)
	e.bench.applied(noon, qc.FindingRecorded, "u12", f)
	c = e.load(c.ID)
	e.want(c.Status == refund.Flagged && c.LeadWaits && c.Round == 2 && c.Liability == refund.BySellerFault, "%s in round %d, %q's fault", c.Status, c.Round, c.Liability)
}

func (e edges) secondThoughts() {
	c := e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund, refund.Reconsidered, refund.ChoseExchange, refund.Reconsidered, refund.ChoseRefund)
	e.want(len(c.Timeline) == 6, "%d versions were kept", len(c.Timeline))
	c = e.does(e.does(c, clerk, refund.AgreedReturn), refund.Actor{Party: refund.ByStation, ID: "u12"}, refund.Dispatched)
	e.refused(c, refund.Event{Kind: refund.Reconsidered, Actor: customer}, refund.ErrNotNow)
}

func (e edges) twoAtOnce() {
	c := e.shown("20481-2", qc.Major)
	e.does(c, clerk, refund.ChoseRefund)
	_, err := e.Act(e.t.Context(), c.ID, c.Version, refund.Event{Kind: refund.ChoseKeep, Actor: customer}, "")
	conflict, ok := errors.AsType[*central.Conflict](err)
	e.want(ok && conflict.Case.Status == refund.Negotiating, "the second is told %v", err)
}

// parcel is a case whose item is on its way to the seller.
func (e edges) parcel() refund.Case {
	c := e.does(e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund), clerk, refund.AgreedReturn)
	return e.does(c, refund.Actor{Party: refund.ByStation, ID: "u12"}, refund.Dispatched)
}

func (e edges) lostParcel() {
	c := e.parcel()
	at, _, _ := c.Timer()
	e.clock(at)
	c = e.does(e.stands(c.ID, refund.ReturnException), clerk, refund.AgentPaid)
	e.want(c.Status == refund.Credited && e.balance() == 40100 && c.Absorbed == money.Fen(40100), "%s with %d, we bore %s", c.Status, e.balance(), c.Absorbed)
}

func (e edges) disputedParcel() {
	c := e.act(e.parcel().ID, refund.Event{Kind: refund.ReturnTroubled, Actor: clerk, Reason: "卖家称收到的商品不符"})
	e.want(c.Status == refund.ReturnException && c.Turn().Side == refund.ClerksTurn, "%s, %s's turn", c.Status, c.Turn().Side)
	c = e.pays(e.does(c, clerk, refund.ReturnSettled), 40100, "R-1")
	e.want(c.Status == refund.Credited, "%s", c.Status)
}

func (e edges) cameBack() {
	c := e.does(e.parcel(), clerk, refund.ReturnTroubled)
	c = e.does(c, refund.Actor{Party: refund.ByLead, ID: "lead7"}, refund.ReturnCameBack)
	e.want(c.Status == refund.PhotosRequested && c.Task().Kind == qc.TaskReinspect && c.Intent == refund.Undecided, "%s, task %s", c.Status, c.Task().Kind)
	f := e.bench.flag("back", "20481-2")
	f.Case, f.Flaws[0].Severity = c.ID, qc.Major
	e.store(f.Photos[0].Preview.Digest)
	e.bench.applied(noon, qc.FindingRecorded, "u12", f)
	c = e.stands(c.ID, refund.AwaitingDecision)
	_, err := e.Act(e.t.Context(), c.ID, 0, refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: noon.Add(60 * 24 * time.Hour)}, "") // no window is left to close
	e.must(err)
}

func (e edges) twice() {
	c := e.does(e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund), clerk, refund.AgreedRefund)
	told, err := e.Notices(e.t.Context(), central.NoticeFilter{})
	e.must(err)
	paid := refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1", At: noon}
	for range 3 {
		after, err := e.Act(e.t.Context(), c.ID, c.Version, paid, "")
		e.must(err)
		e.want(after.Status == refund.Credited, "%s", after.Status)
	}
	once, err := e.Notices(e.t.Context(), central.NoticeFilter{})
	e.must(err)
	e.want(e.balance() == 40100 && len(once) <= len(told)+1, "%d on the balance, %d notices after %d", e.balance(), len(once), len(told))
}

func (e edges) edited() {
	c := e.shown("20481-2", qc.Minor)
	f := e.bench.flag("f-20481-2", "20481-2")
	f.Revision, f.Flaws[0].Severity = 2, qc.Major
	e.bench.applied(noon, qc.FindingRecorded, "u12", f)
	now := e.stands(c.ID, refund.AwaitingDecision)
	_, err := e.Act(e.t.Context(), c.ID, c.Version, refund.Event{Kind: refund.ChoseKeep, Actor: customer}, "")
	conflict, ok := errors.AsType[*central.Conflict](err)
	e.want(ok && conflict.Case.Version == now.Version && now.Liability == refund.BySellerFault, "decided on what was seen before: %v", err)
}

func (e edges) noPhoto() {
	e.bench.applied(noon, qc.FindingRecorded, "u12", e.bench.flag("f1", "20481-2"))
	e.clock(noon.Add(30 * 24 * time.Hour))
	c := e.status(refund.Flagged)
	e.want(c.Standing() == "flagged.photos" && len(e.seen().Cases) == 0, "stands as %s, the customer sees %d cases", c.Standing(), len(e.seen().Cases))
}

func (e edges) offline() {
	c := e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund)
	f := e.bench.flag("f-20481-2", "20481-2")
	f.Revision = 2
	e.bench.refused("error.case_moved_on", qc.FindingRecorded, "u12", f) // the station tells its lead
	stats, err := e.Stats(e.t.Context())
	e.must(err)
	e.want(stats.Rejected == 1 && e.load(c.ID).Version == c.Version, "%d rejected events are kept", stats.Rejected)
}

func (e edges) clockSkew() {
	f := e.bench.flag("f1", "20481-2")
	f.RecordedAt = noon.AddDate(1, 0, 0)
	e.store(f.Photos[0].Preview.Digest)
	e.bench.applied(noon, qc.FindingRecorded, "u12", f)
	c := e.status(refund.AwaitingDecision)
	e.want(c.OpenedAt.Equal(noon) && !c.DecideBy.After(noon.Add(72*time.Hour)), "opened %s, decide by %s", c.OpenedAt, c.DecideBy)
	later := e.bench.flag("f2", "20481-2")
	later.RecordedAt = noon.Add(30 * time.Minute)
	e.bench.applied(noon.Add(time.Hour), qc.FindingRecorded, "u12", later)
	e.want(e.load(c.ID).Finding == "f2", "a clock that runs ahead wins over a later finding")
}

func (e edges) severalFlaws() {
	f := e.bench.flag("f1", "20481-2")
	f.Flaws = append(f.Flaws, qc.Flaw{ID: "f2", Code: "F01", Severity: qc.Major, Zone: qc.ZoneB, Quantity: 1})
	f.Marks = append(f.Marks, qc.Mark{ID: "m2", Photo: "p1", Flaw: "f2", Tool: qc.Box, Points: []qc.Point{{X: 60, Y: 60}, {X: 90, Y: 90}}})
	e.store(f.Photos[0].Preview.Digest)
	e.bench.applied(noon, qc.FindingRecorded, "u12", f)
	c := e.status(refund.AwaitingDecision)
	e.want(c.Liability == refund.BySellerFault, "%q's fault: the minor flaw beside it costs the return", c.Liability)
}

func (e edges) pieces() {
	order := sampleOrder()
	order.Items[1].Quantity, order.Items[1].UnitPrice = 3, money.Fen(30000)
	_, err := e.ImportOrders(e.t.Context(), []qc.Order{order}, noon)
	e.must(err)
	c := e.shown("20481-2", qc.Major)
	halves := e.split(c, 1, customer)
	e.does(halves.Part, customer, refund.ChoseKeep)
	rest := e.does(halves.Rest, customer, refund.ChoseRefund)
	e.want(rest.Paid == money.Fen(2*30000) && rest.FreightIn == money.Fen(800) && halves.Part.FreightIn == money.Fen(400), "worth %s and %s of freight", rest.Paid, rest.FreightIn)
	one := e.shown("20481-1", qc.Major) // a pair is one piece
	_, err = e.Split(e.t.Context(), one.ID, 0, 1, customer, "")
	wantErr(e.t, err, refund.ErrNotNow)
}

func (e edges) coupon() {
	order := sampleOrder()
	order.Items[1].UnitPrice = money.Fen(30000) // of ¥389.00, after the coupon
	_, err := e.ImportOrders(e.t.Context(), []qc.Order{order}, noon)
	e.must(err)
	c := e.does(e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund), clerk, refund.AgreedRefund)
	e.refused(c, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"}, refund.ErrAmount)
	e.pays(c, 31200, "R-1")
	e.want(e.balance() == 31200, "%d is credited", e.balance())
}

// spent: two people decide, and what the customer has not got any more is our
// loss.
func (e edges) spent() {
	c := e.pays(e.does(e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund), clerk, refund.AgreedRefund), 40100, "R-1")
	r := reservation(40000)
	_, err := e.Reserve(e.t.Context(), r, noon)
	e.must(err)
	_, err = e.Spend(e.t.Context(), r.Holder, r.ID, money.Fen(40000), noon)
	e.must(err)
	n, err := e.Correct(e.t.Context(), c.ID, refund.Event{Actor: clerk, Amount: money.Fen(40100), SellerRef: "V-1", Reason: "reversed"})
	e.must(err)
	done := e.does(n, clerk, refund.TakenBack)
	e.want(done.TakenBack == money.Fen(100) && done.Absorbed == money.Fen(40000) && e.balance() == 0, "taken back %s, our loss %s", done.TakenBack, done.Absorbed)
}

func (e edges) feesOffTheRefund() {
	c := e.does(e.shown("20481-2", qc.Minor), customer, refund.ChoseRefund) // nothing is on the balance
	e.want(c.Held.IsZero() && len(c.Fees) == 2, "%s is set aside for %v", c.Held, c.Fees)
	c = e.pays(e.does(c, clerk, refund.AgreedRefund), 40100, "R-1")
	e.want(e.balance() == 40100-1700 && c.Charged == money.Fen(1700), "%d is credited, %s kept for fees", e.balance(), c.Charged)
}

func (e edges) negativeNet() {
	c := e.shown("20481-2", qc.Minor)
	e.refused(c, refund.Event{Kind: refund.ChoseExchange, Actor: customer}, refund.ErrConsent)
	e.refused(c, refund.Event{Kind: refund.ChoseExchange, Actor: customer, Consent: true}, refund.ErrFunds) // and there is nothing to take it from
}

func (e edges) rounding() {
	c := e.does(e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseRefund), clerk, refund.AgreedRefund)
	c = e.pays(c, 13367, "R-1")
	c = e.pays(c, 13367, "R-2")
	c = e.pays(c, 13366, "R-3")
	e.want(c.Status == refund.Credited && e.balance() == 40100, "%s with %d of 40100", c.Status, e.balance())
}

func (e edges) counterfeit() {
	f := e.bench.flag("f1", "20481-2")
	f.Flaws[0].Code, f.Flaws[0].Severity = "W06", qc.Critical
	e.store(f.Photos[0].Preview.Digest)
	e.bench.applied(noon, qc.FindingRecorded, "u12", f)
	e.want(e.status(refund.Flagged).LeadWaits && len(e.seen().Cases) == 0, "the customer is told before a lead has looked")
}

func (e edges) missed() {
	e.bench.applied(noon, qc.FindingRecorded, "u12", e.bench.pass("good", "20481-1"))
	n, err := e.ClaimFlaw(e.t.Context(), "20481-1", refund.Event{Actor: customer, Reason: "the sole is torn"})
	e.must(err)
	e.want(n.Finding == "good" && n.Liability == refund.ByAgentFault, "on %s, %q's fault", n.Finding, n.Liability)
	e.act(n.ID, refund.Event{Kind: refund.ClaimGranted, Actor: clerk, Amount: money.Fen(9000), Reason: "it was to be seen", Approver: "boss1"})
	e.want(e.balance() == 9000, "%d is credited", e.balance())
}

// noReplacement: the seller has the item and sends none, so only the money is
// left, whatever the customer does not say.
func (e edges) noReplacement() {
	c := e.does(e.does(e.shown("20481-2", qc.Major), customer, refund.ChoseExchange), clerk, refund.AgreedReturn)
	c = e.does(e.does(c, refund.Actor{Party: refund.ByStation, ID: "u12"}, refund.Dispatched), clerk, refund.SellerReceived)
	at, _, _ := c.Timer()
	e.clock(at)
	c = e.stands(c.ID, refund.SellerRefunding)
	at, _, _ = c.Timer()
	e.clock(at) // nor does the seller pay
	c = e.does(e.stands(c.ID, refund.Escalated), clerk, refund.RuledAgainst)
	_, _, running := c.Timer()
	e.want(!running && c.Turn().Side == refund.ClerksTurn, "a clock gives up what the seller has kept")
	e.refused(c, refund.Event{Kind: refund.GaveUp, Actor: customer}, refund.ErrAway)
	c = e.does(c, clerk, refund.AgentPaid)
	e.want(c.Status == refund.Credited && e.balance() == 40100, "%s with %d", c.Status, e.balance())
}
