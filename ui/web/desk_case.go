package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// deskCaseView is one case with everything about it.
type deskCaseView struct {
	frame
	Case      qc.CaseID
	Version   int
	Status    refund.Status
	Words     string
	Tone      string
	Customers string // what the customer reads as its status
	Clock     *clock
	turnView
	Notice    string
	Typed     []factView // what was typed for what is not possible any more
	Item      deskItem
	Rounds    []roundView
	Money     []moneyRow
	Memos     []ticketRef
	Balance   string
	Facts     []factView
	Action    string // address of the forms
	Actions   []actionView
	OnBehalf  []actionView // decisions that are the customer's to make
	Behalf    bool         // they are shown at once
	Withdraw  *actionView  // our mistake; nil: not possible
	Split     *splitCard   // decide for some of the pieces by themselves
	Linked    []linkedForm // what may follow after the end
	NotNow    []notNow
	LooksOnly bool // whoever is signed in may do nothing with cases
	Timeline  []entryView
	Assign    string     // where the case is given to somebody; empty for those who may not
	NotGiven  string     // why it was not
	Desks     []choice   // who may look after it
	Assignee  string     // who does; empty: nobody
	Mine      qc.StaffID // who reads the page, while it is somebody else's
	Letters   string     // where letters are written
	Coach     *coachView // nil: there was no refusal
	Link      string     // where the customer's link is made; empty for those who may not
	Claim     *claimView // what the seller is sent; nil: nothing is the seller's
	Tickets   []ticketView
	Told      toldView
}

// deskItem is the item and who bought it, in both languages.
type deskItem struct {
	ID                        qc.ItemID
	Order                     qc.OrderID
	TitleEN, TitleZH          string
	VariantEN, VariantZH      string
	Quantity                  int
	Platform, PlatformOrder   string
	Seller                    string
	Waybill                   qc.Waybill
	CustomerName, Speaks, Ask string
	Listing                   *photoView
}

// roundView is the finding of one round.
type roundView struct {
	speech
	Round     int
	Revision  int
	Current   bool
	At        moment
	Inspector string
	Station   qc.StationID
	Photos    []photoView
	Flaws     []flawView
}

// factView is a labelled value, such as a waybill.
type factView struct{ Label, Value string }

// actionView is one legal next step with the fields it needs.
type actionView struct {
	speech
	Kind    refund.Kind
	ID      string
	Words   string
	Usual   bool // the step that cases of this kind mostly take
	Version int
	Fields  []fieldView
	Refused bool   // it was sent and not taken
	Problem string // why, where that is about no field of it
}

// fieldView is one field of a form.
type fieldView struct {
	Name, Label, Value string
	Suffix             string // of its id, where a page has several such fields
	Long, Money        bool
	Optional           bool
	Secret             bool // is typed unseen
	Focus              bool // is where the reader goes on
	Hint               string
	Problem            string // why it was not taken as it is
}

// notNow is a step that is not possible, and why.
type notNow struct{ Words, Why string }

// fromBenches are the events that only an inspection can cause.
var fromBenches = []refund.Kind{refund.Amended, refund.Retracted, refund.RecheckPassed, refund.RecheckFlagged}

// ofCustomers are decisions the desk may only pass on.
var ofCustomers = []refund.Kind{
	refund.ChoseRefund, refund.ChoseExchange, refund.ChoseKeep, refund.ChoseDiscount, refund.AskedPhotos, refund.Reconsidered,
	refund.AcceptedOffer, refund.DeclinedOffer, refund.CounteredOffer, refund.GaveUp, refund.Abandoned,
}

// unwelcome are steps that no page proposes, even where no other is possible.
// The rest stand in the lifecycle in the order of how usual they are.
var unwelcome = []refund.Kind{
	refund.Refused, refund.LeadSentBack, refund.LeadDismissed, refund.PhotosDeclined, refund.Offered, refund.Appealed,
	refund.RuledReturn, refund.RuledRefund, refund.RuledAgainst, refund.ReturnLapsed, refund.ReturnTroubled, refund.ReturnCameBack, refund.AgentPaid,
	refund.Unpaid, refund.ShortSettled, refund.NoReplacement, refund.Goodwill, refund.DeskWithdrew,
}

// dossier returns the case of the request's address.
func (p *Pages) dossier(w http.ResponseWriter, r *http.Request) (Dossier, bool) {
	d, err := p.Store.Dossier(r.Context(), qc.CaseID(r.PathValue("case")))
	switch {
	case errors.Is(err, qc.ErrNotFound):
		p.nothingHere(w, r)
	case err != nil:
		p.failed(w, r, "case", err)
	}
	return d, err == nil
}

func (p *Pages) deskCase(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	page, err := p.caseAtDesk(r, p.deskSpeech(r), d, who)
	if err != nil {
		p.failed(w, r, "case", err)
		return
	}
	p.render(w, r, http.StatusOK, "case", page)
}

// caseAtDesk is the page of a case for a person.
func (p *Pages) caseAtDesk(r *http.Request, s speech, d Dossier, who session) (deskCaseView, error) {
	c := d.Case
	balance, err := p.Store.Balance(r.Context(), c.Customer)
	if err != nil {
		return deskCaseView{}, fmt.Errorf("read balance: %w", err)
	}
	told, err := p.Store.Telling(r.Context(), c.ID, s.now)
	if err != nil {
		return deskCaseView{}, fmt.Errorf("read notices: %w", err)
	}
	page := deskCaseView{
		frame: p.deskFrame(r, s, who, "case", s.T("web.case.title", "item", string(c.Item))),
		Case:  c.ID, Version: c.Version, Status: c.Status, Words: s.T("status.desk." + c.Standing()),
		Tone: s.caseTone(c), turnView: s.turnView(c), Customers: s.T("status." + string(c.Status)), Clock: s.deskClock(c),
		Notice: s.notice(r), Item: p.deskItem(s, d), Balance: balance.String(), Money: s.deskMoney(c), Memos: memosOf(d.Memos),
		Facts: s.facts(c), Action: casePath(c.ID) + "/events",
	}
	if page.LooksOnly = !who.mayAct(); !page.LooksOnly {
		page.Assign, page.Desks = casePath(c.ID)+"/assignee", s.desks(d.Assignee)
	}
	if d.Assignee != "" {
		page.Assignee = s.person(d.Assignee)
	}
	if d.Assignee != who.ID {
		page.Mine = who.ID
	}
	if who.mayLink() {
		page.Link = casePath(c.ID) + "/link"
	}
	page.Scripts = []string{"copy.js"}
	page.Events, page.State = "/desk/events?case="+url.QueryEscape(string(c.ID)), caseState(d, told)
	for _, finding := range d.Findings {
		page.Rounds = append(page.Rounds, p.round(s, d, finding))
	}
	page.Claim = p.claim(s, d)
	p.actions(&page, s, c, who)
	page.Linked = s.linkedForms(c, who)
	page.Split = s.splitCard(c, who.actor(), casePath(c.ID)+"/split")
	page.Timeline = s.deskTimeline(d)
	page.Coach, page.Letters = p.coach(s, d), casePath(c.ID)+"/letters"
	page.Told = s.told(d, told, who.mayAct(), p.NoMail)
	if who.mayLink() {
		page.Told.Contact = s.contactForm(d)
	}
	page.Tickets = s.ticketsOfCase(d, who.mayAct())
	page.Timeline = withTickets(page.Timeline, s.ticketEntries(d.Tickets, c.Item, true))
	return page, nil
}

// action returns a step that the page offers, or nil.
func (v *deskCaseView) action(kind refund.Kind) *actionView {
	if v.Withdraw != nil && v.Withdraw.Kind == kind {
		return v.Withdraw
	}
	for _, list := range [][]actionView{v.Actions, v.OnBehalf} {
		if i := slices.IndexFunc(list, func(a actionView) bool { return a.Kind == kind }); i >= 0 {
			return &list[i]
		}
	}
	return nil
}

// refuse says what is wrong with a step that was sent, beside what was typed.
func (a *actionView) refuse(form url.Values, why refusal) {
	a.Refused = true
	if !a.refuseFields(a.Fields, form, why.notice, why.field) {
		a.Problem = a.T(why.notice)
	}
}

func (p *Pages) deskItem(s speech, d Dossier) deskItem {
	view := deskItem{
		ID: d.Item.ID, Order: d.Item.Order, TitleEN: d.Item.Title.EN, TitleZH: d.Item.Title.ZH,
		VariantEN: d.Item.Variant.EN, VariantZH: d.Item.Variant.ZH, Quantity: d.Item.Quantity,
		Platform: d.Item.Platform, PlatformOrder: d.Item.PlatformOrder, Seller: d.Item.Seller, Waybill: d.Item.Waybill,
		CustomerName: d.Customer.Name, Speaks: s.T("language." + d.Customer.Language), Ask: d.Item.CustomerNote,
	}
	if p.there(d.Item.ListingPhoto) {
		at := casePath(d.Case.ID) + "/photos/" + string(d.Item.ListingPhoto)
		view.Listing = &photoView{speech: s, Src: at + "/thumb", View: at, Alt: s.T("web.listing.alt", "item", d.Item.Title.In(s.Language()))}
	}
	return view
}

func (p *Pages) round(s speech, d Dossier, f qc.Finding) roundView {
	view := roundView{
		speech: s, Round: f.Round, Revision: f.Revision, Current: f.ID == d.Case.Finding, At: s.at(f.RecordedAt),
		Inspector: s.person(f.Inspector), Station: f.Station,
		Photos: s.photos(f, d.Item.Title.In(s.Language()), casePath(d.Case.ID), p.there, hiddenFrom(p.Catalogue, true)),
		Flaws:  s.flaws(f, d.Item, p.Catalogue, true),
	}
	lead(view.Flaws, f, casePath(d.Case.ID), p.there)
	return view
}

func (s speech) deskMoney(c refund.Case) []moneyRow {
	rows := []moneyRow{
		{Label: s.T("web.money.paid"), Amount: c.Paid.String()},
		{Label: s.T("word.freight"), Amount: c.FreightIn.String()},
	}
	if owed, err := c.Owed(); err == nil {
		rows = append(rows, moneyRow{Label: s.T(owedAs(c.Status)), Amount: owed.String(), Total: true})
	}
	return append(rows,
		moneyRow{Label: s.T("web.money.received"), Amount: c.Received.String()},
		moneyRow{Label: s.T("web.money.credited.customer"), Amount: c.Credited.String(), Total: true})
}

func (s speech) facts(c refund.Case) []factView {
	var facts []factView
	add := func(key, value string) {
		if value = strings.TrimSpace(value); value != "" {
			facts = append(facts, factView{Label: s.T(key), Value: value})
		}
	}
	if c.Intent != refund.Undecided && c.Reason != refund.Unanswered {
		add("web.fact.decision", s.T("decision."+string(c.Intent)))
	}
	if c.Liability != "" {
		add("web.fact.liability", s.T("liability."+string(c.Liability)))
	}
	if c.Sort != "" {
		add("web.linked.parent", s.T("sort."+string(c.Sort))+" · "+string(c.Parent))
	}
	add("web.fact.return_waybill", c.Carrier+" "+string(c.ReturnWaybill))
	add("web.fact.replacement_waybill", string(c.ReplacementWaybill))
	add("field.seller_ref", c.SellerRef)
	add("field.reason", s.reason(c))
	return facts
}

// reason is why a case is where it is: somebody's own words, or ours where a
// timer moved it.
func (s speech) reason(c refund.Case) string {
	if key := "kept.reason." + c.Reason; c.Reason != "" && s.Has(key) {
		return s.T(key)
	}
	return c.Reason
}

// steps lists what a person may do with a case as whomever they act as: each
// step once, as the party that may do it now where there is one.
func (s session) steps(c refund.Case, at time.Time) []refund.Action {
	var all []refund.Action
	for _, actor := range s.parties() {
		for _, next := range c.Next(actor, at) {
			i := slices.IndexFunc(all, func(known refund.Action) bool { return known.Kind == next.Kind })
			switch {
			case i < 0:
				all = append(all, next)
			case next.Allowed && !all[i].Allowed:
				all[i] = next
			}
		}
	}
	return all
}

// approvers says who may be the second person.
func (s speech) approvers() string {
	var names []string
	for _, person := range s.staff {
		if person.Holds(qc.Approver) {
			names = append(names, person.Name+" ("+string(person.ID)+")")
		}
	}
	if len(names) == 0 {
		return s.T("web.approver_none")
	}
	slices.Sort(names)
	return s.T("web.approver_one_of", "names", strings.Join(names, s.T("web.or")))
}

// actions sorts what the person may do from what is not possible.
func (p *Pages) actions(page *deskCaseView, s speech, c refund.Case, who session) {
	proposed := false
	for _, next := range who.steps(c, s.now) {
		if slices.Contains(fromBenches, next.Kind) {
			continue
		}
		words := s.T("action." + string(next.Kind))
		if !next.Allowed {
			page.NotNow = append(page.NotNow, notNow{Words: words, Why: s.why(c, next)})
			continue
		}
		action := actionView{
			speech: s, Kind: next.Kind, ID: strings.ReplaceAll(string(next.Kind), "_", "-"), Words: words, Version: c.Version,
		}
		action.Fields = s.stepFields(c, next)
		switch {
		case slices.Contains(ofCustomers, next.Kind):
			page.OnBehalf = append(page.OnBehalf, action)
			continue
		case next.Kind == refund.DeskWithdrew:
			page.Withdraw = &action
			continue
		}
		if !proposed && !slices.Contains(unwelcome, next.Kind) {
			proposed, action.Usual = true, true
			page.Actions = slices.Insert(page.Actions, 0, action)
			continue
		}
		page.Actions = append(page.Actions, action)
	}
}

// why says why a step is not possible now; where it is not its time, when it is.
func (s speech) why(c refund.Case, action refund.Action) string {
	if action.Why != "error."+refund.ErrNotNow.Error() {
		return s.T(action.Why)
	}
	for _, t := range refund.Transitions() {
		if t.On != action.Kind {
			continue
		}
		if slices.Contains(t.From, c.Status) {
			return s.T("web.case.other_choice")
		}
		names := make([]string, len(t.From))
		for i, status := range t.From {
			names[i] = s.T("status.desk." + string(status))
		}
		return s.T("web.case.only_while", "statuses", strings.Join(names, s.T("web.or")))
	}
	return s.T(action.Why)
}

// stepFields are the fields of a step.
func (s speech) stepFields(c refund.Case, next refund.Action) []fieldView {
	var all []fieldView
	for _, field := range next.Needs {
		all = append(all, s.fields(c, field)...)
	}
	if next.Kind != refund.Goodwill {
		return all
	}
	all[slices.Index(next.Needs, refund.NeedsAmount)].Value = "" // what is owed is no measure of a gift
	for _, field := range s.fields(c, refund.NeedsApprover) {
		field.Optional = true
		if !field.Secret {
			field.Hint = s.T("web.approver_above", "limit", c.AloneUpTo().String()) + " " + field.Hint
		}
		all = append(all, field)
	}
	return all
}

func (s speech) fields(c refund.Case, field refund.Field) []fieldView {
	view := fieldView{Name: string(field), Label: s.T("field." + string(field))}
	switch field {
	case refund.NeedsReason:
		view.Long = true
	case refund.NeedsApprover:
		view.Hint = s.approvers()
		return []fieldView{view, {Name: "approver_password", Label: s.T("web.approver_password"), Secret: true}}
	case refund.NeedsAmount:
		view.Money = true
		if owed, err := c.Owed(); err == nil {
			if left, err := owed.Sub(c.Received); err == nil {
				view.Value = left.Decimal()
			}
		}
	case refund.NeedsWaybill:
		return []fieldView{view, {Name: "carrier", Label: s.T("web.carrier"), Optional: true}}
	}
	return []fieldView{view}
}

func (s speech) deskEntry(e refund.Entry) entryView {
	view := entryView{At: s.at(e.At), What: s.event(e.Event), Who: s.T("role." + string(e.Actor.Party)), Note: e.Note}
	if e.Rule != "" {
		view.Note = s.T("rule." + string(e.Rule))
	}
	if e.Actor.ID != "" && e.Actor.Party != refund.ByCustomer && e.Actor.Party != refund.ByInstruction {
		view.Who += " " + s.person(qc.StaffID(e.Actor.ID))
	}
	if e.Approver != "" {
		view.Who += " · " + s.T("web.approved_by", "name", s.person(e.Approver))
	}
	if e.To != e.From {
		view.Status = s.T("status.desk." + string(e.To))
	}
	return view
}

func (p *Pages) deskPhoto(w http.ResponseWriter, r *http.Request, _ session) {
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	pic, ok := d.evidence().picture(qc.Digest(r.PathValue("digest")))
	if !ok {
		p.nothingHere(w, r)
		return
	}
	p.servePicture(w, r, pic, r.PathValue("size"))
}

func (p *Pages) deskPhotoPage(w http.ResponseWriter, r *http.Request, _ session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	path := casePath(d.Case.ID)
	p.showPhoto(w, r, p.deskSpeech(r), d.Findings, []qc.Item{d.Item}, path, path, true)
}
