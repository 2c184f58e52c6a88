package central_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"

	"pgregory.net/rapid"
)

// testMemos: each payment has its memo, numbered without gaps, and a payment
// that is refused takes no number.
func (open opener) testMemos(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	c := w.visible("20481-2")
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(10001), SellerRef: "R-1"})
	_, err := w.Act(t.Context(), c.ID, 0, refund.Event{Kind: refund.SellerPaid, Actor: clerk, At: noon, Amount: money.Fen(99999), SellerRef: "R-2"}, "")
	wantErr(t, err, refund.ErrAmount)
	c = w.act(c.ID, refund.Event{Kind: refund.AgentPaid, Actor: clerk, Reason: "our parcel", Approver: "boss1"})
	first, err := w.Memo(t.Context(), 1)
	w.must(err)
	second, err := w.Memo(t.Context(), 2)
	w.must(err)
	_, err = w.Memo(t.Context(), 3)
	wantErr(t, err, qc.ErrNotFound)
	if first.Ref != "R-1" || first.Net != money.Fen(10001) || first.Title.ZH != "鞋" || first.Name != "Ana" || first.Customer != "C-1001" ||
		first.Order != "20481" || first.Number.String() != "CM-000001" || !first.At.Equal(noon) {
		t.Errorf("first memo %+v", first)
	}
	if second.Ref != "" || second.Net != money.Fen(30099) || second.Lines[0].By != refund.ByClerk || second.Version != c.Version {
		t.Errorf("second memo %+v", second)
	}
	view := w.seen()
	if len(view.Statement) != 2 || view.Statement[0].Memo != 1 || view.Statement[1].Memo != 2 {
		t.Errorf("statement %+v", view.Statement)
	}
	d, err := w.Dossier(t.Context(), c.ID)
	w.must(err)
	if len(d.Memos) != 2 || d.Memos[1].Number != 2 {
		t.Errorf("dossier has memos %+v", d.Memos)
	}
	told := make(map[refund.MemoNumber]bool)
	notices, err := w.Notices(t.Context(), central.NoticeFilter{})
	w.must(err)
	for _, n := range notices {
		if n.Kind == refund.TellCredited {
			told[n.Snapshot.Memo] = true
		}
	}
	if len(told) != 2 || !told[1] || !told[2] {
		t.Errorf("told of memos %v", told)
	}
	w.sound()
}

// testMoneyOfAnyLife pays, gives, sets aside, spends, releases and pays out at
// random, and derives everything again after every life.
func (open opener) testMoneyOfAnyLife(t *testing.T) {
	t.Parallel()
	w, cases := owing(t, open)
	var refs atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		var held []string
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			item := rapid.SampledFrom([]qc.ItemID{"20481-1", "20481-2", "20481-3"}).Draw(t, "item")
			fen := rapid.SampledFrom([]int64{1, 7, 333, 1299, 99999999}).Draw(t, "fen")
			e := refund.Event{Kind: refund.SellerPaid, Actor: clerk, At: noon, Amount: money.Fen(fen), SellerRef: fmt.Sprint("P-", refs.Add(1))}
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				e = refund.Event{Kind: refund.Goodwill, Actor: clerk, At: noon, Amount: money.Fen(min(fen, 500)), Reason: "sorry"}
				fallthrough
			case 1, 2:
				_, _ = w.Act(t.Context(), cases[item].ID, 0, e, "") // refused where it is too much
			case 3:
				r := reservation(fen)
				if _, err := w.Reserve(t.Context(), r, noon); err == nil {
					held = append(held, r.ID)
				}
			case 4:
				if len(held) > 0 {
					_, _ = w.Spend(t.Context(), "shop:eu", held[0], money.Fen(fen), noon)
				}
			default:
				if len(held) > 0 {
					_, _ = w.Release(t.Context(), "shop:eu", held[0], noon)
					held = held[1:]
				}
			}
		}
		f, err := w.Funds(t.Context(), "C-1001")
		w.must(err)
		if f.Available.Minor() < 0 || f.Held.Minor() < 0 {
			t.Fatalf("funds %+v", f)
		}
		lines := w.seen().Statement
		if len(lines) > 0 && (lines[len(lines)-1].Running != f.Available || lines[len(lines)-1].Held != f.Held) {
			t.Fatalf("the statement ends with %+v, the customer has %+v", lines[len(lines)-1], f)
		}
		w.sound()
	})
}
