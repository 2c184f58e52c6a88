package refund_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/refund"

	"pgregory.net/rapid"
)

const holdID = "0198f3a2-6c1e-7f0b-9a6e-2f8d7b1c4e90"

// TestHold_AnyLife asks anything of a hold in any order: it ends once, and no
// fen is lost, made or moved twice.
func TestHold_AnyLife(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(1, 1000).Draw(t, "amount")
		asked := refund.Hold{
			ID: holdID, Holder: "shop:eu", Purpose: rapid.SampledFrom([]refund.Purpose{refund.ForShop, refund.ForPayout}).Draw(t, "purpose"),
			Customer: "C-1001", Amount: money.Fen(amount), Ref: "A-17", ExpiresAt: noon.Add(time.Hour),
		}
		h, all, err := asked.Set(noon)
		if err != nil {
			t.Fatal(err)
		}
		at := noon
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute)
			late := !at.Before(h.ExpiresAt)
			step := rapid.SampledFrom([]string{"spend", "pay", "release", "expire"}).Draw(t, "step")
			var after refund.Hold
			var moved []refund.Transfer
			switch step {
			case "spend":
				if h.Purpose != refund.ForShop {
					continue
				}
				after, moved, err = h.Spend(money.Fen(rapid.Int64Range(-1, amount+1).Draw(t, "part")), at)
			case "pay":
				if h.Purpose != refund.ForPayout {
					continue
				}
				after, moved, err = h.PayOut(at)
			case "release":
				after, moved, err = h.Release(at)
			default:
				after, moved, err = h.Expire(at)
			}
			if err != nil && (after != h || moved != nil) {
				t.Fatalf("%s failed and left something behind", step)
			}
			if len(moved) > 0 && h.State != refund.HoldPending {
				t.Fatalf("%s moved money of a hold that was %s", step, h.State)
			}
			if err == nil && len(moved) == 0 && after != h {
				t.Fatalf("%s changed the hold and moved nothing", step)
			}
			if late && after.State == refund.HoldSpent && h.State == refund.HoldPending || !late && after.State == refund.HoldExpired {
				t.Fatalf("%s at %s made it %s", step, at, after.State)
			}
			all, h = append(all, moved...), after
		}
		if !slices.EqualFunc(all, h.Moved(), func(a, b refund.Transfer) bool { return a == b }) {
			t.Fatalf("moved %+v, want %+v", all, h.Moved())
		}
		posted := make(map[refund.Account]int64)
		for _, transfer := range all {
			posted[transfer.Credit] += transfer.Amount.Minor()
			posted[transfer.Debit] -= transfer.Amount.Minor()
		}
		held := int64(0)
		if h.State == refund.HoldPending {
			held = amount
		}
		gone := posted[refund.ShopAccount("shop:eu")] + posted[refund.PayoutAccount]
		if posted[refund.HoldAccount("C-1001")] != held || gone != h.Spent.Minor() ||
			posted[refund.CustomerAccount("C-1001")] != -held-gone {
			t.Fatalf("a hold that is %s posted %v", h.State, posted)
		}
	})
}

// TestWithdrawal_NeedsASecondPerson: whoever asked never agrees, and nothing is
// paid out that nobody agreed to.
func TestWithdrawal_NeedsASecondPerson(t *testing.T) {
	t.Parallel()
	asked := refund.Withdrawal{ID: holdID, Customer: "C-1001", Amount: money.Fen(100), To: "Alipay", AskedBy: "clerk:clerk3", State: refund.WithdrawalAsked}
	if _, err := asked.Approve("clerk3", noon); !errors.Is(err, refund.ErrSamePerson) {
		t.Errorf("approved by whoever asked: %v", err)
	}
	if _, err := asked.Pay("B-1", "clerk4", noon); !errors.Is(err, refund.ErrUnapproved) {
		t.Errorf("paid before anybody agreed: %v", err)
	}
	approved, err := asked.Approve("clerk4", noon)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := approved.Approve("clerk4", noon.Add(time.Hour)); err != nil || again != approved {
		t.Errorf("approved again: %+v, %v", again, err)
	}
	paid, err := approved.Pay("B-1", "clerk3", noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := paid.Refuse("too late", "clerk4", noon); !errors.Is(err, refund.ErrWithdrawalOver) {
		t.Errorf("refused after it was paid: %v", err)
	}
}
