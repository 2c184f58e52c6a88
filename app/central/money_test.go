package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// TestMoney_ByCommand books a marketplace's file and pays a part of it out.
func TestMoney_ByCommand(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	cases, err := h.c.store.Cases(t.Context(), central.CaseFilter{})
	h.must(err)
	h.must(h.c.store.AddStaff(t.Context(), central.NewStaff{ID: "clerk3", Name: "李娜", Role: qc.Clerk}, h.now))
	h.must(h.c.store.AddStaff(t.Context(), central.NewStaff{ID: "boss1", Name: "赵敏", Role: qc.Approver}, h.now))
	for _, e := range []refund.Event{
		{Kind: refund.ChoseRefund, Actor: refund.Actor{Party: refund.ByCustomer}},
		{Kind: refund.AgreedRefund, Actor: refund.Actor{Party: refund.ByClerk, ID: "clerk3"}},
	} {
		_, err := h.c.store.Act(t.Context(), cases[0].ID, 0, e, "")
		h.must(err)
	}
	owed, err := cases[0].Owed()
	h.must(err)
	dir := h.c.settings.Data
	h.must(h.c.store.Close())
	run := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if code := program().Main(t.Context(), append(args, "--data", dir, "--lang", "en"), nil, dir, &out, &out); code != want {
			t.Fatalf("%q: code %d, want %d: %s", args, code, want, &out)
		}
		return out.String()
	}
	file := filepath.Join(t.TempDir(), "refunds.csv")
	h.must(os.WriteFile(file, []byte("ref,amount,note\nR-1,¥"+owed.Decimal()+","+string(cases[0].Item)+"\nR-2,1.00,\n"), 0o600))

	if said := run(0, "refunds", "match", file); !strings.Contains(said, "to be booked") || !strings.Contains(said, "no case of ours") {
		t.Errorf("matched: %s", said)
	}
	run(1, "refunds", "match", file, "--book")
	run(1, "refunds", "match", file, "--book", "--by", "u12")
	for range 2 {
		first, _, _ := strings.Cut(run(0, "refunds", "match", file, "--book", "--by", "clerk3", "--json"), "\n")
		var m central.RefundMatch
		h.must(json.Unmarshal([]byte(first), &m))
		if m.State != central.MatchDone || m.Case != cases[0].ID || m.Item != cases[0].Item || m.Amount != owed {
			t.Errorf("booked %+v", m)
		}
	}
	if said := run(0, "refunds", "match", file); !strings.Contains(said, string(cases[0].Item)) || !strings.Contains(said, string(cases[0].ID)) {
		t.Errorf("what was booked before is of no item, or of no case: %s", said)
	}
	customer := string(cases[0].Customer)
	if said := run(0, "balance", customer); !strings.Contains(said, owed.String()) {
		t.Errorf("balance: %s", said)
	}
	run(1, "balance", "nobody")

	if said := run(1, "withdrawal", "ask", customer, "99999.00", "Alipay", "--by", "clerk3"); !strings.Contains(said, "more than is free") {
		t.Errorf("asked for too much: %s", said)
	}
	run(1, "withdrawal", "ask", customer, "a lot", "Alipay", "--by", "clerk3")
	run(0, "withdrawal", "ask", customer, "0.50", "Alipay", "ana@example.com", "--by", "clerk3")
	var w refund.Withdrawal
	h.must(json.Unmarshal([]byte(run(0, "withdrawals", "--state", "asked", "--json")), &w))
	if w.To != "Alipay ana@example.com" || w.Amount != money.Fen(50) {
		t.Fatalf("asked for %+v", w)
	}
	if said := run(1, "withdrawal", "approve", w.ID, "--by", "clerk3"); strings.Contains(said, "approved") || !strings.Contains(said, "approve") {
		t.Errorf("approved by a clerk: %s", said)
	}
	run(1, "withdrawal", "pay", w.ID, "B-1", "--by", "boss1")
	run(0, "withdrawal", "approve", w.ID, "--by", "boss1")
	run(0, "withdrawal", "pay", w.ID, "B-1", "--by", "clerk3")
	if said := run(1, "withdrawal", "refuse", w.ID, "late", "--by", "boss1"); !strings.Contains(said, "already") {
		t.Errorf("refused after it was paid: %s", said)
	}
	run(0, "verify")

	store, err := central.Open(t.Context(), central.Config{Dir: dir, Now: time.Now})
	h.must(err)
	h.c.store = store // for the house to close
	rest, err := store.Balance(t.Context(), cases[0].Customer)
	h.must(err)
	if rest.Minor() != owed.Minor()-50 {
		t.Errorf("left %s of %s", rest, owed)
	}
}
