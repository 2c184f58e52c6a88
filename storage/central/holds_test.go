package central_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"

	"github.com/google/uuid"
)

// rich is a world whose customer has ¥401.00 on the balance.
func rich(t *testing.T, open opener) world {
	t.Helper()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"})
	return w
}

func reservation(fen int64) central.Reservation {
	return central.Reservation{
		ID: uuid.NewString(), Holder: "shop:eu", Customer: "C-1001", Amount: money.Fen(fen), Ref: "A-17", Lasts: time.Hour,
	}
}

func (w world) funds(posted, held, available int64) {
	w.t.Helper()
	got, err := w.Funds(w.t.Context(), "C-1001")
	w.must(err)
	if want := (central.Funds{Posted: money.Fen(posted), Held: money.Fen(held), Available: money.Fen(available)}); got != want {
		w.t.Fatalf("funds %+v, want %+v", got, want)
	}
}

func (open opener) testHoldsAreSpentOnce(t *testing.T) {
	t.Parallel()
	w := rich(t, open)
	w.funds(40100, 0, 40100)
	r := reservation(10000)
	h, err := w.Reserve(t.Context(), r, noon)
	w.must(err)
	w.funds(40100, 10000, 30100)
	again, err := w.Reserve(t.Context(), r, noon.Add(time.Minute))
	w.must(err)
	if again != h || h.State != refund.HoldPending || !h.ExpiresAt.Equal(noon.Add(time.Hour)) {
		t.Fatalf("the same again: %+v, then %+v", h, again)
	}
	for name, change := range map[string]func(*central.Reservation){
		"amount":   func(r *central.Reservation) { r.Amount = money.Fen(10001) },
		"ref":      func(r *central.Reservation) { r.Ref = "A-18" },
		"time":     func(r *central.Reservation) { r.Lasts = 2 * time.Hour },
		"customer": func(r *central.Reservation) { r.Customer = "C-2" },
		"holder":   func(r *central.Reservation) { r.Holder = "shop:us" },
	} {
		other := r
		change(&other)
		if _, err := w.Reserve(t.Context(), other, noon); !errors.Is(err, refund.ErrHoldChanged) {
			t.Errorf("another %s under the same id: %v", name, err)
		}
	}

	_, err = w.Spend(t.Context(), "shop:us", h.ID, money.Fen(1), noon)
	wantErr(t, err, qc.ErrNotFound)
	_, err = w.Spend(t.Context(), r.Holder, h.ID, money.Fen(10001), noon)
	wantErr(t, err, refund.ErrHoldAmount)
	_, err = w.Spend(t.Context(), r.Holder, h.ID, money.Fen(0), noon)
	wantErr(t, err, refund.ErrHoldAmount)
	spent, err := w.Spend(t.Context(), r.Holder, h.ID, money.Fen(7001), noon)
	w.must(err)
	same, err := w.Spend(t.Context(), r.Holder, h.ID, money.Fen(7001), noon.Add(2*time.Hour))
	w.must(err)
	if spent != same || spent.State != refund.HoldSpent || spent.Spent != money.Fen(7001) {
		t.Errorf("spent %+v, then %+v", spent, same)
	}
	_, err = w.Spend(t.Context(), r.Holder, h.ID, money.Fen(2999), noon)
	wantErr(t, err, refund.ErrHoldOver)
	_, err = w.Release(t.Context(), r.Holder, h.ID, noon)
	wantErr(t, err, refund.ErrHoldOver)
	w.funds(33099, 0, 33099)
	kept, err := w.Hold(t.Context(), r.Holder, h.ID)
	w.must(err)
	if kept != spent {
		t.Errorf("kept as %+v", kept)
	}
	if again, err := w.Reserve(t.Context(), r, noon); err != nil || again != spent {
		t.Errorf("the reservation again: %+v, %v", again, err)
	}

	view := w.seen()
	var lines []string
	for _, line := range view.Statement {
		lines = append(lines, fmt.Sprintf("%s %s %s %s %s", line.Kind, line.Amount, line.Ref, line.Running, line.Held))
	}
	want := []string{
		"credit ¥401.00  ¥401.00 ¥0.00", "reserve −¥100.00 A-17 ¥301.00 ¥100.00",
		"spend −¥70.01 A-17 ¥301.00 ¥29.99", "release ¥29.99 A-17 ¥330.99 ¥0.00",
	}
	if fmt.Sprint(lines) != fmt.Sprint(want) {
		t.Errorf("statement %q, want %q", lines, want)
	}
	w.sound()
}

func (open opener) testHoldsAreRefused(t *testing.T) {
	t.Parallel()
	w := rich(t, open)
	euro, err := money.New(100, money.EUR)
	w.must(err)
	for name, test := range map[string]struct {
		change func(*central.Reservation)
		want   error
	}{
		"more than there is": {func(r *central.Reservation) { r.Amount = money.Fen(40101) }, refund.ErrFunds},
		"nothing":            {func(r *central.Reservation) { r.Amount = money.Fen(0) }, refund.ErrHoldBroken},
		"less than nothing":  {func(r *central.Reservation) { r.Amount = money.Fen(-5) }, refund.ErrHoldBroken},
		"euro":               {func(r *central.Reservation) { r.Amount = euro }, refund.ErrCurrency},
		"no id":              {func(r *central.Reservation) { r.ID = "order-17" }, refund.ErrHoldBroken},
		"no reference":       {func(r *central.Reservation) { r.Ref = "" }, refund.ErrHoldBroken},
		"nobody asks":        {func(r *central.Reservation) { r.Holder = "" }, refund.ErrHoldBroken},
		"no time":            {func(r *central.Reservation) { r.Lasts = 0 }, refund.ErrHoldBroken},
		"too long":           {func(r *central.Reservation) { r.Lasts = refund.LongestHold + time.Second }, refund.ErrHoldBroken},
		"a stranger":         {func(r *central.Reservation) { r.Customer = "C-9" }, qc.ErrNotFound},
	} {
		r := reservation(100)
		test.change(&r)
		if _, err := w.Reserve(t.Context(), r, noon); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	_, err = w.Funds(t.Context(), "C-9")
	wantErr(t, err, qc.ErrNotFound)
	_, err = w.Spend(t.Context(), "shop:eu", uuid.NewString(), money.Fen(1), noon)
	wantErr(t, err, qc.ErrNotFound)
	w.funds(40100, 0, 40100)
	w.sound()
}

func (open opener) testHoldsExpire(t *testing.T) {
	t.Parallel()
	w := rich(t, open)
	r := reservation(40100)
	h, err := w.Reserve(t.Context(), r, noon)
	w.must(err)
	n, err := w.ExpireHolds(t.Context(), noon.Add(time.Hour-time.Microsecond))
	w.must(err)
	if n != 0 {
		t.Fatalf("%d expired before their time", n)
	}
	_, err = w.Spend(t.Context(), r.Holder, h.ID, r.Amount, noon.Add(time.Hour))
	wantErr(t, err, refund.ErrHoldOver) // its time is over, though nobody has seen to it yet
	w.funds(40100, 40100, 0)
	n, err = w.ExpireHolds(t.Context(), noon.Add(time.Hour))
	w.must(err)
	if n != 1 {
		t.Fatalf("%d expired, want 1", n)
	}
	w.funds(40100, 0, 40100)
	gone, err := w.Release(t.Context(), r.Holder, h.ID, noon.Add(2*time.Hour))
	w.must(err)
	if gone.State != refund.HoldExpired {
		t.Errorf("released after its end: %+v", gone)
	}

	// What has expired does not stand in the way of the next one.
	first := reservation(40100)
	_, err = w.Reserve(t.Context(), first, noon)
	w.must(err)
	_, err = w.Reserve(t.Context(), reservation(40100), noon.Add(time.Hour))
	w.must(err)
	w.funds(40100, 40100, 0)
	w.sound()
}

// testManyHoldsAtOnce: of 50 who want a third of the balance each, three get
// it; what each of them then does twice, and against the clock, happens once.
func (open opener) testManyHoldsAtOnce(t *testing.T) {
	t.Parallel()
	w := rich(t, open)
	var got, short atomic.Int64
	var mu sync.Mutex
	var held []string
	together(t, 50, func(int) error {
		h, err := w.Reserve(t.Context(), reservation(13000), noon)
		switch {
		case err == nil:
			got.Add(1)
			mu.Lock()
			held = append(held, h.ID)
			mu.Unlock()
		case errors.Is(err, refund.ErrFunds):
			short.Add(1)
		default:
			return err
		}
		return nil
	})
	if got.Load() != 3 || short.Load() != 47 {
		t.Fatalf("%d got it and %d did not", got.Load(), short.Load())
	}
	w.funds(40100, 39000, 1100)

	// The same wish from many hands is one wish, and all get one answer.
	r := reservation(1100)
	var answers sync.Map
	together(t, 50, func(int) error {
		h, err := w.Reserve(t.Context(), r, noon)
		answers.Store(h, true)
		return err
	})
	n := 0
	answers.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d different answers to one wish", n)
	}

	// Spending, releasing and expiring race: one of them wins, for each hold.
	late := noon.Add(time.Hour)
	var spent, over atomic.Int64
	together(t, 51, func(i int) error {
		id := held[i%3]
		var err error
		switch i % 17 {
		case 0:
			_, err = w.ExpireHolds(t.Context(), late)
			return err
		case 1:
			_, err = w.Release(t.Context(), "shop:eu", id, late)
		default:
			_, err = w.Spend(t.Context(), "shop:eu", id, money.Fen(int64(13000-i%5)), noon)
			if err == nil {
				spent.Add(1)
			}
		}
		if errors.Is(err, refund.ErrHoldOver) {
			over.Add(1)
			return nil
		}
		return err
	})
	left, err := w.Funds(t.Context(), "C-1001")
	w.must(err)
	if !left.Held.IsZero() || left.Posted.Minor() < 40100-39000 || left.Posted.Minor() > 40100 {
		t.Errorf("left %+v after %d were spent and %d came late", left, spent.Load(), over.Load())
	}
	w.sound()
}

func (open opener) testWithdrawals(t *testing.T) {
	t.Parallel()
	w := rich(t, open)
	_, err := w.ImportOrders(t.Context(), []qc.Order{sampleOrder()}, noon)
	w.must(err)
	w.must(w.AddStaff(t.Context(), central.NewStaff{ID: "clerk4", Name: "赵敏", Role: qc.Clerk, More: []qc.Role{qc.Approver}}, noon))
	ask := func(fen int64, by string) refund.Withdrawal {
		return refund.Withdrawal{ID: uuid.NewString(), Customer: "C-1001", Amount: money.Fen(fen), To: "Alipay ana@example.com", AskedBy: by}
	}
	first := ask(30000, "clerk:clerk3")
	asked, err := w.AskWithdrawal(t.Context(), first, noon)
	w.must(err)
	again, err := w.AskWithdrawal(t.Context(), first, noon.Add(time.Minute))
	w.must(err)
	if asked != again || asked.State != refund.WithdrawalAsked {
		t.Fatalf("asked %+v, then %+v", asked, again)
	}
	first.To = "elsewhere"
	_, err = w.AskWithdrawal(t.Context(), first, noon)
	wantErr(t, err, refund.ErrHoldChanged)
	_, err = w.AskWithdrawal(t.Context(), ask(10101, "shop:eu"), noon)
	wantErr(t, err, refund.ErrFunds)
	w.funds(40100, 30000, 10100)
	_, err = w.Spend(t.Context(), "clerk:clerk3", asked.ID, money.Fen(1), noon)
	wantErr(t, err, qc.ErrNotFound) // it is for being paid out
	_, err = w.ExpireHolds(t.Context(), noon.AddDate(1, 0, 0))
	w.must(err)
	w.funds(40100, 30000, 10100)

	_, err = w.PayWithdrawal(t.Context(), asked.ID, "B-1", "clerk4", noon)
	wantErr(t, err, refund.ErrUnapproved)
	for _, by := range []qc.StaffID{"u12", "clerk3", "nobody", ""} {
		_, err = w.ApproveWithdrawal(t.Context(), asked.ID, by, noon)
		wantErr(t, err, refund.ErrApprover)
		_, err = w.PayWithdrawal(t.Context(), asked.ID, "B-1", "u12", noon)
		wantErr(t, err, refund.ErrNotYours)
	}
	own := ask(100, "clerk:clerk4")
	_, err = w.AskWithdrawal(t.Context(), own, noon)
	w.must(err)
	_, err = w.ApproveWithdrawal(t.Context(), own.ID, "clerk4", noon)
	wantErr(t, err, refund.ErrSamePerson)
	_, err = w.RefuseWithdrawal(t.Context(), own.ID, "only a try", "clerk4", noon)
	w.must(err)
	approved, err := w.ApproveWithdrawal(t.Context(), asked.ID, "clerk4", noon)
	w.must(err)
	if waiting, err := w.Withdrawals(t.Context(), central.WithdrawalFilter{State: refund.WithdrawalApproved}); err != nil || len(waiting) != 1 || waiting[0] != approved {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	_, err = w.PayWithdrawal(t.Context(), asked.ID, "", "clerk4", noon)
	wantErr(t, err, refund.ErrMissing)
	together(t, 20, func(int) error {
		_, err := w.PayWithdrawal(t.Context(), asked.ID, "B-1", "clerk3", noon)
		return err
	})
	_, err = w.PayWithdrawal(t.Context(), asked.ID, "B-2", "clerk3", noon)
	wantErr(t, err, refund.ErrWithdrawalOver)
	_, err = w.RefuseWithdrawal(t.Context(), asked.ID, "late", "clerk3", noon)
	wantErr(t, err, refund.ErrWithdrawalOver)
	w.funds(10100, 0, 10100)
	lines := w.seen().Statement
	if last := lines[len(lines)-1]; last.Kind != "payout" || last.Amount != money.Fen(-30000) || last.Ref != "B-1" {
		t.Errorf("statement ends with %+v", last)
	}

	second, err := w.AskWithdrawal(t.Context(), ask(10100, "shop:eu"), noon)
	w.must(err)
	_, err = w.RefuseWithdrawal(t.Context(), second.ID, "", "clerk3", noon)
	wantErr(t, err, refund.ErrMissing)
	refused, err := w.RefuseWithdrawal(t.Context(), second.ID, "The account has another name", "clerk3", noon)
	w.must(err)
	if refused.State != refund.WithdrawalRefused || refused.EndedBy != "clerk3" {
		t.Errorf("refused %+v", refused)
	}
	w.funds(10100, 0, 10100)
	w.sound()
}
