package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ReadRefunds reads lines of number, amount, item and date.
func (w *world) ReadRefunds(data []byte) ([]Payment, error) {
	reader := csv.NewReader(bytes.NewReader(data))
	lines, err := reader.ReadAll()
	if err != nil {
		return nil, &BrokenFile{Problem: "quote", Line: len(lines) + 3}
	}
	if len(lines) == 0 || lines[0][0] != "ref" {
		return nil, &BrokenFile{Problem: "column_missing", Line: 1, Column: "reference", Names: lines[0], Like: []string{"reference", "退款编号"}}
	}
	if len(lines) == 1 {
		return nil, &BrokenFile{Problem: "empty"}
	}
	var payments []Payment
	for i, line := range lines[1:] {
		next := Payment{Line: i + 2, Ref: line[0], Note: line[2]}
		if next.Amount, err = money.Parse(line[1], money.CNY); err != nil {
			next.Broken, next.Fault, next.Heading, next.Said = "amount", "amount", lines[0][1], line[1]
		}
		next.Date, _ = time.Parse(time.DateOnly, line[3])
		payments = append(payments, next)
	}
	return payments, nil
}

// MatchRefunds matches by the item that a payment names, else by its amount.
func (w *world) MatchRefunds(_ context.Context, payments []Payment) ([]PaymentMatch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	matches := make([]PaymentMatch, len(payments))
	for i, payment := range payments {
		matches[i] = PaymentMatch{Payment: payment, State: "unknown"}
		w.match(&matches[i])
	}
	return matches, nil
}

func (w *world) match(m *PaymentMatch) {
	if m.Payment.Broken != "" {
		m.State = MatchBroken
		return
	}
	if m.Payment.Total {
		m.State = "total"
		return
	}
	for _, id := range slices.Sorted(maps.Keys(w.cases)) {
		c := w.cases[id]
		owed, _ := c.Owed()
		waits, _ := owed.Sub(c.Received)
		waiting := c.Status == refund.SellerRefunding || c.Status == refund.RefundShort
		named := m.Payment.Note == string(c.Item)
		switch {
		case c.SellerRef == m.Payment.Ref:
			m.State, m.Case = MatchDone, id
			return
		case named && !waiting:
			m.State, m.Case, m.Item = "ended", id, c.Item
		case named && waits.Minor() < m.Payment.Amount.Minor():
			m.State, m.Case, m.Item, m.Waits = "over", id, c.Item, waits
		case named:
			m.State, m.Case, m.Item, m.Waits, m.Short = MatchSure, id, c.Item, waits, m.Payment.Amount.Minor() < waits.Minor()
		case m.Payment.Note == "" && waiting && waits == m.Payment.Amount:
			m.State, m.Case, m.Item, m.Waits = MatchLikely, id, c.Item, waits
		}
	}
}

func (w *world) BookRefunds(ctx context.Context, matches []PaymentMatch, by refund.Actor, at time.Time) ([]PaymentMatch, error) {
	after := slices.Clone(matches)
	for i := range after {
		m := &after[i]
		if m.State != MatchSure {
			continue
		}
		e := refund.Event{Kind: refund.SellerPaid, Actor: by, At: at, Amount: m.Payment.Amount, SellerRef: m.Payment.Ref}
		_, err := w.Act(ctx, m.Case, 0, e, m.Payment.Ref)
		problem, err := outcome(err)
		if err != nil {
			return after, err
		}
		m.State = MatchDone
		if problem != "web.notice.done" {
			m.State, m.Problem = MatchBroken, problem
		}
	}
	return after, nil
}

// paymentsRun is the address of a file that D01 has sent.
const paymentsRun = "/desk/refunds/ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// paymentsFile tells of a payment of every sort to paymentsWorld.
const paymentsFile = "ref,amount,note,date\n" +
	"R-20261119-1,401.00,20481-2,2026-11-19\n" +
	"R-20261119-2,111.00,,2026-11-19\n" +
	"R-20261119-3,9999.00,20482-1,2026-11-19\n" +
	"R-20261119-4,88.00,20481-1,2026-11-20\n" +
	"R-20261119-5,free,20481-1,\n" +
	"202611200000000000000000000000000000006,12.50,其他店铺,2026-11-20\n"

// paymentsWorld has three cases that wait for money, and a file that brings it.
func paymentsWorld(t *testing.T, w *world) {
	t.Helper()
	claimsWorld(t, w)
	w.flagged(t, "20481-1", false)
	w.move(t, "K-20482-1", refund.Event{Kind: refund.ChoseRefund, Actor: refund.Actor{Party: refund.ByCustomer, ID: "C-1002"}})
	for _, id := range []qc.CaseID{"K-20481-2", "K-20481-3", "K-20482-1"} {
		w.move(t, id, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	}
	payments, err := w.ReadRefunds([]byte(paymentsFile))
	if err != nil {
		t.Fatal(err)
	}
	request, err := json.Marshal(payments)
	if err != nil {
		t.Fatal(err)
	}
	run := Run{ID: paymentsRun[len("/desk/refunds/"):], Kind: "refunds", Staff: "D01", At: w.now, Request: string(request)}
	if err := w.KeepRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
}

// bookedWorld is paymentsWorld once the sure ones are booked.
func bookedWorld(t *testing.T, w *world) {
	t.Helper()
	paymentsWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	b.sent(paymentsRun, b.confirmationAt(paymentsRun))
}
