package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/storage/central"
)

// Whoever was let in can be shut out again: a station, the holders of an
// order's links, a person.
func TestRevoke(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := time.Now()
	open := func() *central.Store {
		store, err := central.Open(t.Context(), central.Config{Dir: dir})
		must(t, err)
		return store
	}
	run := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		args = append(args, "--data", dir, "--lang", "en")
		if code := program().Main(t.Context(), args, nil, dir, &out, &out); code != want {
			t.Fatalf("%q: code %d, want %d: %s", args, code, want, &out)
		}
		return out.String()
	}

	store := open()
	key, _, err := ed25519.GenerateKey(nil)
	must(t, err)
	first, err := store.BeginEnrolment(t.Context(), "bench", key, at)
	must(t, err)
	station, err := store.ApproveEnrolment(t.Context(), first.UserCode, at)
	must(t, err)
	again, err := store.BeginEnrolment(t.Context(), "bench", key, at)
	must(t, err)
	must(t, store.AddStaff(t.Context(), central.NewStaff{ID: "clerk3", Name: "李娜", Role: qc.Clerk, Password: "secret enough"}, at))
	item := qc.Item{ID: "1-1", Order: "1", Quantity: 1, UnitPrice: money.Fen(100), FreightIn: money.Fen(1)}
	order := qc.Order{ID: "1", Customer: qc.Customer{ID: "C-1", Name: "Ana"}, Items: []qc.Item{item}}
	_, err = store.ImportOrders(t.Context(), []qc.Order{order}, at)
	must(t, err)
	token, err := store.LinkOrder(t.Context(), "1", "", at)
	must(t, err)
	must(t, store.Close())

	run(0, "station", "revoke", string(station.ID))
	run(0, "order", "unlink", "1")
	run(0, "staff", "dismiss", "clerk3")
	for _, unknown := range [][]string{{"station", "revoke", "st-0"}, {"order", "unlink", "2"}, {"staff", "dismiss", "nobody"}} {
		run(1, unknown...)
		run(1, unknown[:2]...) // nothing named
	}
	if said := run(1, "station", "approve", again.UserCode); !strings.Contains(said, "shut out") {
		t.Errorf("a station that was shut out asks again: %s", said)
	}

	store = open()
	defer func() { must(t, store.Close()) }()
	if s, err := store.Station(t.Context(), station.ID); err != nil || s.RevokedAt.IsZero() {
		t.Errorf("station %+v, %v", s, err)
	}
	if _, err := store.OrderByToken(t.Context(), "1", token, at); !errors.Is(err, central.ErrLink) {
		t.Errorf("the link still opens: %v", err)
	}
	if person, err := store.Staff(t.Context(), "clerk3"); err != nil || person.Active {
		t.Errorf("person %+v, %v", person, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
