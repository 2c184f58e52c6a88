package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// orderPageView is the customer's page.
type orderPageView struct {
	frame
	Order     qc.OrderID
	Placed    moment
	Items     []itemView
	Waiting   int    // items that need a decision
	First     string // where on the page the first of them is
	Soonest   *clock // that runs out first; nil: none does
	Notice    string
	Tickets   []ticketView
	Letters   string // where one writes to the desk
	Unread    string // answers of the desk that were not read; empty: none
	Balance   string
	Held      string // set aside; empty: nothing
	Statement []statementView
	Older     string    // address of the lines before those; empty: there are none
	Newest    string    // of the last ones, where others are shown
	Push      *pushView // nil: browsers are not told
	Standing  *instructionsCard
	Mails     *mailsCard // nil: there is no address to write to
}

// itemView is one item on the customer's page.
type itemView struct {
	speech
	ID       qc.ItemID // of the article on the page
	Item     qc.ItemID
	Pieces   string // of which this is about some, or empty: of all
	Title    string
	Variant  string
	Quantity int
	Paid     string
	Freight  string
	Asked    string // the customer's own note
	Listing  *photoView
	State    string // "progress", "passed" or "case"
	Photos   []photoView
	Flaws    []flawView
	Measured []string // beside the flaws
	Updated  *moment  // when the finding was last revised
	Earlier  []earlierView
	Case     *caseView
	Linked   []linkedView // corrections of what has ended
	Missed   string       // where a flaw that we missed is reported
	Notice   string       // what became of the last step with it
	Ask      string       // where one writes to the desk about it
	rank     int
}

// earlierView is what was found of the piece before the last exchange.
type earlierView struct {
	speech
	Round  int
	Words  string
	Photos []photoView
	Flaws  []flawView
}

// statementView is one line of the balance's statement.
type statementView struct {
	At      moment
	What    string
	Item    string
	Ref     string // of what is of no item
	Memo    string // address of the memo that the sum is on
	Amount  string
	Running string
}

// windowWhole and decideWhole are what a full clock stands for.
const (
	windowWhole = 120 * time.Hour
	decideWhole = 72 * time.Hour
)

func (p *Pages) orderPage(w http.ResponseWriter, r *http.Request) {
	order, s, ok := p.orderReader(w, r)
	if !ok {
		return
	}
	path := orderPath(order.Order.ID)
	page := orderPageView{
		frame: p.frame(r, s, "order", s.T("web.order.title", "order", string(order.Order.ID))),
		Order: order.Order.ID, Placed: s.at(order.Order.PlacedAt),
		Balance: order.Balance.String(), Notice: s.notice(r),
	}
	if !order.Held.IsZero() {
		page.Held = order.Held.String()
	}
	page.Events, page.State = path+"/events", orderState(order)
	if page.Push = p.offerPush(order.Order.ID); page.Push != nil {
		page.Scripts = append(page.Scripts, "push.js")
	}
	page.Standing = s.instructionsCard(order.Order.Customer, path)
	if err := p.addMails(r.Context(), s, &page, order.Order); err != nil {
		p.failed(w, r, "mails", err)
		return
	}
	for _, item := range order.Order.Items {
		for _, view := range p.sliceViews(s, order, item, path) {
			page.add(view, r.URL.Query().Get("case"))
		}
	}
	slices.SortStableFunc(page.Items, func(a, b itemView) int { return cmp.Compare(a.rank, b.rank) })
	for i, item := range page.Items {
		if i == 0 && len(item.Photos) > 0 {
			item.Photos[0].First = true
		}
		if !item.asks() {
			continue
		}
		if page.First == "" {
			page.First = "#decision-" + string(item.ID)
		}
		for _, one := range item.Case.Clocks[:min(1, len(item.Case.Clocks))] {
			if one.Left != "" && (page.Soonest == nil || one.End.ISO < page.Soonest.End.ISO) {
				page.Soonest = one
			}
		}
	}
	page.nameButtons()
	if err := p.addSheets(r.Context(), s, &page, order); err != nil {
		p.failed(w, r, "sheet", err)
		return
	}
	page.Letters = path + "/tickets"
	unread := 0
	for _, t := range byChange(order.Tickets) {
		unread += t.Unread()
		page.Tickets = append(page.Tickets, s.ticketView(t, order.Order.Items, ticketPath(path, t.ID), false))
	}
	if unread > 0 {
		page.Unread = s.Count("web.tickets.unread", unread)
	}
	if err := p.addStatement(r, s, &page, order); err != nil {
		p.failed(w, r, "statement", err)
		return
	}
	p.render(w, r, http.StatusOK, "order", page)
}

// statementLines is how many lines of a statement a page shows.
const statementLines = 100

// addStatement shows the last lines of the statement, or those before the one
// that the reader came from, the last one first.
func (p *Pages) addStatement(r *http.Request, s speech, page *orderPageView, order OrderView) error {
	path := orderPath(order.Order.ID)
	lines, older := order.Statement, order.Older
	if before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64); err == nil && before > 0 {
		if lines, older, err = p.Store.StatementBefore(r.Context(), order.Order.Customer.ID, before, statementLines); err != nil {
			return err
		}
		page.Newest = path + "#balance"
	}
	for _, line := range slices.Backward(lines) {
		page.Statement = append(page.Statement, s.statement(line, order.Order.Items, path))
	}
	if older && len(lines) > 0 {
		page.Older = path + "?before=" + strconv.FormatInt(lines[0].N, 10) + "#balance"
	}
	return nil
}

// asks reports whether a decision is needed about the item.
func (v itemView) asks() bool { return v.Case != nil && v.Case.Decision != nil && v.Case.Tone == "now" }

// add puts an item on the page, with the notice if it is of that case.
func (page *orderPageView) add(view itemView, noticed string) {
	if view.asks() {
		page.Waiting++
	}
	if view.Case != nil && string(view.Case.ID) == noticed {
		view.Notice, page.Notice = page.Notice, ""
	}
	page.Items = append(page.Items, view)
}

// orderState is the fingerprint of everything the page shows that may change.
func orderState(o OrderView) string {
	type finding struct {
		ID       qc.FindingID
		Revision int
	}
	var findings []finding
	for _, f := range visibleFindings(o) {
		findings = append(findings, finding{f.ID, f.Revision})
	}
	slices.SortFunc(findings, func(a, b finding) int { return cmp.Compare(a.ID, b.ID) })
	versions := map[qc.CaseID]int{}
	for _, c := range o.Cases {
		versions[c.ID] = c.Version
	}
	stored := 0
	for _, there := range o.Stored {
		if there {
			stored++
		}
	}
	return fingerprint(findings, versions, o.Balance, statementState(o), stored, ticketsState(o.Tickets))
}

// statementState is how many lines the whole statement has.
func statementState(o OrderView) int {
	n := len(o.Statement)
	if o.Older {
		n = o.Statement[n-1].Number
	}
	return n
}

// caseOf returns the item's latest case.
func caseOf(o OrderView, item qc.ItemID) (refund.Case, bool) {
	var latest refund.Case
	found := false
	for _, c := range o.Cases {
		if c.Item == item && c.Pieces() > 0 && (!found || c.OpenedAt.After(latest.OpenedAt)) {
			latest, found = c, true
		}
	}
	return latest, found
}

// findingsOf returns the findings the customer may see of an item, the one that
// counts first: that of its visible case, or of the replacement that passed,
// followed by those of the rounds before; or what passed at once.
func findingsOf(o OrderView, item qc.ItemID) []qc.Finding {
	var all []qc.Finding
	for _, f := range o.Findings {
		if f.Item == item {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b qc.Finding) int {
		return cmp.Or(cmp.Compare(b.Round, a.Round), b.RecordedAt.Compare(a.RecordedAt), cmp.Compare(a.ID, b.ID))
	})
	c, hasCase := caseOf(o, item)
	switch {
	case hasCase && c.Status.Visible():
		return ofCase(c, all)
	case hasCase && c.Status == refund.Flagged:
		return nil
	}
	if i := slices.IndexFunc(all, func(f qc.Finding) bool { return f.Verdict == qc.Pass }); i >= 0 {
		return all[i : i+1]
	}
	return nil
}

// ofCase returns what belongs to a visible case out of all findings of its
// item, newest round first.
func ofCase(c refund.Case, all []qc.Finding) []qc.Finding {
	var shown []qc.Finding
	if c.Status == refund.Exchanged {
		i := slices.IndexFunc(all, func(f qc.Finding) bool { return f.Verdict == qc.Pass && f.Round == c.Round })
		if i >= 0 {
			shown = append(shown, all[i])
		}
	}
	at := slices.IndexFunc(all, func(f qc.Finding) bool { return f.ID == c.Finding })
	if at < 0 {
		return shown
	}
	shown = append(shown, all[at])
	for _, f := range all[at:] {
		if f.Verdict == qc.Flag && f.Round < shown[len(shown)-1].Round {
			shown = append(shown, f)
		}
	}
	return shown
}

// visibleFindings returns the findings whose photos the customer may see.
func visibleFindings(o OrderView) []qc.Finding {
	var visible []qc.Finding
	for _, item := range o.Order.Items {
		visible = append(visible, findingsOf(o, item.ID)...)
		for _, c := range slicesOf(o, item) {
			part := o
			part.Cases = []refund.Case{c}
			for _, f := range findingsOf(part, item.ID) {
				if !slices.ContainsFunc(visible, func(seen qc.Finding) bool { return seen.ID == f.ID }) {
					visible = append(visible, f)
				}
			}
		}
	}
	return visible
}

func (p *Pages) itemView(s speech, o OrderView, item qc.Item, base string) itemView {
	view := itemView{
		speech: s, ID: item.ID, Item: item.ID, Title: item.Title.In(s.Language()), Variant: item.Variant.In(s.Language()),
		Quantity: item.Quantity, Asked: item.CustomerNote, State: "progress", rank: 3,
		Ask: writeAbout(base, item.ID, ""),
	}
	if paid, err := item.Paid(); err == nil {
		view.Paid = paid.String()
	}
	if !item.FreightIn.IsZero() {
		view.Freight = item.FreightIn.String()
	}
	if p.there(item.ListingPhoto) {
		at := base + "/photos/" + string(item.ListingPhoto)
		view.Listing = &photoView{speech: s, Src: at + "/thumb", View: at, Alt: s.T("web.listing.alt", "item", view.Title)}
	}
	c, hasCase := caseOf(o, item.ID)
	findings := findingsOf(o, item.ID)
	seen := len(findings) > 0
	if seen {
		finding := findings[0]
		view.Photos = s.photos(finding, view.Title, base, p.there, hiddenFrom(p.Catalogue, false))
		view.Flaws = s.flaws(finding, item, p.Catalogue, false)
		lead(view.Flaws, finding, base, p.there)
		view.Measured = s.measured(finding, "")
		if finding.Revision > 1 {
			at := s.at(finding.RecordedAt)
			view.Updated = &at
		}
		for _, earlier := range findings[1:] {
			view.Earlier = append(view.Earlier, p.earlierRound(s, earlier, item, view.Title, base))
		}
	}
	switch {
	case hasCase && (c.Status.Visible() || c.Status == refund.Withdrawn && told(c)):
		view.State, view.rank = "case", 1
		view.Case = p.caseView(s, c, item, o.Order.ID)
		view.Case.Anyway = s.anyway(c, o)
		view.Case.Timeline = withTickets(view.Case.Timeline, s.ticketEntries(o.Tickets, item.ID, false))
		switch {
		case c.Status == refund.AwaitingDecision, c.Status == refund.SellerRefused:
			view.rank = 0
		case c.Status.Terminal():
			view.rank = 2
		}
	case seen, hasCase && c.Status == refund.Withdrawn:
		view.State, view.rank = "passed", 4
	}
	view.Linked, view.Missed = p.corrections(s, o, item), reportMissed(o, item, view, base)
	return view
}

func (p *Pages) earlierRound(s speech, f qc.Finding, item qc.Item, title, base string) earlierView {
	view := earlierView{
		speech: s, Round: f.Round, Words: s.T("web.earlier", "time", s.at(f.RecordedAt).Text),
		Photos: s.photos(f, title, base, p.there, hiddenFrom(p.Catalogue, false)),
		Flaws:  s.flaws(f, item, p.Catalogue, false),
	}
	lead(view.Flaws, f, base, p.there)
	return view
}

// told reports whether the customer has seen the case at some time.
func told(c refund.Case) bool {
	return slices.ContainsFunc(c.Timeline, func(e refund.Entry) bool { return e.To.Visible() })
}

// nameButtons gives the first item's buttons the plain ids and numbers the rest.
func (page *orderPageView) nameButtons() {
	n := 0
	for _, item := range page.Items {
		if item.Case == nil || item.Case.Decision == nil {
			continue
		}
		n++
		if n > 1 {
			suffix := "-" + strconv.Itoa(n)
			item.Case.Decision.Suffix = suffix
			for _, option := range item.Case.Decision.Options {
				for i := range option.Fields {
					option.Fields[i].Suffix = suffix
				}
			}
		}
	}
}

func (s speech) statement(line Line, items []qc.Item, path string) statementView {
	view := statementView{At: s.at(line.At), Amount: signed(line.Amount), Ref: line.Ref, Running: line.Running.String()}
	if itemOf(items, line.Item).ID != "" && line.Memo != 0 { // a memo of another order is seen there
		view.Memo = memoPath(path, line.Memo)
	}
	view.What = s.T("web.statement.other")
	if key := "web.statement." + line.Kind; s.Has(key) {
		view.What = s.T(key)
	}
	view.Item = itemOf(items, line.Item).Title.In(s.Language())
	return view
}

// signed writes what comes in with a plus.
func signed(a money.Amount) string {
	if a.Minor() > 0 {
		return "+" + a.String()
	}
	return a.String()
}

// notices are the sentences that a redirect may ask a page for.
var notices = []string{
	"web.notice.done", "error.case_moved_on", "error.decision_late", "error.not_allowed", "error.own_finding",
	"error.exchange_too_often", "error.field_missing", "error.amount_not_owed", "error.waybill_invalid",
	"web.ticket.sent", "web.ticket.answered", "web.consent.needed", "error.consent_needed", "error.balance_short",
	"error.event_unknown", "web.amount_syntax", "web.seller_ref_used", "web.text_long",
	"error.pieces_wrong", "web.split.done", "error.claimed_before", "web.claim_flaw.done",
	"error.costs_money", "error.instructions_wrong", "web.instructions.done",
}

func (s speech) notice(r *http.Request) string {
	key := r.URL.Query().Get("notice")
	if !slices.Contains(notices, key) && !slices.Contains(deskNotices, key) || r.URL.Query().Has("fragment") {
		return ""
	}
	return s.T(key)
}

func (p *Pages) orderPhoto(w http.ResponseWriter, r *http.Request) {
	order, err := p.openOrder(r)
	if err != nil {
		p.orderRefused(w, r, err)
		return
	}
	pic, ok := order.evidence().picture(qc.Digest(r.PathValue("digest")))
	if !ok {
		p.nothingHere(w, r)
		return
	}
	p.servePicture(w, r, pic, r.PathValue("size"))
}

func (p *Pages) orderPhotoPage(w http.ResponseWriter, r *http.Request) {
	order, s, ok := p.orderReader(w, r)
	if !ok {
		return
	}
	path := orderPath(order.Order.ID)
	p.showPhoto(w, r, s, visibleFindings(order), order.Order.Items, path, path, false)
}
