package refund_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/refund/refundtest"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func opening() refund.Opening {
	return refund.Opening{
		ID: "K1", Customer: "C-1001", At: noon,
		Item: qc.Item{
			ID: "20481-2", Order: "20481", Quantity: 2, Round: 1, Seller: "店",
			UnitPrice: money.Fen(19450), FreightIn: money.Fen(1200), StockedInAt: noon.Add(-49 * time.Hour),
		},
		Finding: qc.Finding{ID: "f1", Inspector: "u12", Round: 1},
	}
}

func open(t interface{ Fatal(...any) }, o refund.Opening) refund.Case {
	c, err := refund.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// parties act with names of their own; the lead may be the inspector.
func drawActor(t *rapid.T) refund.Actor {
	return rapid.SampledFrom([]refund.Actor{
		{Party: refund.ByCustomer, ID: "C-1001"},
		{Party: refund.ByClerk, ID: "clerk3"},
		{Party: refund.ByLead, ID: "lead7"},
		{Party: refund.ByLead, ID: "u12"},
		{Party: refund.ByStation, ID: "u12"},
		{Party: refund.BySystem},
	}).Draw(t, "actor")
}

func drawEvent(t *rapid.T, at time.Time) refund.Event {
	var kinds []refund.Kind
	for _, row := range refund.Transitions() {
		kinds = append(kinds, row.On)
	}
	e := refund.Event{
		Kind: rapid.SampledFrom(append(kinds, "unheard_of")).Draw(t, "kind"), Actor: drawActor(t), At: at,
		Reason:    rapid.SampledFrom([]string{"", "because"}).Draw(t, "reason"),
		Waybill:   rapid.SampledFrom([]qc.Waybill{"", "SF1234567890"}).Draw(t, "waybill"),
		Amount:    money.Fen(rapid.SampledFrom([]int64{-1, 0, 1, 100, 20000, 40099, 40100, 40101}).Draw(t, "amount")),
		SellerRef: rapid.SampledFrom([]string{"", "R-1", "R-2"}).Draw(t, "ref"),
		LeadWaits: rapid.Bool().Draw(t, "lead waits"), PhotosMissing: rapid.IntRange(0, 2).Draw(t, "missing"),
	}
	if e.Kind == refund.RecheckFlagged || e.Kind == refund.Amended {
		e.Finding, e.Inspector = "f2", rapid.SampledFrom([]qc.StaffID{"u12", "lead7"}).Draw(t, "inspector")
	}
	return e
}

// TestCase_AnyLife lets anything happen, in any order, and holds the case to
// its promises after every step. Whatever breaks them is made as short as it can
// be; that lives come everywhere is seen to by the rig (TestDrillLives_Pure).
func TestCase_AnyLife(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := opening()
		o.LeadWaits, o.PhotosMissing = rapid.Bool().Draw(t, "waits"), rapid.IntRange(0, 2).Draw(t, "photos")
		c := open(t, o)
		posted := make(map[refund.Account]int64)
		at := noon
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "minutes")) * time.Minute)
			e := drawEvent(t, at)
			if rapid.IntRange(0, 2).Draw(t, "guided") > 0 { // deep places are not found by chance alone
				e = guided(t, c, e)
			}
			before := c
			history := slices.Clone(c.Timeline)
			after, transfers, err := c.Apply(e)
			if err != nil {
				if after.Version != before.Version || len(after.Timeline) != len(history) || len(transfers) != 0 {
					t.Fatalf("%s failed and left something behind", e.Kind)
				}
				continue
			}
			if !slices.Equal(before.Timeline, history) {
				t.Fatal("a step has changed the case that it began with")
			}
			checkStep(t, before, after, e)
			for _, transfer := range transfers {
				posted[transfer.Credit] += transfer.Amount.Minor()
				posted[transfer.Debit] -= transfer.Amount.Minor()
			}
			sum := int64(0)
			for _, balance := range posted {
				sum += balance
			}
			if posted[refund.CustomerAccount("C-1001")] != after.Credited.Minor() || posted["seller_receivable:店"] != 0 || sum != 0 {
				t.Fatalf("ledger %v, case credited %s", posted, after.Credited)
			}
			if posted[refund.FeeAccount] != after.Charged.Minor() || -posted[refund.LossAccount]-posted[refund.GoodwillAccount] != after.Absorbed.Minor() {
				t.Fatalf("ledger %v, case charged %s and absorbed %s", posted, after.Charged, after.Absorbed)
			}
			c = after
		}
	})
}

// guided turns e into something that may happen to c now, rather not its end.
func guided(t *rapid.T, c refund.Case, e refund.Event) refund.Event {
	var legal []refund.Event
	for _, actor := range []refund.Actor{customer, clerk, bench, {Party: refund.ByLead, ID: "lead7"}, {Party: refund.BySystem}} {
		for _, action := range c.Next(actor, e.At) {
			may := complete(c, action.Kind, actor, e.At)
			may.Amount = money.Fen(rapid.SampledFrom([]int64{1, 20000, 40100 - c.Received.Minor()}).Draw(t, "part"))
			after, _, err := c.Apply(may)
			if err == nil && (!after.Status.Terminal() || rapid.IntRange(0, 9).Draw(t, "end") == 0) {
				legal = append(legal, may)
			}
		}
	}
	if len(legal) == 0 {
		return e
	}
	return rapid.SampledFrom(legal).Draw(t, "legal")
}

// checkStep holds one step to the promises of all, and to what only its event can
// break.
func checkStep(t *rapid.T, before, after refund.Case, e refund.Event) {
	if err := refundtest.Step(before, after); err != nil {
		t.Fatal(err)
	}
	owed, err := after.Owed()
	if err != nil {
		t.Fatal(err)
	}
	full := after.Received.Minor()+after.Absorbed.Minor() >= owed.Minor() && !owed.IsZero()
	if after.Status == refund.Credited && !full && e.Kind != refund.ShortSettled {
		t.Fatalf("%s ended as credited with %s and %s of %s", e.Kind, after.Received, after.Absorbed, owed)
	}
	silent := e.Kind == refund.NoAnswer
	if silent && (before.Status != refund.AwaitingDecision || e.At.Before(before.DecideBy) || e.Actor.Party != refund.BySystem) {
		t.Fatalf("%s in %s took silence for an answer at %s, %s is left until %s", e.Actor.Party, before.Status, e.At, before.ID, before.DecideBy)
	}
	if silent && (after.Status != refund.Kept || after.Intent != refund.Keep || after.Reason != refund.Unanswered) {
		t.Fatalf("silence made %s, %q, because %q", after.Status, after.Intent, after.Reason)
	}
}

// complete fills what the action asks for.
func complete(c refund.Case, kind refund.Kind, actor refund.Actor, at time.Time) refund.Event {
	return refund.Event{
		Kind: kind, Actor: actor, At: at, Reason: "because", Waybill: "SF1234567890", SellerRef: "R-1",
		Amount: money.Fen(1), Finding: c.Finding, Inspector: c.Inspector, Approver: "boss1", Consent: true,
	}
}

// TestNext_KeepsItsWord follows allowed actions at random and tries the others.
func TestNext_KeepsItsWord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := opening()
		o.LeadWaits = rapid.Bool().Draw(t, "waits")
		c := open(t, o)
		for range 20 {
			actor := drawActor(t)
			var next []refund.Case
			for _, action := range c.Next(actor, noon) {
				after, _, err := c.Apply(complete(c, action.Kind, actor, noon))
				if action.Allowed != (err == nil) {
					t.Fatalf("%s of %v in %s: allowed %v, but %v", action.Kind, actor, c.Status, action.Allowed, err)
				}
				if action.Allowed != (action.Why == "") {
					t.Fatalf("%s: allowed %v, why %q", action.Kind, action.Allowed, action.Why)
				}
				if err == nil {
					next = append(next, after)
				}
				if _, _, err := c.Apply(refund.Event{Kind: action.Kind, Actor: actor, At: noon}); action.Allowed && len(action.Needs) > 0 && !errors.Is(err, refund.ErrMissing) {
					t.Fatalf("%s needs %v and went without: %v", action.Kind, action.Needs, err)
				}
			}
			if len(next) > 0 {
				c = rapid.SampledFrom(next).Draw(t, "next")
			}
		}
	})
}

// play applies events and fails the test on the first error.
func play(t *testing.T, c refund.Case, events ...refund.Event) refund.Case {
	t.Helper()
	for _, e := range events {
		if e.At.IsZero() {
			e.At = noon
		}
		after, _, err := c.Apply(e)
		if err != nil {
			t.Fatal(err)
		}
		c = after
	}
	return c
}

var (
	customer = refund.Actor{Party: refund.ByCustomer, ID: "C-1001"}
	clerk    = refund.Actor{Party: refund.ByClerk, ID: "clerk3"}
	bench    = refund.Actor{Party: refund.ByStation, ID: "u12"}
)

func TestCase_Journeys(t *testing.T) {
	t.Parallel()
	event := func(kind refund.Kind, actor refund.Actor) refund.Event {
		return refund.Event{Kind: kind, Actor: actor, Reason: "because", Waybill: "SF1234567890", SellerRef: "R-1", Amount: money.Fen(40100)}
	}
	refunded := []refund.Event{
		event(refund.ChoseRefund, customer), event(refund.Refused, clerk), event(refund.Resubmitted, clerk),
		event(refund.AgreedReturn, clerk), event(refund.Dispatched, bench), event(refund.SellerReceived, clerk), event(refund.SellerPaid, clerk),
	}
	exchanged := []refund.Event{
		event(refund.ChoseExchange, customer), event(refund.AgreedReturn, clerk), event(refund.Dispatched, bench),
		event(refund.SellerReceived, clerk), event(refund.ReplacementIn, bench), event(refund.RecheckPassed, bench),
	}
	tests := map[string]struct {
		events []refund.Event
		want   refund.Status
	}{
		"refund":       {refunded, refund.Credited},
		"exchange":     {exchanged, refund.Exchanged},
		"second round": {append(slices.Clone(exchanged[:5]), event(refund.RecheckFlagged, bench)), refund.AwaitingDecision},
		"refused":      {[]refund.Event{refunded[0], refunded[1], event(refund.GaveUp, customer)}, refund.Kept},
		"other mind":   {[]refund.Event{refunded[0], event(refund.Reconsidered, customer), event(refund.ChoseKeep, customer)}, refund.Kept},
	}
	for name, test := range tests {
		if c := play(t, open(t, opening()), test.events...); c.Status != test.want {
			t.Errorf("%s: %s, want %s", name, c.Status, test.want)
		}
	}
}

func TestCase_NoFourthRound(t *testing.T) {
	t.Parallel()
	o := opening()
	o.Finding.Round = 3
	c := open(t, o)
	_, _, err := c.Apply(refund.Event{Kind: refund.ChoseExchange, Actor: customer, At: noon})
	if !errors.Is(err, refund.ErrRounds) {
		t.Errorf("a fourth round: %v", err)
	}
}

func TestCase_WindowBindsCustomersOnly(t *testing.T) {
	t.Parallel()
	c := open(t, opening())
	late := c.WindowEndsAt
	if _, _, err := c.Apply(refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: late}); !errors.Is(err, refund.ErrWindowClosed) {
		t.Errorf("a late customer: %v", err)
	}
	play(t, c, refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: late.Add(-time.Nanosecond)})
	play(t, c, refund.Event{Kind: refund.ChoseRefund, Actor: clerk, At: late})
}

func TestCase_Silence(t *testing.T) {
	t.Parallel()
	asked := open(t, opening())
	waits := opening()
	waits.LeadWaits = true
	chosen := play(t, asked, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	// Whoever takes the choice back late is asked anew, with new time.
	again := play(t, chosen, refund.Event{Kind: refund.Reconsidered, Actor: customer, At: asked.DecideBy})
	system := refund.Actor{Party: refund.BySystem}
	undated := asked
	undated.DecideBy = time.Time{}
	tests := map[string]struct {
		c    refund.Case
		by   refund.Actor
		at   time.Time
		want error
	}{
		"on the minute":      {asked, system, asked.DecideBy, nil},
		"later":              {asked, system, asked.DecideBy.Add(time.Hour), nil},
		"before":             {asked, system, asked.DecideBy.Add(-time.Nanosecond), refund.ErrNotNow},
		"no time was set":    {undated, system, asked.DecideBy, refund.ErrNotNow},
		"not asked yet":      {open(t, waits), system, asked.DecideBy, refund.ErrNotNow},
		"chosen":             {chosen, system, asked.DecideBy, refund.ErrNotNow},
		"asked anew":         {again, system, asked.DecideBy, refund.ErrNotNow},
		"asked anew, silent": {again, system, again.DecideBy, nil},
		"a clerk's word":     {asked, clerk, asked.DecideBy, refund.ErrNotYours},
		"a customer's word":  {asked, customer, asked.DecideBy, refund.ErrNotYours},
	}
	for name, test := range tests {
		after, moved, err := test.c.Apply(refund.Event{Kind: refund.NoAnswer, Actor: test.by, At: test.at})
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if kept := after.Status == refund.Kept && after.Reason == refund.Unanswered && after.Intent == refund.Keep; kept != (err == nil) || len(moved) != 0 {
			t.Errorf("%s: %s because %q, %d transfers", name, after.Status, after.Reason, len(moved))
		}
	}
}

// Earlier versions asked a customer again whose item the seller had kept: such a
// case is not ended by saying nothing, and only the money can be chosen.
func TestCase_WhatIsAwayCannotBeKept(t *testing.T) {
	t.Parallel()
	c := play(t, open(t, opening()), refund.Event{Kind: refund.ChoseExchange, Actor: customer}, refund.Event{Kind: refund.AgreedReturn, Actor: clerk},
		refund.Event{Kind: refund.Dispatched, Actor: bench, Waybill: "SF1234567890"}, refund.Event{Kind: refund.SellerReceived, Actor: clerk})
	c.Status, c.DecideBy = refund.AwaitingDecision, noon.Add(time.Hour)
	if _, _, running := c.Timer(); running {
		t.Error("a clock runs")
	}
	for kind, by := range map[refund.Kind]refund.Actor{
		refund.ChoseKeep: customer, refund.ChoseDiscount: customer, refund.NoAnswer: {Party: refund.BySystem},
	} {
		if _, _, err := c.Apply(refund.Event{Kind: kind, Actor: by, At: c.DecideBy}); !errors.Is(err, refund.ErrAway) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	play(t, c, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
}

func TestOpen_DecideBy(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		stockedIn time.Time
		want      time.Duration // after noon
	}{
		"plenty of time":      {noon, 72 * time.Hour},
		"a day before window": {noon.Add(-60 * time.Hour), 36 * time.Hour},
		"never within six":    {noon.Add(-110 * time.Hour), 6 * time.Hour},
		"no window":           {time.Time{}, 72 * time.Hour},
	}
	for name, test := range tests {
		o := opening()
		o.Item.StockedInAt = test.stockedIn
		if c := open(t, o); !c.DecideBy.Equal(noon.Add(test.want)) {
			t.Errorf("%s: decide by %s, want %s later", name, c.DecideBy, test.want)
		}
	}
}

// A station may tell late that a replacement came: the seller's window runs
// from when it came, as far as that can be believed.
func TestCase_WindowFromArrival(t *testing.T) {
	t.Parallel()
	waiting := play(t, open(t, opening()), refund.Event{Kind: refund.ChoseExchange, Actor: customer},
		refund.Event{Kind: refund.AgreedReship, Actor: clerk, At: noon.Add(time.Hour)})
	told := noon.Add(100 * time.Hour)
	for name, test := range map[string]struct{ said, want time.Time }{
		"told late":                   {noon.Add(60 * time.Hour), noon.Add(60 * time.Hour)},
		"not said":                    {time.Time{}, told},
		"before the seller agreed":    {noon, noon.Add(time.Hour)},
		"a clock that runs ahead":     {told.Add(time.Hour), told},
		"a clock that lost its years": {time.Unix(0, 0), noon.Add(time.Hour)},
	} {
		e := refund.Event{
			Kind: refund.ReplacementIn, Actor: bench, At: told, Waybill: "YT1234567890", ArrivedAt: test.said,
		}
		after := play(t, waiting, e)
		if want := qc.WindowEnd(test.want); !after.WindowEndsAt.Equal(want) || !after.ChangedAt.Equal(told) {
			t.Errorf("%s: window ends %s, want %s; changed %s", name, after.WindowEndsAt, want, after.ChangedAt)
		}
	}
}

func TestTransfers_SameFactSameID(t *testing.T) {
	t.Parallel()
	c := play(t, open(t, opening()),
		refund.Event{Kind: refund.ChoseRefund, Actor: customer}, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	pay := func(ref string) []refund.Transfer {
		_, transfers, err := c.Apply(refund.Event{Kind: refund.SellerPaid, Actor: clerk, At: noon, Amount: money.Fen(100), SellerRef: ref})
		if err != nil || len(transfers) != 2 {
			t.Fatalf("%d transfers, %v", len(transfers), err)
		}
		return transfers
	}
	first, again, other := pay("R-1"), pay("R-1"), pay("R-2")
	if first[0].ID != again[0].ID || first[0].ID == first[1].ID || first[0].ID == other[0].ID {
		t.Error("ids do not follow from case, kind and reference")
	}
}

func TestTask_EveryStatusHasOne(t *testing.T) {
	t.Parallel()
	want := map[refund.Status]qc.TaskKind{
		refund.Flagged: qc.TaskHold, refund.AwaitingDecision: qc.TaskHold, refund.Negotiating: qc.TaskHold, refund.SellerRefused: qc.TaskHold,
		refund.ReturnApproved: qc.TaskSendBack, refund.Exchanging: qc.TaskPutAside, refund.Rechecking: qc.TaskReinspect,
		refund.Kept: qc.TaskRelease, refund.Exchanged: qc.TaskRelease, refund.Withdrawn: qc.TaskRelease,
		refund.PhotosRequested: qc.TaskReinspect, refund.OfferPending: qc.TaskHold, refund.Escalated: qc.TaskHold,
		refund.CreditedKept: qc.TaskRelease, refund.Forfeited: qc.TaskPutAside, refund.SellerRefunding: qc.TaskHold, refund.RefundShort: qc.TaskHold,
	}
	for _, s := range refund.Statuses() {
		if got := (refund.Case{Status: s}).Task().Kind; got != want[s] {
			t.Errorf("%s: task %q, want %q", s, got, want[s])
		}
		away := refund.Case{Status: s, Timeline: []refund.Entry{{Event: refund.Dispatched, To: refund.Returning}}}
		if got := away.Task().Kind; got == qc.TaskHold {
			t.Errorf("%s: hold what the seller has", s)
		}
	}
}

func TestCase_StandingSaysWhatAFlagWaitsFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   refund.Case
		want string
	}{
		{refund.Case{Status: refund.Flagged, LeadWaits: true, PhotosMissing: 2}, "flagged"},
		{refund.Case{Status: refund.Flagged, LeadWaits: true}, "flagged"},
		{refund.Case{Status: refund.Flagged, PhotosMissing: 2}, "flagged.photos"},
		{refund.Case{Status: refund.Returning, PhotosMissing: 2}, "returning"},
	} {
		if got := c.of.Standing(); got != c.want {
			t.Errorf("%+v stands as %q, want %q", c.of.Status, got, c.want)
		}
	}
}
