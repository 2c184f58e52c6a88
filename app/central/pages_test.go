package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/settings"
	"flawmark/assets"
	"flawmark/storage/blob"
	"flawmark/storage/central"
	"flawmark/ui/web"
)

var morning = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// house is a centre with one order, one inspector and one bench, whose clock
// the test holds.
type house struct {
	t     *testing.T
	c     *centre
	site  *web.Pages
	pages http.Handler
	token string
	bench qc.StationID
	seq   uint64
	head  qc.ChainHash
	now   time.Time
}

func newHouse(t *testing.T, and ...func(*central.Config)) *house {
	t.Helper()
	h := &house{t: t, head: qc.ChainStart, now: morning}
	flaws, err := qc.ParseCatalogue(assets.FlawCatalogue())
	h.must(err)
	clock := func() time.Time { return h.now }
	dir := t.TempDir()
	blobs, err := blob.OpenFolder(dir + "/blobs")
	h.must(err)
	log := slog.New(slog.DiscardHandler)
	config := central.Config{Dir: dir, Now: clock, Log: log, Catalogue: flaws}
	for _, change := range and {
		change(&config)
	}
	store, err := central.Open(t.Context(), config)
	h.must(err)
	h.c = &centre{settings: settings.Centre{Data: dir, Listen: "127.0.0.1:1"}, store: store, blobs: blobs, flaws: flaws, log: log, now: clock}
	h.c.observe()
	t.Cleanup(func() { h.must(h.c.Close()) })
	h.must(store.AddStaff(t.Context(), central.NewStaff{ID: "inspector-u12", Name: "王芳", Role: qc.Inspector}, h.now))
	h.must(store.AddStaff(t.Context(), central.NewStaff{ID: "clerk3", Name: "李娜", Role: qc.Clerk}, h.now))
	item := qc.Item{
		ID: "1-1", Order: "1", Title: qc.Bilingual{EN: "Shoes", ZH: "鞋"}, Quantity: 1, Round: 1, Seller: "店",
		UnitPrice: money.Fen(38900), FreightIn: money.Fen(1200), Waybill: "SF1234567890123", StockedInAt: h.now.Add(-49 * time.Hour),
	}
	order := qc.Order{ID: "1", PlacedAt: h.now, Customer: qc.Customer{ID: "C-1", Name: "Ana", Language: "en"}, Items: []qc.Item{item}}
	_, err = store.ImportOrders(t.Context(), []qc.Order{order}, h.now)
	h.must(err)
	h.token, err = store.LinkOrder(t.Context(), "1", "", h.now)
	h.must(err)
	key, _, err := ed25519.GenerateKey(nil)
	h.must(err)
	enrolment, err := store.BeginEnrolment(t.Context(), "bench", key, h.now)
	h.must(err)
	station, err := store.ApproveEnrolment(t.Context(), enrolment.UserCode, h.now)
	h.must(err)
	h.bench = station.ID
	pages, closePages, err := h.c.pages(t.Context())
	h.must(err)
	h.site = pages
	t.Cleanup(func() { _ = closePages() })
	h.pages, err = h.c.handler(t.Context(), pages)
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// say lets the bench say something that has an effect.
func (h *house) say(kind qc.EventKind, data any) {
	h.t.Helper()
	text, err := json.Marshal(data)
	h.must(err)
	e := qc.Event{Seq: h.seq + 1, ID: fmt.Sprint("event ", h.seq), Kind: kind, Version: 1, By: "inspector-u12", At: h.now, Data: text}
	batch := qc.Batch{Epoch: "e", First: e.Seq, Prev: h.head}
	sealed, err := qc.Seal(&e, h.head)
	h.must(err)
	batch.Events = [][]byte{sealed}
	ack, err := h.c.store.ApplyEvents(h.t.Context(), h.bench, batch, h.now)
	h.must(err)
	if ack.Receipts[0].Status != qc.Applied {
		h.t.Fatalf("%s: %+v", kind, ack.Receipts[0])
	}
	h.seq, h.head = e.Seq, e.Hash
}

// finding returns a finding with one photo whose files the centre has.
func (h *house) finding(id qc.FindingID, round int, flaws ...qc.Flaw) qc.Finding {
	h.t.Helper()
	put := func(shade int) qc.Digest {
		var file bytes.Buffer
		picture := image.NewGray(image.Rect(0, 0, 8+len(id), 8+shade))
		h.must(jpeg.Encode(&file, picture, nil))
		d, err := h.c.blobs.PutBytes(h.t.Context(), file.Bytes())
		h.must(err)
		h.must(h.c.store.BlobStored(h.t.Context(), d, int64(file.Len()), "image/jpeg", h.now))
		return d
	}
	f := qc.Finding{
		ID: id, Revision: 1, Item: "1-1", Order: "1", Round: round, Verdict: qc.Pass, Flaws: flaws,
		Photos: []qc.Photo{{
			ID: "p1", Digest: put(1 + round), MediaType: "image/jpeg", Width: 400, Height: 300,
			Preview: qc.Derivative{Digest: put(10 + round)}, Thumb: qc.Derivative{Digest: put(20 + round)},
		}},
		Inspector: "inspector-u12", Station: h.bench, RecordedAt: h.now,
	}
	if len(flaws) > 0 {
		f.Verdict = qc.Flag
	}
	for _, flaw := range flaws {
		mark := qc.Mark{ID: qc.MarkID(flaw.ID), Photo: "p1", Flaw: flaw.ID, Tool: qc.Box, Points: []qc.Point{{X: 1, Y: 1}, {X: 90, Y: 60}}}
		f.Marks = append(f.Marks, mark)
	}
	return f
}

func (h *house) act(e refund.Event) refund.Case {
	h.t.Helper()
	cases, err := h.c.store.Cases(h.t.Context(), central.CaseFilter{})
	h.must(err)
	c, err := h.c.store.Act(h.t.Context(), cases[0].ID, 0, e, "")
	h.must(err)
	return c
}

// page returns what the customer is sent at the address.
func (h *house) page(address string) string {
	h.t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "http://centre.test"+address, nil)
	opener := httptest.NewRecorder()
	h.pages.ServeHTTP(opener, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "http://centre.test/o/1?t="+h.token, nil))
	for _, cookie := range opener.Result().Cookies() {
		r.AddCookie(cookie)
	}
	answer := httptest.NewRecorder()
	h.pages.ServeHTTP(answer, r)
	body, err := io.ReadAll(answer.Result().Body)
	h.must(err)
	if answer.Code != http.StatusOK {
		h.t.Fatalf("%s: status %d", address, answer.Code)
	}
	return string(body)
}

func flaw(id qc.FlawID, code qc.FlawCode, note string) qc.Flaw {
	return qc.Flaw{ID: id, Code: code, Severity: qc.Minor, Zone: qc.ZoneB, Quantity: 1, Note: note}
}

// The customer, the desk and the marks on the photo call a flaw by the same
// number, and nothing of what concerns the house alone leaves it.
func TestOrderPage_KeepsNumbersAndSecrets(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	f := h.finding("f1", 1, flaw("a", "N01", "our forklift"), flaw("b", "H11", "outside"))
	f.Photos[0].Name = "IMG_secret.jpg"
	h.say(qc.FindingRecorded, f)
	page := h.page("/o/1") + h.page("/o/1/photos/"+string(f.Photos[0].Digest))
	for _, inner := range []string{"our forklift", "N01", "Damaged by us", "inspector-u12", string(h.bench), "IMG_secret", `data-flaw="1"`} {
		if strings.Contains(page, inner) {
			t.Errorf("the customer is sent %q", inner)
		}
	}
	for _, outer := range []string{`data-flaw="2"`, "outside", `data-status="awaiting_decision"`} {
		if !strings.Contains(page, outer) {
			t.Errorf("the page lacks %q", outer)
		}
	}
}

func TestOrderPage_ShowsWhatPassed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	f := h.finding("f1", 1)
	h.say(qc.FindingRecorded, f)
	page := h.page("/o/1")
	if !strings.Contains(page, `data-state="passed"`) || !strings.Contains(page, string(f.Photos[0].Digest)+"/preview") {
		t.Error("the item that passed is not shown with its photo")
	}
}

func TestOrderPage_ShowsBothPiecesOfAnExchange(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.finding("f1", 1, flaw("a", "H11", ""))
	h.say(qc.FindingRecorded, first)
	h.act(refund.Event{Kind: refund.ChoseExchange, Actor: refund.Actor{Party: refund.ByCustomer, ID: "C-1"}})
	c := h.act(refund.Event{Kind: refund.AgreedReship, Actor: refund.Actor{Party: refund.ByClerk, ID: "clerk3"}})
	h.say(qc.ReplacementArrived, qc.Arrival{Case: c.ID, Waybill: "YT1234567890", By: "inspector-u12", At: h.now})
	second := h.finding("f2", 2)
	h.say(qc.FindingRecorded, second)
	page := h.page("/o/1")
	for _, f := range []qc.Finding{first, second} {
		if !strings.Contains(page, string(f.Photos[0].Digest)+"/preview") {
			t.Errorf("the page lacks the photo of round %d", f.Round)
		}
	}
	if strings.Contains(page, "clerk3") || !strings.Contains(page, `data-status="exchanged"`) {
		t.Error("the page is not that of an exchanged item")
	}
}

// A refund number brings money once; another sum under it is refused in words
// that the desk knows, and so is a decision that comes after the silence.
func TestForPages_NamesWhatCameTooLate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	customer, clerk := refund.Actor{Party: refund.ByCustomer, ID: "C-1"}, refund.Actor{Party: refund.ByClerk, ID: "clerk3"}
	h.act(refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	h.act(refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	c := h.act(refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(100), SellerRef: "R-1"})
	again := refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(200), SellerRef: "R-1"}
	if _, err := (forPages{h.c.store}).Act(t.Context(), c.ID, c.Version, again, ""); !errors.Is(err, web.ErrSellerRef) {
		t.Errorf("another sum under the same number: %v", err)
	}

	quiet := newHouse(t)
	quiet.say(qc.FindingRecorded, quiet.finding("f1", 1, flaw("a", "H11", "")))
	cases, err := quiet.c.store.Cases(t.Context(), central.CaseFilter{})
	quiet.must(err)
	quiet.now = cases[0].DecideBy
	quiet.c.closeUnanswered(t.Context())
	late := refund.Event{Kind: refund.ChoseRefund, Actor: customer}
	_, err = (forPages{quiet.c.store}).Act(t.Context(), cases[0].ID, cases[0].Version, late, "")
	if conflict, ok := errors.AsType[*web.Conflict](err); !ok || conflict.Case.Status != refund.Kept {
		t.Errorf("a decision after the silence: %v", err)
	}
	if page := quiet.page("/o/1"); !strings.Contains(page, `data-status="kept"`) || !strings.Contains(page, "We had no answer by") {
		t.Error("the page does not say why the item was kept")
	}
}
