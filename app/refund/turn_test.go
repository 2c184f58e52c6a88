package refund_test

import (
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

func TestTurn_EveryOpenStatusIsSomebodys(t *testing.T) {
	t.Parallel()
	for _, status := range refund.Statuses() {
		c := open(t, opening())
		c.Status, c.Offer = status, &refund.Offer{ExpiresAt: noon.Add(time.Hour)}
		turn := c.Turn()
		if status.Terminal() != (turn.Side == "") {
			t.Errorf("%s: the turn of %q", status, turn.Side)
		}
		if !status.Terminal() && turn.First().IsZero() {
			t.Errorf("%s would be forgotten: nothing of it ever runs out", status)
		}
	}
}

func TestTurn(t *testing.T) {
	t.Parallel()
	c := open(t, opening())
	asked := c.Turn()
	if asked.Side != refund.CustomersTurn || !asked.By.Equal(c.DecideBy) || !asked.Ends.Equal(c.WindowEndsAt) {
		t.Errorf("asked: %+v", asked)
	}
	waits := opening()
	waits.LeadWaits = true
	if turn := open(t, waits).Turn(); turn.Side != refund.LeadsTurn || !turn.By.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("waits for the lead: %+v", turn)
	}
	filed := play(t, c, refund.Event{Kind: refund.ChoseRefund, Actor: refund.Actor{Party: refund.ByCustomer}, At: noon})
	if turn := filed.Turn(); turn.Side != refund.SellersTurn || !turn.Ends.IsZero() || !turn.First().Equal(noon.Add(120*time.Hour)) {
		t.Errorf("filed in time, the window is not the clock any more: %+v", turn)
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	clerk := refund.Actor{Party: refund.ByClerk, ID: "clerk3"}
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	step := func(hours int, kind refund.Kind) refund.Event {
		return refund.Event{Kind: kind, Actor: clerk, At: at(hours), Reason: "because", Approver: "lead7"}
	}
	paid := func(hours int, fen int64, ref string) refund.Event {
		return refund.Event{Kind: refund.SellerPaid, Actor: clerk, At: at(hours), Amount: money.Fen(fen), SellerRef: ref}
	}
	chosen := []refund.Event{step(1, refund.ChoseRefund), step(2, refund.Reconsidered), step(3, refund.ChoseRefund)}
	for name, c := range map[string]struct {
		then []refund.Event
		want refund.Claim
	}{
		"open": {nil, refund.Claim{DecidedAt: at(3)}},
		"paid in two parts": {
			[]refund.Event{step(4, refund.AgreedRefund), paid(5, 10000, "R1"), paid(27, 30100, "R2")},
			refund.Claim{DecidedAt: at(3), CreditedAt: at(27), EndedAt: at(27), Result: refund.ClaimRefunded},
		},
		"short": {
			[]refund.Event{step(4, refund.AgreedRefund), paid(5, 10000, "R1"), step(6, refund.ShortSettled)},
			refund.Claim{DecidedAt: at(3), CreditedAt: at(5), EndedAt: at(6), Result: refund.ClaimShort},
		},
		"refused": {
			[]refund.Event{step(4, refund.Refused), step(5, refund.GaveUp)},
			refund.Claim{DecidedAt: at(3), EndedAt: at(5), Result: refund.ClaimRefused},
		},
		"our own mistake": {
			[]refund.Event{step(4, refund.DeskWithdrew)},
			refund.Claim{DecidedAt: at(3), EndedAt: at(4), Result: refund.ClaimAside},
		},
		"kept after all": {
			[]refund.Event{step(4, refund.Reconsidered), step(5, refund.ChoseKeep)},
			refund.Claim{DecidedAt: at(3), EndedAt: at(5), Result: refund.ClaimAside},
		},
	} {
		got := play(t, open(t, opening()), append(chosen[:len(chosen):len(chosen)], c.then...)...).Claim()
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestFlawedPieces(t *testing.T) {
	t.Parallel()
	flaw := func(s qc.Severity, n int) qc.Flaw { return qc.Flaw{Severity: s, Quantity: n} }
	for name, c := range map[string]struct {
		f    qc.Finding
		want int
	}{
		"passed with a remark":    {qc.Finding{Verdict: qc.Pass, Flaws: []qc.Flaw{flaw(qc.Observation, 3)}}, 0},
		"the same two pieces":     {qc.Finding{Verdict: qc.Flag, Flaws: []qc.Flaw{flaw(qc.Minor, 2), flaw(qc.Major, 1)}}, 2},
		"unsure, without a flaw":  {qc.Finding{Verdict: qc.Flag}, 1},
		"remarks count no pieces": {qc.Finding{Verdict: qc.Flag, Flaws: []qc.Flaw{flaw(qc.Observation, 3), flaw(qc.Minor, 1)}}, 1},
		"more than there are":     {qc.Finding{Verdict: qc.Flag, Flaws: []qc.Flaw{flaw(qc.Major, 9)}}, 3},
	} {
		if got := refund.FlawedPieces(c.f, 3); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
