package web

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// deskZone is where the desk and the sellers are: marketplaces state their
// deadlines in it.
const deskZone = "Asia/Shanghai"

// What one page of the worklist holds, and how far one may leaf through it; what
// lies behind is found by searching.
const (
	listed    = 50
	mostPages = 2000
)

// deskListView is the worklist.
type deskListView struct {
	frame
	All      bool
	Query    string
	Kept     []keptField // what the search keeps of the filter
	Filters  []filterLink
	Sides    []filterLink
	Statuses []choice
	Sellers  []choice
	Narrowed bool   // by anything but the tab
	Clear    string // address without any filter
	OpenHref string
	AllHref  string
	Rows     []deskRow
	Total    int
	From, To int
	Pager    []pageLink
	Notice   string
	NoMail   string // what is missing for customers to be told at all; empty: nothing
	MayAct   bool
}

// keptField is a hidden field of a form.
type keptField struct{ Name, Value string }

// filterLink narrows the list, or widens it again where it is current.
type filterLink struct {
	Href, Words string
	N           int
	Current     bool
	Urgent      bool
}

// None reports whether following the link would show nothing.
func (l filterLink) None() bool { return l.N == 0 && !l.Current }

// choice is one entry of a list to choose from.
type choice struct {
	Value, Words string
	Current      bool
}

// choiceLink leads to one of several pages.
type choiceLink struct {
	Href, Words string
	Current     bool
}

// pageLink leads to another page of a list; without Href it is not there.
type pageLink struct{ Rel, Href, Words string }

// deskRow is one case of the worklist.
type deskRow struct {
	speech
	Case     qc.CaseID
	Href     string
	Item     qc.ItemID
	Title    string
	Customer string
	Status   refund.Status
	Words    string
	Tone     string
	Seller   string
	Amount   string
	Clock    *clock
	Window   bool // it is the seller's window that runs out
	turnView
	Assignee string
	Changed  moment
	Since    string
	Untold   string // that the customer could not be told
	Waits    string // what the case waits for besides a person
}

// turnView says whose turn it is.
type turnView struct {
	Turn string // empty: nobody's
	Due  string // what they are to do
	By   moment // until when; without text: no time is said
}

// deskSpeech is how the desk speaks: in the sellers' time zone, with the names
// of its people.
func (p *Pages) deskSpeech(r *http.Request) speech {
	s := p.speechFor(r, "", deskZone)
	people, err := p.Store.AllStaff(r.Context())
	if err != nil { // pages go on with numbers instead of names
		p.Log.ErrorContext(r.Context(), "names not read", "error", err)
	}
	s.staff = make(map[qc.StaffID]qc.Staff, len(people))
	for _, person := range people {
		s.staff[person.ID] = person
	}
	return s
}

// person returns the name of somebody of ours, or the number where there is no
// name.
func (s speech) person(id qc.StaffID) string { return cmp.Or(s.staff[id].Name, string(id)) }

func (p *Pages) deskFrame(r *http.Request, s speech, who session, name, title string) frame {
	f := p.frame(r, s, name, title)
	f.Staff = &who
	return f
}

// Places are the desk's parts, of which a page is one or lies within one.
func (f frame) Places() []choiceLink {
	places := []choiceLink{
		{Href: "/desk/sellers", Words: f.T("web.sellers.title")},
		{Href: "/desk/refunds", Words: f.T("web.refunds.title")},
		{Href: "/desk/reports", Words: f.T("web.reports.title")},
		{Href: "/desk/tickets", Words: f.T("web.tickets")},
	}
	desk := choiceLink{Href: "/desk", Words: f.T("web.desk.title"), Current: true}
	for i := range places {
		if f.Self == places[i].Href || strings.HasPrefix(f.Self, places[i].Href+"/") {
			places[i].Current, desk.Current = true, false
		}
	}
	return append([]choiceLink{desk}, places...)
}

// maxQuery is the letters of a search.
const maxQuery = 100

// deskQuery is the address of a worklist, read: what of it means something.
func deskQuery(r *http.Request, s speech) url.Values {
	given, kept := r.URL.Query(), url.Values{}
	keep := func(name, value string, means bool) {
		if means && value != "" {
			kept.Set(name, value)
		}
	}
	query := []rune(strings.TrimSpace(given.Get("q")))
	keep("q", string(query[:min(len(query), maxQuery)]), true)
	keep("show", given.Get("show"), given.Get("show") == "all")
	keep("status", given.Get("status"), slices.Contains(refund.Statuses(), refund.Status(given.Get("status"))))
	keep("turn", given.Get("turn"), slices.Contains(refund.Sides(), refund.Side(given.Get("turn"))))
	keep("seller", given.Get("seller"), len(given.Get("seller")) <= 300)
	keep("untold", given.Get("untold"), given.Get("untold") == "1")
	keep("overdue", given.Get("overdue"), given.Get("overdue") == "1")
	whose := given.Get("whose")
	keep("whose", whose, whose == "mine" || whose == "nobody" || s.staff[qc.StaffID(whose)].ID != "")
	page, err := strconv.Atoi(given.Get("page"))
	keep("page", strconv.Itoa(page), err == nil && page > 1 && page <= mostPages)
	return kept
}

func deskFilter(query url.Values, me qc.StaffID, now time.Time) WorkFilter {
	page, _ := strconv.Atoi(query.Get("page"))
	filter := WorkFilter{
		Open: query.Get("show") != "all", Status: refund.Status(query.Get("status")), Side: refund.Side(query.Get("turn")),
		Seller: query.Get("seller"), Overdue: query.Get("overdue") == "1", Untold: query.Get("untold") == "1", At: now, Search: refund.ReadSearch(query.Get("q")),
		Skip: max(0, page-1) * listed, Limit: listed,
	}
	if filter.Status.Terminal() {
		filter.Open = false
	}
	switch whose := query.Get("whose"); whose {
	case "mine":
		filter.Assignee = me
	case "nobody":
		filter.Unassigned = true
	default:
		filter.Assignee = qc.StaffID(whose)
	}
	return filter
}

// deskHref is the address of the worklist with one thing of the query changed;
// an empty value leaves it out. It begins at the first page.
func deskHref(query url.Values, name, value string) string {
	changed := maps.Clone(query)
	changed.Del("page")
	changed.Del(name)
	if value != "" {
		changed.Set(name, value)
	}
	if len(changed) == 0 {
		return "/desk"
	}
	return "/desk?" + changed.Encode()
}

func (p *Pages) deskList(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	s := p.deskSpeech(r)
	query := deskQuery(r, s)
	filter := deskFilter(query, who.ID, s.now)
	work, err := p.Store.Worklist(r.Context(), filter)
	if err != nil {
		p.failed(w, r, "worklist", err)
		return
	}
	counts, err := p.Store.WorkCounts(r.Context(), who.ID, s.now)
	if err != nil {
		p.failed(w, r, "worklist", err)
		return
	}
	page := deskListView{
		frame: p.deskFrame(r, s, who, "desk", s.T("web.desk.title")), All: query.Get("show") == "all", Query: query.Get("q"),
		Total: work.Total, From: min(filter.Skip+1, work.Total), To: filter.Skip + len(work.Rows), Notice: s.notice(r), MayAct: who.mayAct(),
		OpenHref: deskHref(query, "show", ""), AllHref: deskHref(query, "show", "all"), Clear: "/desk",
	}
	page.Scripts = []string{"desk.js"}
	page.State = workState(work)
	page.Events = "/desk/events"
	if len(query) > 0 {
		page.Events += "?" + query.Encode()
	}
	if p.NoMail && counts.Untold > 0 {
		page.NoMail = s.Count("web.told.no_mail", counts.Untold)
	}
	page.filters(s, query, counts)
	page.pages(s, query, filter)
	for _, row := range work.Rows {
		row.Untold = row.Untold && !p.NoMail // said once, above
		page.Rows = append(page.Rows, s.deskRow(row))
	}
	p.render(w, r, http.StatusOK, "desk", page)
}

// filters lists by what the worklist can be narrowed, with how many open cases
// each holds.
func (v *deskListView) filters(s speech, query url.Values, counts WorkCounts) {
	for name := range query {
		if name != "show" && name != "page" {
			v.Narrowed = true
		}
		if name != "q" && name != "page" {
			v.Kept = append(v.Kept, keptField{name, query.Get(name)})
		}
	}
	slices.SortFunc(v.Kept, func(a, b keptField) int { return cmp.Compare(a.Name, b.Name) })
	link := func(name, value, words string, n int) filterLink {
		link := filterLink{Words: words, N: n, Current: query.Get(name) == value, Href: deskHref(query, name, value)}
		if link.Current {
			link.Href = deskHref(query, name, "")
		}
		return link
	}
	overdue := link("overdue", "1", s.T("web.desk.overdue"), counts.Overdue)
	overdue.Urgent = counts.Overdue > 0
	untold := link("untold", "1", s.T("web.desk.untold"), counts.Untold)
	untold.Urgent = counts.Untold > 0 && v.NoMail == ""
	v.Filters = []filterLink{
		overdue, untold, link("whose", "mine", s.T("web.desk.mine"), counts.Mine),
		link("whose", "nobody", s.T("web.desk.nobodys"), counts.Unassigned),
	}
	if whose := query.Get("whose"); whose != "" && whose != "mine" && whose != "nobody" {
		v.Filters = append(v.Filters, filterLink{Words: s.person(qc.StaffID(whose)), Current: true, Href: deskHref(query, "whose", ""), N: -1})
	}
	for _, side := range refund.Sides() {
		v.Sides = append(v.Sides, link("turn", string(side), s.T("web.turn."+string(side)), counts.Sides[side]))
	}
	for _, status := range refund.Statuses() {
		words := s.T("status.desk." + string(status))
		if n := counts.Statuses[status]; n > 0 {
			words += " (" + strconv.Itoa(n) + ")"
		}
		v.Statuses = append(v.Statuses, choice{string(status), words, query.Get("status") == string(status)})
	}
	known := false
	for _, seller := range counts.Sellers {
		current := query.Get("seller") == seller.Seller
		known = known || current
		v.Sellers = append(v.Sellers, choice{seller.Seller, seller.Seller + " (" + strconv.Itoa(seller.N) + ")", current})
	}
	if seller := query.Get("seller"); seller != "" && !known {
		v.Sellers = append(v.Sellers, choice{seller, seller, true})
	}
}

// pages links to the pages before and behind.
func (v *deskListView) pages(s speech, query url.Values, filter WorkFilter) {
	to := func(page int) string {
		if page < 2 {
			return deskHref(query, "page", "")
		}
		return deskHref(query, "page", strconv.Itoa(page))
	}
	page := filter.Skip/listed + 1
	if page > 1 {
		v.Pager = append(v.Pager, pageLink{"prev", to(page - 1), s.T("web.desk.previous")})
	}
	if v.To < v.Total && page < mostPages {
		v.Pager = append(v.Pager, pageLink{"next", to(page + 1), s.T("web.desk.next")})
	}
}

func (s speech) deskRow(w WorkRow) deskRow {
	c := w.Case
	row := deskRow{
		speech: s, Case: c.ID, Href: casePath(c.ID), Item: c.Item, Title: w.Item.Title.In(s.Language()),
		Customer: w.Customer.Name, Status: c.Status, Words: s.T("status.desk." + c.Standing()),
		Tone: s.caseTone(c), turnView: s.turnView(c), Seller: c.Seller, Changed: s.at(c.ChangedAt), Since: s.since(c.ChangedAt),
	}
	if turn := c.Turn(); turn.Side != "" {
		row.Clock, row.Window = s.turnClock(c), turn.First().Equal(turn.Ends)
	}
	if w.Assignee != "" {
		row.Assignee = s.person(w.Assignee)
	}
	if owed, err := c.Owed(); err == nil {
		row.Amount = owed.String()
	}
	if w.Untold {
		row.Untold = s.T("web.told.not")
	}
	if c.PhotosMissing > 0 {
		row.Waits = s.Count("web.photos_missing", c.PhotosMissing)
	}
	if w.Waiting > 0 {
		row.Waits = s.Count("web.tickets.waiting", w.Waiting)
	}
	return row
}

func (s speech) turnView(c refund.Case) turnView {
	turn := c.Turn()
	if turn.Side == "" {
		return turnView{}
	}
	view := turnView{Turn: s.T("web.turn." + string(turn.Side)), Due: s.T(dueKey(c))}
	if !turn.By.IsZero() {
		view.By = s.at(turn.By)
	}
	return view
}

// dueKey names what is to be done next.
func dueKey(c refund.Case) string {
	if c.Status == refund.Flagged && !c.LeadWaits {
		return "web.due.photos"
	}
	return "web.due." + string(c.Status)
}

// caseTone is what a case's status looks like: what is late is everybody's.
func (s speech) caseTone(c refund.Case) string {
	tone := deskTone(c.Status)
	if first := c.Turn().First(); tone == "going" && !first.IsZero() && !first.After(s.now) {
		return "now"
	}
	return tone
}

// deskTone is what a status looks like: "now" is what waits for the desk or a
// lead, and not for anybody else.
func deskTone(status refund.Status) string {
	switch status {
	case refund.Flagged, refund.SellerRefused, refund.ReturnException, refund.RefundShort, refund.Disputed:
		return "now"
	case refund.Credited, refund.CreditedKept, refund.Exchanged:
		return "good"
	case refund.Kept, refund.Withdrawn, refund.Forfeited, refund.Corrected:
		return "over"
	}
	return "going"
}

// turnClock is what runs out first for a case: the seller's window while the
// claim is not filed, else the time of whoever's turn it is.
func (s speech) turnClock(c refund.Case) *clock {
	turn := c.Turn()
	if first := turn.First(); first.Equal(turn.Ends) {
		return s.clock("web.clock.window", "time.window_passed", turn.Ends, windowWhole)
	}
	return s.clock(dueKey(c), "web.clock.overdue", turn.By, max(time.Hour, turn.By.Sub(c.ChangedAt)))
}

// deskClock is what runs out next for a case; nil when nothing does.
func (s speech) deskClock(c refund.Case) *clock {
	task := c.Task()
	switch task.Kind {
	case qc.TaskHold:
		return s.clock("web.clock.window", "time.window_passed", task.DueAt, windowWhole)
	case qc.TaskSendBack:
		return s.clock("web.clock.dispatch", "web.clock.dispatch_over", task.DueAt, 24*time.Hour)
	}
	return nil
}

func workState(work Work) string {
	versions := make([]any, 0, 5*len(work.Rows)+1)
	versions = append(versions, work.Total)
	for _, row := range work.Rows {
		versions = append(versions, row.Case.ID, row.Case.Version, row.Assignee, row.Waiting, row.Untold)
	}
	return fingerprint(versions...)
}

// deskEvents tells an open worklist, or the open case that is named, of changes.
func (p *Pages) deskEvents(w http.ResponseWriter, r *http.Request, who session) {
	id := qc.CaseID(r.URL.Query().Get("case"))
	query := deskQuery(r, p.deskSpeech(r))
	p.stream(w, r, func(ctx context.Context) (string, error) {
		if _, err := p.signedIn(r); err != nil {
			return "", err // no longer
		}
		if id != "" {
			dossier, err := p.Store.Dossier(ctx, id)
			if err != nil {
				return "", err
			}
			told, err := p.Store.Telling(ctx, id, p.Now())
			return caseState(dossier, told), err
		}
		work, err := p.Store.Worklist(ctx, deskFilter(query, who.ID, p.Now()))
		if err != nil {
			return "", err
		}
		return workState(work), nil
	})
}

func caseState(d Dossier, told Telling) string {
	parts := []any{d.Case.ID, d.Case.Version, d.Assignee, d.Customer.Correction.Version, len(d.Letters), ticketsState(d.Tickets), told.Untold}
	for _, f := range d.Findings {
		parts = append(parts, f.ID, f.Revision)
	}
	for _, n := range told.Notices {
		parts = append(parts, n.ID, n.State, n.DueAt, n.Problem)
	}
	return fingerprint(parts...)
}

// desks lists who may look after a case, chosen first.
func (s speech) desks(chosen qc.StaffID) []choice {
	var list []choice
	for _, person := range s.staff {
		if person.ID == chosen || person.Holds(actors...) {
			list = append(list, choice{string(person.ID), person.Name + " · " + s.T("role."+string(person.Role)), person.ID == chosen})
		}
	}
	slices.SortFunc(list, func(a, b choice) int { return cmp.Compare(a.Words, b.Words) })
	return list
}

// deskAssign gives a case to somebody, or back.
func (p *Pages) deskAssign(w http.ResponseWriter, r *http.Request, who session) {
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	to := qc.StaffID(form.Get("to"))
	if to != "" {
		person, err := p.Store.Staff(r.Context(), to)
		if err != nil || !person.Holds(actors...) {
			p.refuseOnCase(w, r, who, form, refusal{notice: "web.assign.unknown"}, func(page *deskCaseView) bool {
				page.NotGiven = page.T("web.assign.unknown")
				return page.Assign != ""
			})
			return
		}
	}
	if err := p.Store.Assign(r.Context(), d.Case.ID, to, who.ID, p.Now()); err != nil {
		p.failed(w, r, "assign", err)
		return
	}
	back(w, r, casePath(d.Case.ID), "web.notice.done")
}
