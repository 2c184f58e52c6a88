package shops

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Text is a text in both languages.
type Text struct {
	EN string `json:"en" doc:"English"`
	ZH string `json:"zh" doc:"Simplified Chinese"`
}

// Money is a sum in minor units.
type Money struct {
	Minor    int64  `json:"minor" doc:"In minor units: 38900 is ¥389.00" example:"38900"`
	Currency string `json:"currency" enum:"CNY" doc:"ISO 4217"`
}

func moneyOf(a money.Amount) Money { return Money{Minor: a.Minor(), Currency: string(a.Currency())} }

// KeyView is what a key may do.
type KeyView struct {
	ID        string    `json:"id" doc:"What the administrator and the audit trail call the key" example:"1f3a9c02"`
	Shop      string    `json:"shop" doc:"The shop that owns what this key sends" example:"acme"`
	Scopes    []string  `json:"scopes" doc:"What the key may do" example:"[\"cases:read\",\"events:read\"]"`
	AllOrders bool      `json:"all_orders" doc:"Whether the key sees every order of the centre"`
	CreatedAt time.Time `json:"created_at" doc:"When it was made"`
	PerMinute int       `json:"requests_per_minute" doc:"How many requests a minute are answered before 429"`
}

// CustomerView is who bought.
type CustomerView struct {
	ID       string `json:"id" doc:"The customer's id; ids are of the whole centre"`
	Name     string `json:"name" doc:"What mails call them"`
	Language string `json:"language" enum:"en,zh" doc:"Of mails and the order page"`
	Email    string `json:"email,omitempty" format:"email" doc:"Where mails go; absent: none are sent"`
	TimeZone string `json:"time_zone,omitempty" doc:"IANA name; absent: UTC" example:"Europe/Lisbon"`
}

// ItemView is one line of an order.
type ItemView struct {
	ID            string    `json:"id" doc:"The item's id; ids are of the whole centre"`
	Title         Text      `json:"title" doc:"As listed; one language may be empty"`
	Variant       Text      `json:"variant" doc:"Size, colour and the like"`
	Quantity      int       `json:"quantity" doc:"Pieces" minimum:"1"`
	UnitPrice     Money     `json:"unit_price" doc:"Of one piece, actually paid"`
	FreightIn     Money     `json:"freight_in" doc:"The line's share of seller-to-warehouse freight"`
	Platform      string    `json:"platform,omitempty" doc:"Marketplace" example:"taobao"`
	PlatformOrder string    `json:"platform_order,omitempty" doc:"The order's number there"`
	Seller        string    `json:"seller" doc:"The seller's name there"`
	Waybill       string    `json:"waybill,omitempty" doc:"The parcel that brings it"`
	CustomerNote  string    `json:"customer_note,omitempty" doc:"What the customer asked the warehouse"`
	Category      string    `json:"category,omitempty" doc:"Kind of goods" example:"shoes"`
	Round         int       `json:"round" doc:"1: as first delivered; 2: the first replacement" minimum:"1"`
	StockedInAt   time.Time `json:"stocked_in_at,omitzero" doc:"When it came to the warehouse; absent: not yet"`
	WindowEndsAt  time.Time `json:"window_ends_at,omitzero" doc:"When the seller's return window closes"`
	Verdict       string    `json:"verdict,omitempty" enum:"pass,flag" doc:"Of the last inspection that the customer sees; absent: none yet"`
	Claim         Possible  `json:"claim" doc:"Whether a flaw that was not found can be reported now"`
}

// Possible says whether something can be done now.
type Possible struct {
	Allowed bool   `json:"allowed" doc:"Whether it is possible now"`
	Code    string `json:"code,omitempty" doc:"Why it is not, for programs" example:"case_moved_on"`
	Why     *Text  `json:"why,omitempty" doc:"Why it is not, for people"`
}

// OrderView is an order with all that belongs to it.
type OrderView struct {
	ID       string        `json:"id" doc:"The order's id; ids are of the whole centre"`
	Customer CustomerView  `json:"customer" doc:"Who bought"`
	PlacedAt time.Time     `json:"placed_at" doc:"When it was ordered"`
	Items    []ItemView    `json:"items" doc:"In the order in which they were first sent"`
	Cases    []CaseSummary `json:"cases" doc:"Those that the customer sees, oldest first"`
}

// CaseSummary is a case in a list.
type CaseSummary struct {
	ID          string    `json:"id" doc:"The case's id"`
	Order       string    `json:"order" doc:"Its order"`
	Item        string    `json:"item" doc:"Its item"`
	Customer    string    `json:"customer" doc:"Its customer"`
	Kind        string    `json:"kind" enum:"flaw,correction,missed_flaw" doc:"flaw: found by an inspection; missed_flaw: found by the customer; correction: of money that the marketplace took back"`
	Parent      string    `json:"parent,omitempty" doc:"The case that it was split off, or follows"`
	Status      string    `json:"status" doc:"Where it stands; new ones may be added" example:"awaiting_decision"`
	StatusWords Text      `json:"status_words" doc:"The same for people"`
	Open        bool      `json:"open" doc:"Whether it has not ended"`
	Decision    string    `json:"decision,omitempty" doc:"What the customer chose: keep, refund, exchange or discount; absent: nothing yet"`
	Version     int       `json:"version" doc:"Grows with every step" minimum:"1"`
	ETag        string    `json:"etag" doc:"What to send as If-Match with an action" example:"\"4\""`
	OpenedAt    time.Time `json:"opened_at" doc:"When the item was flagged"`
	ChangedAt   time.Time `json:"changed_at" doc:"When it last changed"`
	DecideBy    time.Time `json:"decide_by,omitzero" doc:"While the customer must choose: until when; after that the item is kept"`
	Window      time.Time `json:"window_ends_at,omitzero" doc:"When the seller's return window closes"`
	Credited    Money     `json:"credited" doc:"What is on the balance from this case"`
}

// Case is a case with its findings and what can happen next.
type Case struct {
	CaseSummary
	StatusMeaning Text      `json:"status_meaning" doc:"What the status means for the customer, in a sentence"`
	Round         int       `json:"round" doc:"1: the goods first delivered; 2: the first replacement" minimum:"1"`
	Quantity      int       `json:"quantity" doc:"Pieces" minimum:"1"`
	Paid          Money     `json:"paid" doc:"What was paid for the goods"`
	FreightIn     Money     `json:"freight_in" doc:"What was paid for bringing them"`
	Received      Money     `json:"received" doc:"What the seller has paid back"`
	Charged       Money     `json:"charged" doc:"What was kept back for fees"`
	Offer         *Offer    `json:"offer,omitempty" doc:"The seller's offer that is to be answered, or was accepted"`
	Reason        string    `json:"reason,omitempty" doc:"Of the last refusal, dismissal or choice, in the words of whoever gave it"`
	Carrier       string    `json:"carrier,omitempty" doc:"Of the parcel to the seller"`
	ReturnWaybill string    `json:"return_waybill,omitempty" doc:"Of the parcel to the seller"`
	Findings      []Finding `json:"findings" doc:"What inspections found, the newest first"`
	Choices       []Choice  `json:"choices" doc:"The decision sheet: what each decision would bring and cost; empty when there is nothing to decide"`
	Actions       []Action  `json:"actions" doc:"All that a customer can ever do to a case, possible now or not"`
	Split         Split     `json:"split" doc:"Whether some of the pieces can be decided by themselves now"`
	SellerRecord  *Record   `json:"seller_record,omitempty" doc:"While there is something to decide: how claims against this seller ended in the last year"`
	Timeline      []Entry   `json:"timeline" doc:"What has happened, oldest first"`
}

// Split says whether a case can be split.
type Split struct {
	Possible
	Most int `json:"most" doc:"At most so many pieces can go their own way; 0: none"`
}

// Record is how a seller's claims have ended.
type Record struct {
	Refunded Counted `json:"refunded" doc:"Of the claims for money that ended: those that were paid in full"`
	Days     Days    `json:"days" doc:"From the customer's decision to the money on the balance, of those"`
}

// Counted is a share that was counted, with how sure it is.
type Counted struct {
	Hits int     `json:"hits" doc:"So many …"`
	N    int     `json:"n" doc:"… of so many; few say little"`
	Low  float64 `json:"low" doc:"With 95 % confidence the true share is not below this (Wilson)" minimum:"0" maximum:"1"`
	High float64 `json:"high" doc:"… nor above this" minimum:"0" maximum:"1"`
}

// Days is how long something took.
type Days struct {
	N      int     `json:"n" doc:"How many were counted"`
	Median float64 `json:"median" doc:"Half took no longer"`
	P80    float64 `json:"p80" doc:"Four of five took no longer"`
}

func recordView(r refund.Record) *Record {
	low, high := r.Refunded.Interval()
	return &Record{
		Refunded: Counted{Hits: r.Refunded.Hits, N: r.Refunded.N, Low: low, High: high},
		Days:     Days(r.Days),
	}
}

// Offer is a seller's partial answer.
type Offer struct {
	Amount    Money     `json:"amount" doc:"What would come back while the customer keeps the item"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when it can be answered"`
	Counter   *Money    `json:"counter,omitempty" doc:"What the customer asked for instead"`
}

// Finding is the outcome of one inspection.
type Finding struct {
	ID         string    `json:"id" doc:"The finding's id"`
	Round      int       `json:"round" doc:"Which delivery it is of" minimum:"1"`
	Verdict    string    `json:"verdict" enum:"pass,flag" doc:"pass: good; flag: flawed"`
	RecordedAt time.Time `json:"recorded_at" doc:"When it was inspected"`
	Flaws      []Flaw    `json:"flaws" doc:"Numbered from 1 as on the photos; those that concern only the house are left out"`
	Photos     []Photo   `json:"photos" doc:"Their redacted previews can be read"`
	Marks      []Mark    `json:"marks" doc:"Where on the photos the flaws are"`
}

// Flaw is one fault of an item.
type Flaw struct {
	Number   int     `json:"number" doc:"On photos and lists" minimum:"1"`
	Code     string  `json:"code" doc:"Of the flaw catalogue" example:"H11"`
	Name     Text    `json:"name" doc:"The kind of flaw"`
	Severity string  `json:"severity" enum:"CR,MAJ,MIN,OBS" doc:"Critical, major, minor, observation"`
	Zone     string  `json:"zone" doc:"A: front; B: side, back; C: hidden"`
	Quantity int     `json:"quantity" doc:"Pieces affected"`
	SizeMM   float64 `json:"size_mm,omitempty" doc:"Millimetres; absent: not measured"`
	Note     string  `json:"note,omitempty" doc:"The inspector's own words, not translated"`
}

// Photo is a photo of a finding.
type Photo struct {
	ID      string `json:"id" doc:"The photo's id"`
	Width   int    `json:"width" doc:"Pixels of the original, upright; marks are in these"`
	Height  int    `json:"height" doc:"Pixels of the original, upright"`
	Preview string `json:"preview,omitempty" format:"uri-reference" doc:"A JPEG of at most 1920 pixels with what was redacted gone; absent: still on its way"`
}

// Mark shows a flaw on a photo.
type Mark struct {
	Photo  string  `json:"photo" doc:"Which photo"`
	Flaw   int     `json:"flaw,omitempty" doc:"Number of the flaw; absent: of no particular one"`
	Tool   string  `json:"tool" doc:"Shape of the mark" example:"box"`
	Points []Point `json:"points" doc:"Of the shape"`
	Text   string  `json:"text,omitempty" doc:"Words on the photo, not translated"`
}

// Point is a place on a photo.
type Point struct {
	X float64 `json:"x" doc:"Pixels from the left"`
	Y float64 `json:"y" doc:"Pixels from the top"`
}

// Choice is what one decision would mean.
type Choice struct {
	Decision string `json:"decision" enum:"keep,refund,exchange" doc:"The decision"`
	Action   string `json:"action" doc:"The action that takes it" example:"choose_refund"`
	Words    Text   `json:"words" doc:"The decision for people"`
	Brings   Money  `json:"brings" doc:"Onto the balance, before fees"`
	Fees     []Fee  `json:"fees" doc:"What it costs"`
	Net      Money  `json:"net" doc:"What is left; may be below zero"`
	DaysFrom int    `json:"days_from" doc:"Usually takes at least so many days"`
	DaysTo   int    `json:"days_to" doc:"Usually takes at most so many days"`
	Rule     *Text  `json:"rule,omitempty" doc:"Who pays for a return, why, and by which version of the rules"`
}

// Fee is something that a choice costs.
type Fee struct {
	Kind   string `json:"kind" doc:"freight_in, freight_back or service; new ones may be added"`
	Words  Text   `json:"words" doc:"The same for people"`
	Amount Money  `json:"amount" doc:"How much"`
}

// Action is one thing that a customer can do to a case.
type Action struct {
	Action  string   `json:"action" doc:"What to send" example:"choose_refund"`
	Words   Text     `json:"words" doc:"The same for people"`
	Needs   []string `json:"needs" doc:"Members that must come with it: reason, amount, consent" example:"[\"reason\"]"`
	Consent *Text    `json:"consent,omitempty" doc:"What the customer must have read and agreed to; absent: nothing"`
	Allowed bool     `json:"allowed" doc:"Whether it is possible now"`
	Code    string   `json:"code,omitempty" doc:"Why it is not, for programs" example:"case_moved_on"`
	Why     *Text    `json:"why,omitempty" doc:"Why it is not, for people"`
}

// Entry is one line of a case's history.
type Entry struct {
	At    time.Time `json:"at" doc:"When"`
	Party string    `json:"party" doc:"Who: customer, instruction (the customer's own), clerk, lead, station or system"`
	Event string    `json:"event" doc:"What" example:"choose_refund"`
	To    string    `json:"to" doc:"The status after it"`
	Note  string    `json:"note,omitempty" doc:"A waybill, an amount or a reason"`
	Rule  string    `json:"rule,omitempty" doc:"Which of the customer's standing instructions did this: grave, minor, offer or else"`
}

func etag(version int) string { return strconv.Quote(strconv.Itoa(version)) }

func textOf(b qc.Bilingual) Text { return Text{EN: b.EN, ZH: b.ZH} }

func customerView(c qc.Customer) CustomerView {
	return CustomerView{ID: string(c.ID), Name: c.Name, Language: c.Language, Email: c.Email, TimeZone: c.TimeZone}
}

func (d *Door) itemView(i qc.Item, v View) ItemView {
	view := ItemView{
		ID: string(i.ID), Title: textOf(i.Title), Variant: textOf(i.Variant), Quantity: i.Quantity,
		UnitPrice: moneyOf(i.UnitPrice), FreightIn: moneyOf(i.FreightIn), Platform: i.Platform, PlatformOrder: i.PlatformOrder,
		Seller: i.Seller, Waybill: string(i.Waybill), CustomerNote: i.CustomerNote, Category: i.Category, Round: i.Round,
		StockedInAt: i.StockedInAt, WindowEndsAt: i.WindowEndsAt(),
	}
	if all := findingsOf(i.ID, v.Findings); len(all) > 0 {
		view.Verdict = string(all[0].Verdict)
	}
	view.Claim = d.possible(claimable(i, v))
	return view
}

// possible says whether something can be done, given why not.
func (d *Door) possible(why error) Possible {
	if why == nil {
		return Possible{Allowed: true}
	}
	return Possible{Code: why.Error(), Why: d.said("error." + why.Error())}
}

// claimable says why no missed flaw of an item can be reported, or nil: pieces of
// it have passed, or their case has ended and they were kept.
func claimable(item qc.Item, v View) error {
	var last refund.Case
	pieces := item.Quantity
	for _, c := range v.Cases {
		gone := c.Status == refund.Credited || c.Status == refund.Forfeited
		switch {
		case c.Item != item.ID:
			continue
		case c.Sort == refund.MissedFlaw:
			return ErrClaimed
		case !c.Status.Terminal() || gone:
			pieces -= c.Pieces()
		}
		if c.Sort == "" && !gone && !c.ChangedAt.Before(last.ChangedAt) {
			last = c
		}
	}
	if pieces < 1 || last.ID != "" && !last.Claimable() || last.ID == "" && len(findingsOf(item.ID, v.Findings)) == 0 {
		return refund.ErrNotNow
	}
	return nil
}

// findingsOf returns the findings of an item, the newest first.
func findingsOf(item qc.ItemID, findings map[qc.FindingID]qc.Finding) []qc.Finding {
	var all []qc.Finding
	for _, f := range findings {
		if f.Item == item {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b qc.Finding) int {
		if a.Round != b.Round {
			return b.Round - a.Round
		}
		return b.RecordedAt.Compare(a.RecordedAt)
	})
	return all
}

func (d *Door) orderView(v View) OrderView {
	view := OrderView{
		ID: string(v.Order.ID), Customer: customerView(v.Order.Customer), PlacedAt: v.Order.PlacedAt,
		Items: []ItemView{}, Cases: []CaseSummary{},
	}
	for _, item := range v.Order.Items {
		view.Items = append(view.Items, d.itemView(item, v))
	}
	for _, c := range v.Cases {
		view.Cases = append(view.Cases, d.summary(c))
	}
	return view
}

func (d *Door) summary(c refund.Case) CaseSummary {
	s := CaseSummary{
		ID: string(c.ID), Order: string(c.Order), Item: string(c.Item), Customer: string(c.Customer),
		Kind: kindOf(c.Sort), Parent: string(c.Parent), Status: string(c.Status), StatusWords: *d.said("status." + string(c.Status)), Open: !c.Status.Terminal(),
		Decision: string(c.Intent), Version: c.Version, ETag: etag(c.Version), OpenedAt: c.OpenedAt, ChangedAt: c.ChangedAt,
		Window: c.WindowEndsAt, Credited: moneyOf(c.Credited),
	}
	if c.Status == refund.AwaitingDecision {
		s.DecideBy = c.DecideBy
	}
	return s
}

func kindOf(sort refund.Sort) string {
	if sort == "" {
		return "flaw"
	}
	return string(sort)
}

// caseView is a case with all that belongs to it, as its customer sees it now.
func (d *Door) caseView(c refund.Case, v View) (*Case, error) {
	view := &Case{
		CaseSummary: d.summary(c), StatusMeaning: *d.said("status.meaning." + string(c.Status)), Round: c.Round, Quantity: c.Quantity,
		Paid: moneyOf(c.Paid), FreightIn: moneyOf(c.FreightIn), Received: moneyOf(c.Received), Charged: moneyOf(c.Charged),
		Reason: c.Reason, Carrier: c.Carrier, ReturnWaybill: string(c.ReturnWaybill),
		Findings: []Finding{}, Choices: []Choice{}, Actions: []Action{}, Timeline: []Entry{},
	}
	if c.Offer != nil {
		view.Offer = offerView(*c.Offer)
	}
	for _, f := range findingsOf(c.Item, v.Findings) {
		view.Findings = append(view.Findings, d.finding(c.ID, f, v.Stored))
	}
	customer := refund.Actor{Party: refund.ByCustomer, ID: string(c.Customer)}
	for _, action := range c.Next(customer, d.Now()) {
		view.Actions = append(view.Actions, d.action(c, action))
	}
	view.Split.Possible = d.possible(c.MaySplit(customer))
	if view.Split.Allowed {
		view.Split.Most = c.Quantity - 1
	}
	for _, e := range c.Timeline {
		view.Timeline = append(view.Timeline, Entry{At: e.At, Party: string(e.Actor.Party), Event: string(e.Event), To: string(e.To), Note: e.Note, Rule: string(e.Rule)})
	}
	if c.Status != refund.AwaitingDecision {
		return view, nil
	}
	sheet, err := c.Sheet()
	for _, choice := range sheet {
		view.Choices = append(view.Choices, d.choice(c, choice))
	}
	return view, err
}

func (d *Door) finding(id qc.CaseID, f qc.Finding, stored map[qc.Digest]bool) Finding {
	view := Finding{
		ID: string(f.ID), Round: f.Round, Verdict: string(f.Verdict), RecordedAt: f.RecordedAt,
		Flaws: []Flaw{}, Photos: []Photo{}, Marks: []Mark{},
	}
	for i, flaw := range f.Flaws {
		if flaw.Severity == "" {
			continue // only its place is left, see the store
		}
		kind, _ := d.Flaws.Flaw(flaw.Code)
		view.Flaws = append(view.Flaws, Flaw{
			Number: i + 1, Code: string(flaw.Code), Name: textOf(kind.Name()), Severity: string(flaw.Severity), Zone: string(flaw.Zone),
			Quantity: flaw.Quantity, SizeMM: flaw.SizeMM, Note: flaw.Note,
		})
	}
	for _, p := range f.Photos {
		photo := Photo{ID: string(p.ID), Width: p.Width, Height: p.Height}
		if stored[p.Preview.Digest] {
			photo.Preview = photoPath(id, f.ID, p.ID)
		}
		view.Photos = append(view.Photos, photo)
	}
	for _, m := range f.Marks {
		if m.Tool == qc.Redaction {
			continue // it is in the pixels
		}
		mark := Mark{Photo: string(m.Photo), Flaw: f.Number(m.Flaw), Tool: string(m.Tool), Points: []Point{}, Text: m.Text}
		for _, p := range m.Points {
			mark.Points = append(mark.Points, Point(p))
		}
		view.Marks = append(view.Marks, mark)
	}
	return view
}

// consent is what the customer must agree to before an action, or nil.
func (d *Door) consent(c refund.Case, kind refund.Kind) *Text {
	name, cost := c.Consent(kind)
	if name == "" {
		return nil
	}
	return d.said("web.consent."+name, "amount", cost.String())
}

func (d *Door) action(c refund.Case, a refund.Action) Action {
	view := Action{Action: string(a.Kind), Words: *d.said("action." + string(a.Kind)), Needs: []string{}, Allowed: a.Allowed}
	for _, field := range a.Needs {
		view.Needs = append(view.Needs, string(field))
	}
	if a.Allowed {
		if view.Consent = d.consent(c, a.Kind); view.Consent != nil {
			view.Needs = append(view.Needs, "consent")
		}
	}
	if !a.Allowed {
		view.Code, view.Why = codeOf(a.Why), d.said(a.Why)
	}
	return view
}

func (d *Door) choice(c refund.Case, choice refund.Choice) Choice {
	view := Choice{
		Decision: string(choice.Decision), Action: "choose_" + string(choice.Decision), Words: *d.said("decision." + string(choice.Decision)),
		Brings: moneyOf(choice.Brings), Fees: []Fee{}, Net: moneyOf(choice.Net), DaysFrom: choice.DaysFrom, DaysTo: choice.DaysTo,
	}
	if choice.Decision != refund.Keep {
		liability := cmp.Or(c.Liability, refund.BySellerFault)
		view.Rule = d.said("web.sheet.why."+string(liability), "version", strconv.Itoa(max(c.Policy, 1)))
	}
	for _, fee := range choice.Fees {
		view.Fees = append(view.Fees, Fee{Kind: string(fee.Kind), Words: *d.said("fee." + string(fee.Kind)), Amount: moneyOf(fee.Amount)})
	}
	return view
}
