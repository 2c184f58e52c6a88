package web

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	_ "image/jpeg"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
)

// world is a centre in memory: the pages' store, blobs and clock.
type world struct {
	mu       sync.Mutex
	now      time.Time
	orders   map[qc.OrderID]qc.Order
	tokens   map[qc.OrderID]string
	findings map[qc.FindingID]qc.Finding
	cases    map[qc.CaseID]refund.Case
	lines    map[qc.CustomerID][]Line
	staff    map[qc.StaffID]qc.Staff
	sessions map[string]qc.StaffID

	subscribed []refund.Subscription
	pushKey    string
	noProgress bool
	noMail     bool
	memos      []refund.Memo
	keys       map[string]refund.Case
	blobs      map[qc.Digest][]byte
	derived    *shelf
	watchers   map[chan struct{}]bool
	log        *bytes.Buffer
	linkedBy   []qc.StaffID
	tickets    []refund.Ticket
	once       map[string]refund.TicketID
	assigned   map[qc.CaseID]qc.StaffID
	records    map[string]refund.Record
	runs       map[string]Run
	texts      []refund.Template
	letters    []refund.Letter
	triedFrom  []Source
	tellings   map[qc.CaseID]Telling
	retold     []qc.StaffID
}

const password = "correct horse battery staple"

// start is Friday morning in Lisbon, evening in Shanghai.
var start = time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		now: start, orders: map[qc.OrderID]qc.Order{}, tokens: map[qc.OrderID]string{}, findings: map[qc.FindingID]qc.Finding{},
		cases: map[qc.CaseID]refund.Case{}, lines: map[qc.CustomerID][]Line{}, staff: map[qc.StaffID]qc.Staff{}, sessions: map[string]qc.StaffID{},
		keys: map[string]refund.Case{}, blobs: map[qc.Digest][]byte{}, derived: &shelf{files: map[string][]byte{}}, watchers: map[chan struct{}]bool{}, log: &bytes.Buffer{},
		assigned: map[qc.CaseID]qc.StaffID{}, tellings: map[qc.CaseID]Telling{}, runs: map[string]Run{}, texts: refund.FirstTemplates(), once: map[string]refund.TicketID{},
	}
	for _, s := range []qc.Staff{
		{ID: "D01", Name: "陈丽", Role: qc.Clerk, Active: true},
		{ID: "L01", Name: "刘强", Role: qc.Lead, Active: true},
		{ID: "A01", Name: "周军", Role: qc.Approver, Active: true},
		{ID: "V01", Name: "吴静", Role: qc.Auditor, Active: true},
		{ID: "DL1", Name: "郑浩", Role: qc.Clerk, More: []qc.Role{qc.Lead}, Active: true},
		{ID: "I01", Name: "王芳", Role: qc.Inspector, Active: true},
		{ID: "D09", Name: "赵敏", Role: qc.Clerk},
	} {
		w.staff[s.ID] = s
	}
	w.order("20481", qc.Customer{ID: "C-1001", Name: "Ana Moreira", Language: "en", TimeZone: "Europe/Lisbon"},
		w.item(t, "20481-1", "Black running shoes", "黑色跑步鞋", 45900, "imani-clovis-234736-unsplash.jpg"),
		w.item(t, "20481-2", "White high-tops", "白色高帮运动鞋", 38900, "xavier-teo-469050-unsplash.jpg"),
		w.item(t, "20481-3", "Computer mouse", "电脑鼠标", 9900, "oscar-ivan-esquivel-arteaga-687447-unsplash.jpg"))
	w.orders["20481"].Items[2].Variant = qc.Bilingual{EN: "wireless, black", ZH: "无线 黑色"}
	w.order("20482", qc.Customer{ID: "C-1002", Name: "林佳慧", Language: "zh", TimeZone: "Asia/Singapore"},
		w.item(t, "20482-1", "Brown canvas high-tops", "棕色帆布高帮鞋", 26800, "mitch-lensink-256007-unsplash.jpg"))
	return w
}

func (w *world) order(id qc.OrderID, customer qc.Customer, items ...qc.Item) {
	for i := range items {
		items[i].Order = id
	}
	w.orders[id] = qc.Order{ID: id, Customer: customer, PlacedAt: start.Add(-90 * time.Hour), Items: items}
	w.tokens[id] = "secret-of-" + string(id)
}

func (w *world) item(t *testing.T, id qc.ItemID, en, zh string, fen int64, listing string) qc.Item {
	t.Helper()
	return qc.Item{
		ID: id, Title: qc.Bilingual{EN: en, ZH: zh}, Variant: qc.Bilingual{EN: "EU 42, white", ZH: "42码 白色"},
		Quantity: 1, UnitPrice: money.Fen(fen), FreightIn: money.Fen(1200), Platform: "taobao", PlatformOrder: "2418830517429106684",
		Seller: "潮流前线鞋店", Waybill: "SF1234567890123", CustomerNote: "Please check the soles",
		ListingPhoto: w.blob(t, listing), StockedInAt: start.Add(-49 * time.Hour), Round: 1,
	}
}

func (w *world) blob(t *testing.T, name string) qc.Digest {
	t.Helper()
	data, err := fs.ReadFile(assets.Photos(), name)
	if err != nil {
		t.Fatal(err)
	}
	w.blobs[qc.DigestOf(data)] = data
	return qc.DigestOf(data)
}

// photo is a photo whose three sizes are told apart by a tail that no JPEG
// reader minds.
func (w *world) photo(t *testing.T, id qc.PhotoID, name string) qc.Photo {
	t.Helper()
	data, err := fs.ReadFile(assets.Photos(), name)
	if err != nil {
		t.Fatal(err)
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	put := func(tail string) qc.Digest {
		bytes := append(slices.Clone(data), tail...)
		w.blobs[qc.DigestOf(bytes)] = bytes
		return qc.DigestOf(bytes)
	}
	return qc.Photo{
		ID: id, Digest: put("original " + string(id)), MediaType: "image/jpeg", Width: size.Width, Height: size.Height,
		Preview: qc.Derivative{Digest: put("preview " + string(id)), Width: size.Width, Height: size.Height},
		Thumb:   qc.Derivative{Digest: put("thumb " + string(id)), Width: 256, Height: 256},
	}
}

// flagged records a flaw of item and opens its case, named after the item.
func (w *world) flagged(t *testing.T, item qc.ItemID, waits bool) refund.Case {
	t.Helper()
	order, found := w.itemAndOrder(item)
	first := w.photo(t, qc.PhotoID("P1-"+item), "xavier-teo-469050-unsplash.jpg")
	second := w.photo(t, qc.PhotoID("P2-"+item), "thomas-serer-420833-unsplash.jpg")
	fx, fy := float64(first.Width)/100, float64(first.Height)/100
	finding := qc.Finding{
		ID: qc.FindingID("F-" + item), Revision: 1, Item: item, Order: order.ID, Round: 1, Verdict: qc.Flag,
		Photos: []qc.Photo{first, second}, Inspector: "I01", Station: "bench-3", RecordedAt: w.now.Add(-3 * time.Hour),
		Flaws: []qc.Flaw{
			{ID: "a", Code: "H11", Severity: qc.Major, Zone: qc.ZoneA, Quantity: 1, SizeMM: 12, Note: "鞋头刮伤"},
			{ID: "b", Code: "W03", Severity: qc.Critical, Zone: qc.ZoneB, Quantity: 1},
			{ID: "c", Code: "N01", Severity: qc.Observation, Zone: qc.ZoneC, Quantity: 1, Note: "仅内部"},
			{ID: "d", Code: "F04", Severity: qc.Minor, Zone: qc.ZoneC, Quantity: 1, SizeMM: 3.5},
		},
		Marks: []qc.Mark{
			{ID: "m1", Photo: first.ID, Flaw: "a", Tool: qc.Box, Points: []qc.Point{{X: 20 * fx, Y: 30 * fy}, {X: 45 * fx, Y: 55 * fy}}},
			{ID: "m2", Photo: first.ID, Flaw: "b", Tool: qc.Arrow, Points: []qc.Point{{X: 85 * fx, Y: 20 * fy}, {X: 65 * fx, Y: 45 * fy}}},
			{ID: "m3", Photo: first.ID, Flaw: "c", Tool: qc.Box, Points: []qc.Point{{X: 70 * fx, Y: 70 * fy}, {X: 80 * fx, Y: 80 * fy}}},
			{ID: "m4", Photo: first.ID, Flaw: "d", Tool: qc.Box, Points: []qc.Point{{X: 55 * fx, Y: 65 * fy}, {X: 68 * fx, Y: 80 * fy}}},
		},
	}
	w.findings[finding.ID] = finding
	c, err := refund.Open(refund.Opening{
		ID: qc.CaseID("K-" + item), Item: found, Customer: order.Customer.ID, Finding: finding, LeadWaits: waits,
		At: w.now.Add(-2 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.cases[c.ID] = c
	return c
}

func (w *world) passed(t *testing.T, item qc.ItemID) {
	t.Helper()
	order, _ := w.itemAndOrder(item)
	id := qc.FindingID("F-" + item)
	w.findings[id] = qc.Finding{
		ID: id, Revision: 1, Item: item, Order: order.ID, Round: 1, Verdict: qc.Pass, RecordedAt: w.now,
		Photos: []qc.Photo{w.photo(t, qc.PhotoID("P-"+item), "imani-clovis-234736-unsplash.jpg")},
	}
}

// move applies an event of a party to a case.
func (w *world) move(t *testing.T, id qc.CaseID, e refund.Event) refund.Case {
	t.Helper()
	e.At = w.now
	c, err := w.Act(t.Context(), id, 0, e, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) itemAndOrder(id qc.ItemID) (qc.Order, qc.Item) {
	for _, order := range w.orders {
		for _, item := range order.Items {
			if item.ID == id {
				return order, item
			}
		}
	}
	return qc.Order{}, qc.Item{}
}

func (w *world) OrderByToken(_ context.Context, id qc.OrderID, token string, _ time.Time) (OrderView, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if token == "" || w.tokens[id] != token {
		return OrderView{}, ErrLink
	}
	view := OrderView{Order: w.orders[id], Findings: map[qc.FindingID]qc.Finding{}, Stored: map[qc.Digest]bool{}}
	for _, c := range w.sorted() {
		if c.Order == id {
			view.Cases = append(view.Cases, c)
		}
	}
	for _, f := range w.findings {
		if f.Order == id {
			view.Findings[f.ID] = f
		}
	}
	for digest := range w.blobs {
		view.Stored[digest] = true
	}
	view.Tickets = w.ticketsOf(TicketFilter{Order: id})
	view.Statement = w.lines[view.Order.Customer.ID]
	for _, line := range view.Statement {
		view.Balance = line.Running
	}
	if n := len(view.Statement); n > statementLines {
		view.Statement, view.Older = view.Statement[n-statementLines:], true
	}
	return view, nil
}

func (w *world) StatementBefore(_ context.Context, customer qc.CustomerID, before int64, limit int) ([]Line, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []Line
	for _, line := range w.lines[customer] {
		if line.N < before {
			lines = append(lines, line)
		}
	}
	cut := max(0, len(lines)-limit)
	return lines[cut:], cut > 0, nil
}

func (w *world) Act(_ context.Context, id qc.CaseID, version int, e refund.Event, key string) (refund.Case, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if before, ok := w.keys[key]; ok {
		return before, nil
	}
	c, ok := w.cases[id]
	if !ok {
		return c, qc.ErrNotFound
	}
	if e.SellerRef == "R-used" {
		return c, ErrSellerRef
	}
	if version != 0 && version != c.Version {
		return c, &Conflict{Case: c}
	}
	after, transfers, err := c.Apply(e)
	if err != nil {
		return c, err
	}
	w.cases[id] = after
	if key != "" {
		w.keys[key] = after
	}
	memo, err := w.memo(c, after, e)
	if err != nil {
		return c, err
	}
	for _, transfer := range transfers {
		if transfer.Kind != "credit" {
			continue
		}
		lines := w.lines[c.Customer]
		running := transfer.Amount
		if len(lines) > 0 {
			running, _ = running.Add(lines[len(lines)-1].Running)
		}
		w.lines[c.Customer] = append(lines, Line{
			At: e.At, Kind: transfer.Kind, Amount: transfer.Amount, Case: id, Item: c.Item, Running: running, Memo: memo,
		})
	}
	for ticks := range w.watchers {
		select {
		case ticks <- struct{}{}:
		default:
		}
	}
	return after, nil
}

func (w *world) Split(_ context.Context, id qc.CaseID, version, pieces int, by refund.Actor, key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.keys[key]; ok {
		return nil
	}
	c := w.cases[id]
	if version != 0 && version != c.Version {
		return &Conflict{Case: c}
	}
	rest, part, err := c.Split(id+"-part", pieces, refund.Event{Actor: by, At: w.now})
	if err != nil {
		return err
	}
	w.cases[rest.ID], w.cases[part.ID], w.keys[key] = rest, part, rest
	return nil
}

func (w *world) Instruct(_ context.Context, id qc.OrderID, i qc.Instructions, _ refund.Actor) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := i.Check(); err != nil {
		return err
	}
	order := w.orders[id]
	i.SetAt = w.now
	order.Customer.Instructions = i
	w.orders[id] = order
	return nil
}

func (w *world) Correct(_ context.Context, id qc.CaseID, e refund.Event) (refund.Case, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.Kind, e.At = refund.Reversed, w.now
	c, err := w.cases[id].Correct(id+"-correction", money.Fen(0), e)
	if err == nil {
		w.cases[c.ID] = c
	}
	return c, err
}

func (w *world) ClaimFlaw(_ context.Context, id qc.ItemID, e refund.Event) (refund.Case, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.claim(id, e)
	if err == nil {
		w.cases[c.ID] = c
	}
	return c, err
}

func (w *world) claim(id qc.ItemID, e refund.Event) (refund.Case, error) {
	e.Kind, e.At = refund.ClaimedFlaw, w.now
	order, item := w.itemAndOrder(id)
	after := w.cases[qc.CaseID("K-"+id)]
	if _, again := w.cases[qc.CaseID("M-"+id)]; again {
		return refund.Case{}, ErrClaimed
	}
	return refund.Missed(refund.Opening{ID: qc.CaseID("M-" + id), Item: item, Customer: order.Customer.ID, Finding: w.findings[qc.FindingID("F-"+id)]}, after, e)
}

func (w *world) sorted() []refund.Case {
	return slices.SortedFunc(maps.Values(w.cases), func(a, b refund.Case) int {
		return cmp.Or(a.WindowEndsAt.Compare(b.WindowEndsAt), cmp.Compare(a.ID, b.ID))
	})
}

// soonest puts in order what runs out first, and behind it what has ended.
func soonest(a, b refund.Case) int {
	first := func(c refund.Case) time.Time {
		if c.Status.Terminal() {
			return time.Unix(1<<40, 0).Add(-time.Duration(c.ChangedAt.Unix()))
		}
		return c.Turn().First()
	}
	return first(a).Compare(first(b))
}

func (w *world) Worklist(_ context.Context, f WorkFilter) (Work, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var work Work
	for _, c := range slices.SortedStableFunc(slices.Values(w.sorted()), soonest) {
		order, item := w.itemAndOrder(c.Item)
		turn, whose := c.Turn(), w.assigned[c.ID]
		text := strings.ToLower(string(c.Item) + "\n" + order.Customer.Name + "\n" + c.Seller)
		switch {
		case f.Open && c.Status.Terminal(), f.Status != "" && c.Status != f.Status, f.Side != "" && turn.Side != f.Side,
			f.Seller != "" && c.Seller != f.Seller, f.Assignee != "" && whose != f.Assignee, f.Unassigned && whose != "",
			f.Untold && !w.tellings[c.ID].Untold,
			f.Overdue && (turn.Side == "" || turn.First().After(f.At)),
			f.Cases != nil && !slices.Contains(f.Cases, c.ID),
			f.Search.Decisions != nil && !slices.Contains(f.Search.Decisions, c.Intent),
			slices.ContainsFunc(f.Search.Words, func(word string) bool { return !strings.Contains(text, word) }):
			continue
		}
		if work.Total++; work.Total > f.Skip && len(work.Rows) < f.Limit {
			work.Rows = append(work.Rows, WorkRow{
				Case: c, Item: item, Customer: order.Customer, Assignee: whose, Untold: w.tellings[c.ID].Untold,
				Waiting: unanswered(w.ticketsOf(TicketFilter{Order: c.Order}), c.Item),
			})
		}
	}
	return work, nil
}

func (w *world) WorkCounts(_ context.Context, me qc.StaffID, at time.Time) (WorkCounts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := WorkCounts{Sides: map[refund.Side]int{}, Statuses: map[refund.Status]int{}}
	for _, c := range w.sorted() {
		if c.Status.Terminal() {
			continue
		}
		turn := c.Turn()
		counts.Open++
		counts.Sides[turn.Side]++
		counts.Statuses[c.Status]++
		if !turn.First().After(at) {
			counts.Overdue++
		}
		if w.tellings[c.ID].Untold {
			counts.Untold++
		}
		switch w.assigned[c.ID] {
		case me:
			counts.Mine++
		case "":
			counts.Unassigned++
		}
		i := slices.IndexFunc(counts.Sellers, func(s SellerCount) bool { return s.Seller == c.Seller })
		if i < 0 {
			counts.Sellers, i = append(counts.Sellers, SellerCount{Seller: c.Seller}), len(counts.Sellers)
		}
		counts.Sellers[i].N++
	}
	return counts, nil
}

func (w *world) Assign(_ context.Context, id qc.CaseID, to, _ qc.StaffID, _ time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.assigned[id] = to
	return nil
}

func (w *world) SellerRecords(context.Context, time.Time) ([]refund.Record, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []refund.Record
	for _, name := range slices.Sorted(maps.Keys(w.records)) {
		all = append(all, w.records[name])
	}
	return all, nil
}

func (w *world) Templates(context.Context) ([]refund.Template, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var latest []refund.Template
	for _, t := range w.texts {
		latest = slices.DeleteFunc(latest, func(old refund.Template) bool { return old.ID == t.ID })
		latest = append(latest, t)
	}
	return latest, nil
}

func (w *world) TemplateVersions(_ context.Context, id string) ([]refund.Template, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []refund.Template
	for _, t := range slices.Backward(w.texts) {
		if t.ID == id {
			all = append(all, t)
		}
	}
	return all, nil
}

func (w *world) SaveTemplate(ctx context.Context, t refund.Template) error {
	all, _ := w.TemplateVersions(ctx, t.ID)
	if t.Version != len(all)+1 {
		return ErrTemplateMoved
	}
	w.texts = append(w.texts, t)
	return nil
}

func (w *world) KeepLetter(_ context.Context, letter refund.Letter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.ContainsFunc(w.letters, func(l refund.Letter) bool { return l.ID == letter.ID }) {
		w.letters = append(w.letters, letter)
	}
	return nil
}

func (w *world) lettersOf(id qc.CaseID) []refund.Letter {
	return slices.DeleteFunc(slices.Clone(w.letters), func(l refund.Letter) bool { return l.Case != id })
}

func (w *world) KeepRun(_ context.Context, run Run) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if before, ok := w.runs[run.ID]; !ok || before.Result == "" && before.Staff == run.Staff {
		w.runs[run.ID] = run
	}
	return nil
}

func (w *world) Run(_ context.Context, id string, of qc.StaffID) (Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if run, ok := w.runs[id]; ok && run.Staff == of {
		return run, nil
	}
	return Run{}, qc.ErrNotFound
}

func (w *world) AllStaff(context.Context) ([]qc.Staff, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Values(w.staff)), nil
}

func (w *world) Dossier(_ context.Context, id qc.CaseID) (Dossier, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, ok := w.cases[id]
	if !ok {
		return Dossier{}, qc.ErrNotFound
	}
	order, item := w.itemAndOrder(c.Item)
	return Dossier{
		Case: c, Item: item, Customer: order.Customer, Findings: []qc.Finding{w.findings[c.Finding]},
		Assignee: w.assigned[id], Letters: w.lettersOf(id), Tickets: w.ticketsOf(TicketFilter{Order: c.Order}), Memos: w.memosOf(id),
	}, nil
}

func (w *world) LinkOrder(_ context.Context, id qc.OrderID, by qc.StaffID, _ time.Time) (string, error) {
	w.linkedBy = append(w.linkedBy, by)
	return "new-secret-of-" + string(id), nil
}

func (w *world) SignIn(_ context.Context, id qc.StaffID, given string, from Source, _ time.Time) (qc.Staff, error) {
	w.triedFrom = append(w.triedFrom, from)
	s, ok := w.staff[id]
	if !ok || given != password {
		return qc.Staff{}, ErrSignIn
	}
	return s, nil
}

func (w *world) Staff(_ context.Context, id qc.StaffID) (qc.Staff, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.staff[id]
	if !ok {
		return s, qc.ErrNotFound
	}
	return s, nil
}

func (w *world) Subscribe(_ context.Context, s refund.Subscription, _ time.Time) error {
	if s.Endpoint == "" {
		return refund.ErrSubscription
	}
	w.subscribed = append(w.subscribed, s)
	return nil
}

func (w *world) Unsubscribe(_ context.Context, order qc.OrderID, endpoint string, _ time.Time) error {
	w.subscribed = slices.DeleteFunc(w.subscribed, func(s refund.Subscription) bool { return s.Order == order && s.Endpoint == endpoint })
	return nil
}

func (w *world) BeginSession(_ context.Context, id qc.StaffID, _ time.Time) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	secret := fmt.Sprint("session ", len(w.sessions), " of ", id)
	secret = strings.ReplaceAll(secret, " ", "-")
	w.sessions[secret] = id
	return secret, nil
}

func (w *world) Session(_ context.Context, secret string, _ time.Time) (qc.Staff, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.staff[w.sessions[secret]]
	if !s.Active {
		return qc.Staff{}, ErrSignIn
	}
	return s, nil
}

func (w *world) EndSession(_ context.Context, secret string, _ time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sessions[secret] = ""
	return nil
}

func (w *world) Balance(_ context.Context, id qc.CustomerID) (money.Amount, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := w.lines[id]
	if len(lines) == 0 {
		return money.Amount{}, nil
	}
	return lines[len(lines)-1].Running, nil
}

func (w *world) Watch() (<-chan struct{}, func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ticks := make(chan struct{}, 1)
	w.watchers[ticks] = true
	return ticks, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watchers, ticks)
	}
}

type memoryBlob struct{ *bytes.Reader }

func (memoryBlob) Close() error { return nil }

func (w *world) Open(d qc.Digest) (Blob, error) {
	data, ok := w.blobs[d]
	if !ok {
		return nil, qc.ErrNotFound
	}
	return memoryBlob{bytes.NewReader(data)}, nil
}

// shelf is a cache of what is made of photos that forgets nothing.
type shelf struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (s *shelf) Get(_ context.Context, d qc.Digest, profile string) (Blob, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.files[string(d)+"."+profile]
	if !ok {
		return nil, qc.ErrNotFound
	}
	return memoryBlob{bytes.NewReader(data)}, nil
}

func (s *shelf) Put(_ context.Context, d qc.Digest, profile string, write func(io.Writer) error) error {
	var out bytes.Buffer
	if err := write(&out); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[string(d)+"."+profile] = out.Bytes()
	return nil
}

func (w *world) Has(d qc.Digest) (int64, bool, error) {
	data, ok := w.blobs[d]
	return int64(len(data)), ok, nil
}

// pages returns the pages over the world.
func (w *world) pages(t *testing.T) *Pages {
	t.Helper()
	catalogue, err := qc.ParseCatalogue(assets.FlawCatalogue())
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]assets.Words{}
	for _, language := range assets.Languages() {
		if words[language], err = assets.LoadWords(language); err != nil {
			t.Fatal(err)
		}
	}
	pages, err := New(Config{
		Store: w, Blobs: w, Derived: w.derived, Words: words, Catalogue: catalogue, Now: func() time.Time { return w.now },
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Secret: []byte("a secret of thirty-two bytes, ok"), PushKey: w.pushKey, NoMail: w.noMail,
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// reader is somebody with a browser that has no scripts.
type reader struct {
	t       *testing.T
	pages   *Pages
	handler http.Handler
	jar     map[string]*http.Cookie
}

func (w *world) reader(t *testing.T) *reader {
	t.Helper()
	pages := w.pages(t)
	t.Cleanup(pages.darkroom.Close)
	return &reader{t: t, pages: pages, handler: pages.Handler(), jar: map[string]*http.Cookie{}}
}

// developed waits until all photos that were asked for are developed.
func (b *reader) developed() {
	b.t.Helper()
	if err := b.pages.darkroom.Catch(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// answer is what came back, its body read.
type answer struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    string
}

// serve lets h answer r.
func serve(t *testing.T, h http.Handler, r *http.Request) answer {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, r)
	response := recorder.Result()
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, response.Cookies(), string(body)}
}

// do sends a request with the cookies of its path and keeps those that come.
func (b *reader) do(method, address string, form url.Values) answer {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, "http://centre.test"+address, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, cookie := range b.jar {
		if strings.HasPrefix(r.URL.Path, cookie.Path) {
			r.AddCookie(cookie)
		}
	}
	got := serve(b.t, b.handler, r)
	for _, cookie := range got.cookies {
		b.jar[cookie.Name+cookie.Path] = cookie
	}
	return got
}

// get expects status and returns the body.
func (b *reader) get(address string, status int) string {
	b.t.Helper()
	return b.body(b.do(http.MethodGet, address, nil), status)
}

// sent posts a form, expects to be sent onward and returns where to.
func (b *reader) sent(address string, form url.Values) string {
	b.t.Helper()
	got := b.do(http.MethodPost, address, form)
	b.body(got, http.StatusSeeOther)
	return got.header.Get("Location")
}

// body expects status and returns the body.
func (b *reader) body(got answer, status int) string {
	b.t.Helper()
	if got.status != status {
		b.t.Fatalf("status %d, want %d: %.300s", got.status, status, got.body)
	}
	return got.body
}

// openLink uses an order's link.
func (b *reader) openLink(order qc.OrderID) {
	b.t.Helper()
	b.body(b.do(http.MethodGet, "/o/"+string(order)+"?t=secret-of-"+string(order), nil), http.StatusSeeOther)
}

func (b *reader) signIn(id qc.StaffID) {
	b.t.Helper()
	form := url.Values{"id": {string(id)}, "password": {password}}
	b.sent("/desk/sign-in", form)
}

var (
	customer = refund.Actor{Party: refund.ByCustomer, ID: "C-1001"}
	clerk    = refund.Actor{Party: refund.ByClerk, ID: "D01"}
	bench    = refund.Actor{Party: refund.ByStation, ID: "I01"}
)

// settled takes a case all the way to the money.
func (w *world) settled(t *testing.T, id qc.CaseID) {
	t.Helper()
	for _, e := range []refund.Event{
		{Kind: refund.ChoseRefund, Actor: customer},
		{Kind: refund.AgreedReturn, Actor: clerk},
		{Kind: refund.Dispatched, Actor: bench, Carrier: "SF Express", Waybill: "SF9876543210987"},
		{Kind: refund.SellerReceived, Actor: clerk},
		{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-77120043"},
	} {
		w.move(t, id, e)
		w.now = w.now.Add(7 * time.Hour)
	}
}
