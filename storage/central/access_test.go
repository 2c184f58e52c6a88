package central_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

func (open opener) testLinkShowsWhatIsReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	token, err := w.LinkOrder(t.Context(), "20481", "", noon)
	w.must(err)
	f := w.bench.flag("f1", "20481-2")
	f.Flaws = append(f.Flaws, qc.Flaw{ID: "f2", Code: internalCode(t), Severity: qc.Minor, Zone: qc.ZoneB, Quantity: 1, Note: "ours"},
		qc.Flaw{ID: "f3", Code: "H11", Severity: qc.Minor, Zone: qc.ZoneB, Quantity: 1})
	f.Marks = append(f.Marks, qc.Mark{ID: "m2", Photo: "p1", Flaw: "f2", Tool: qc.Arrow, Points: f.Marks[0].Points})
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	view, err := w.OrderByToken(t.Context(), "20481", token, noon)
	w.must(err)
	if len(view.Cases)+len(view.Findings) != 0 || len(view.Order.Items) != 3 || view.Order.Customer.ID != "C-1001" {
		t.Fatalf("before the photos are here: %+v", view)
	}
	w.store(f.Photos[0].Preview.Digest)
	view, err = w.OrderByToken(t.Context(), "20481", token, noon)
	w.must(err)
	shown := view.Findings["f1"]
	if len(view.Cases) != 1 || len(shown.Flaws) != 3 || len(shown.Marks) != 1 || shown.Number("f3") != 3 {
		t.Fatalf("with the photos here: %+v", view)
	}
	if place := (qc.Flaw{ID: "f2", Code: f.Flaws[1].Code}); shown.Flaws[1] != place || shown.Inspector != "" || shown.Station != "" {
		t.Errorf("inner things leave the house: %+v", shown)
	}
	if !view.Stored[f.Photos[0].Preview.Digest] || view.Stored[f.Photos[0].Digest] {
		t.Errorf("stored: %v", view.Stored)
	}
	for name, try := range map[string]struct {
		order qc.OrderID
		token string
		at    time.Time
	}{
		"wrong token": {"20481", strings.Repeat("A", 43), noon},
		"no token":    {"20481", "", noon},
		"other order": {"20482", token, noon},
		"too late":    {"20481", token, noon.Add(181 * 24 * time.Hour)},
	} {
		if _, err := w.OrderByToken(t.Context(), try.order, try.token, try.at); !errors.Is(err, central.ErrLink) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.must(w.RevokeLinks(t.Context(), "20481", noon))
	_, err = w.OrderByToken(t.Context(), "20481", token, noon)
	wantErr(t, err, central.ErrLink)
	_, err = w.LinkOrder(t.Context(), "no such order", "", noon)
	wantErr(t, err, qc.ErrNotFound)
}

// internalCode returns a flaw that no customer is ever shown.
func internalCode(t *testing.T) qc.FlawCode {
	t.Helper()
	for _, kind := range config(t, "").Catalogue.Kinds() {
		if kind.Internal {
			return kind.Code
		}
	}
	t.Fatal("the catalogue has no internal flaw")
	return ""
}

func (open opener) testImportIsIdempotent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	told := len(w.feed(qc.ItemChanged))
	again, err := w.ImportOrders(t.Context(), []qc.Order{sampleOrder()}, noon)
	w.must(err)
	if again != (central.Import{Unchanged: 3}) || len(w.feed(qc.ItemChanged)) != told {
		t.Errorf("second import: %+v", again)
	}
	changed := sampleOrder()
	changed.Items[0].CustomerNote = "check the soles"
	changed.Items[0].StockedInAt = noon // a shop's export knows less of this than we do
	again, err = w.ImportOrders(t.Context(), []qc.Order{changed}, noon)
	w.must(err)
	item, err := w.Item(t.Context(), "20481-1")
	w.must(err)
	if again != (central.Import{Items: 1, Unchanged: 2}) || !item.StockedInAt.Equal(noon.Add(-49*time.Hour)) {
		t.Errorf("changed note: %+v, item %+v", again, item)
	}
	euro, err := money.New(100, money.EUR)
	w.must(err)
	for name, spoil := range map[string]func(*qc.Order){
		"no quantity":      func(o *qc.Order) { o.Items[2].Quantity = 0 },
		"negative price":   func(o *qc.Order) { o.Items[2].UnitPrice = money.Fen(-1) },
		"other currency":   func(o *qc.Order) { o.Items[2].UnitPrice = euro },
		"overflow":         func(o *qc.Order) { o.Items[2].Quantity, o.Items[2].UnitPrice = 1<<40, money.Fen(1<<40) },
		"other customer":   func(o *qc.Order) { o.ID = "20481"; o.Customer.ID = "C-2" },
		"item of another":  func(o *qc.Order) { o.Items[2].ID = "20481-1" },
		"item without id":  func(o *qc.Order) { o.Items[2].ID = " " },
		"order without id": func(o *qc.Order) { o.ID = "" },
	} {
		good, bad := sampleOrder(), sampleOrder()
		good.ID, bad.ID = "1", "2"
		for i := range good.Items {
			good.Items[i].ID, good.Items[i].Order = qc.ItemID(fmt.Sprint("1-", i)), "1"
			bad.Items[i].ID, bad.Items[i].Order = qc.ItemID(fmt.Sprint("2-", i)), ""
		}
		spoil(&bad)
		if _, err := w.ImportOrders(t.Context(), []qc.Order{good, bad}, noon); !errors.Is(err, central.ErrOrder) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Order(t.Context(), "1"); !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("half of a refused import is there: %v", err)
	}
	ids, err := w.OrderIDs(t.Context())
	w.must(err)
	if len(ids) != 1 {
		t.Errorf("orders %v", ids)
	}
	w.sound()
}

func (open opener) testEnrolment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	key, _, err := ed25519.GenerateKey(nil)
	w.must(err)
	e, err := w.BeginEnrolment(t.Context(), "bench 2", key, noon)
	w.must(err)
	_, err = w.PollEnrolment(t.Context(), e.DeviceCode, noon)
	wantErr(t, err, central.ErrPending)
	_, err = w.PollEnrolment(t.Context(), "guess", noon)
	wantErr(t, err, central.ErrCode)
	_, err = w.ApproveEnrolment(t.Context(), "XXXX-XXXX", noon)
	wantErr(t, err, central.ErrCode)
	typed := strings.ToLower(strings.ReplaceAll(e.UserCode, "-", " "))
	station, err := w.ApproveEnrolment(t.Context(), typed, noon)
	w.must(err)
	id, err := w.PollEnrolment(t.Context(), e.DeviceCode, noon)
	w.must(err)
	if id != station.ID || !station.Key.Equal(key) || station.Name != "bench 2" || station.Head != qc.ChainStart {
		t.Errorf("station %+v, polled %s", station, id)
	}
	twice, err := w.ApproveEnrolment(t.Context(), e.UserCode, noon)
	w.must(err)
	if twice.ID != id {
		t.Errorf("approved twice: %s and %s", id, twice.ID)
	}
	late, err := w.BeginEnrolment(t.Context(), "bench 3", key, noon)
	w.must(err)
	_, err = w.ApproveEnrolment(t.Context(), late.UserCode, noon.Add(time.Hour))
	wantErr(t, err, central.ErrExpired)
	_, err = w.PollEnrolment(t.Context(), late.DeviceCode, noon.Add(time.Hour))
	wantErr(t, err, central.ErrExpired)
	for name, refused := range map[string]bool{strings.Repeat("质", 80): false, strings.Repeat("x", 81): true, " ": true, "\xff": true} {
		_, err = w.BeginEnrolment(t.Context(), name, key, noon)
		if errors.Is(err, central.ErrEnrolment) != refused || err != nil != refused {
			t.Errorf("name %q: %v, want refused: %v", name, err, refused)
		}
	}
	_, err = w.BeginEnrolment(t.Context(), "bench 4", key[:5], noon)
	wantErr(t, err, central.ErrEnrolment)
	all, err := w.Stations(t.Context())
	w.must(err)
	if len(all) != 2 {
		t.Errorf("%d stations", len(all))
	}
}

func (open opener) testSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	desk := central.Source{Name: "192.0.2.7"}
	w.must(w.AddStaff(t.Context(), central.NewStaff{ID: "c1", Name: "李", Role: qc.Clerk, Password: "right", PIN: "2580", Badge: "b7"}, noon))
	wantErr(t, w.AddStaff(t.Context(), central.NewStaff{ID: "c2", Name: "x", Role: "king"}, noon), central.ErrStaff)
	wantErr(t, w.AddStaff(t.Context(), central.NewStaff{ID: "c2", Name: "x", Role: qc.Clerk, PIN: "12"}, noon), qc.ErrPINFormat)
	person, err := w.SignIn(t.Context(), "c1", "right", desk, noon)
	w.must(err)
	if person.Role != qc.Clerk || !qc.VerifySecret("2580", person.PIN) || person.Badge != qc.HashBadge("B7") {
		t.Errorf("person %+v", person)
	}
	for _, change := range w.feed(qc.StaffChanged) {
		if strings.Contains(string(change.Data), "right") || strings.Contains(string(change.Data), "password") {
			t.Errorf("stations are told a password: %s", change.Data)
		}
	}
	_, err = w.SignIn(t.Context(), "nobody", "x", desk, noon)
	wantErr(t, err, central.ErrSignIn)
	_, err = w.SignIn(t.Context(), "u12", "", desk, noon) // has no password
	wantErr(t, err, central.ErrSignIn)
	w.must(w.DismissStaff(t.Context(), "c1", noon))
	_, err = w.SignIn(t.Context(), "c1", "right", desk, noon)
	wantErr(t, err, central.ErrSignIn)
}

func (open opener) testUploads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	a, b := qc.DigestOf([]byte("a")), qc.DigestOf([]byte("b"))
	w.store(a)
	lacked, err := w.LackedBlobs(t.Context(), []qc.Digest{a, b})
	w.must(err)
	if len(lacked) != 1 || lacked[0] != b {
		t.Errorf("lacked %v", lacked)
	}
	up := central.Upload{ID: "u1", Station: w.bench.id, Digest: b, Length: 7, MediaType: "image/jpeg", ExpiresAt: noon.Add(time.Hour)}
	first, replaced, err := w.BeginUpload(t.Context(), up)
	w.must(err)
	up.ID = "u2"
	second, again, err := w.BeginUpload(t.Context(), up)
	w.must(err)
	if first.ID != "u1" || second != first || replaced+again != "" {
		t.Errorf("begun twice: %+v, %+v, replaced %q, %q", first, second, replaced, again)
	}
	other, before := up, ""
	other.Digest = qc.DigestOf([]byte("c"))
	for _, other.ID = range []string{"v1", "v2", "v3"} {
		other.Length++ // the same file cannot have two lengths
		third, replaced, err := w.BeginUpload(t.Context(), other)
		w.must(err)
		if third != other || replaced != before {
			t.Errorf("begun with another length: %+v, replaced %q, want %q", third, replaced, before)
		}
		before = other.ID
	}
	w.must(w.DropUpload(t.Context(), "v3"))
	got, err := w.Upload(t.Context(), "u1")
	w.must(err)
	if got != first {
		t.Errorf("read back %+v", got)
	}
	expired, err := w.ExpiredUploads(t.Context(), noon.Add(2*time.Hour))
	w.must(err)
	if len(expired) != 1 {
		t.Errorf("expired %v", expired)
	}
	w.must(w.DropUpload(t.Context(), "u1"))
	_, err = w.Upload(t.Context(), "u1")
	wantErr(t, err, qc.ErrNotFound)
	up.Digest = "../x"
	_, _, err = w.BeginUpload(t.Context(), up)
	wantErr(t, err, central.ErrUpload)
	blob, err := w.Blob(t.Context(), a)
	w.must(err)
	if blob.Bytes != 5 || blob.MediaType != "image/jpeg" || !blob.StoredAt.Equal(noon) {
		t.Errorf("blob %+v", blob)
	}
}

func (open opener) testCasesByUrgency(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	more := sampleOrder()
	more.ID = "20482"
	for i := range more.Items {
		more.Items[i].ID, more.Items[i].Order = qc.ItemID(fmt.Sprint("20482-", i)), "20482"
	}
	more.Items[0].StockedInAt = noon.Add(-100 * time.Hour)
	more.Items[1].StockedInAt = time.Time{}
	_, err := w.ImportOrders(t.Context(), []qc.Order{more}, noon)
	w.must(err)
	for i, item := range []qc.ItemID{"20482-1", "20481-1", "20482-0"} {
		f := w.bench.flag(qc.FindingID(fmt.Sprint("f", i)), item)
		f.Order = qc.OrderID(strings.Split(string(item), "-")[0])
		w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	}
	cases, err := w.Cases(t.Context(), central.CaseFilter{Open: true})
	w.must(err)
	var order []qc.ItemID
	for _, c := range cases {
		order = append(order, c.Item)
	}
	if fmt.Sprint(order) != "[20482-0 20481-1 20482-1]" {
		t.Errorf("order %v", order)
	}
	for query, want := range map[string]int{"20482": 2, "鞋店": 3, "%": 0, "c-1001": 3, "nothing": 0} {
		some, err := w.Cases(t.Context(), central.CaseFilter{Query: query, Status: refund.Flagged})
		w.must(err)
		if len(some) != want {
			t.Errorf("query %q: %d cases, want %d", query, len(some), want)
		}
	}
}
