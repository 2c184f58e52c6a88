package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"flawmark/app/qc"
	"flawmark/app/refund"
	handout "flawmark/imaging/evidence"
)

// maxLetterForm is room for a letter in two languages; a form writes nine bytes
// for a Chinese letter.
const maxLetterForm = 64 << 10

// lettersView is a letter about a case: choosing its text, and the text filled
// from the case, to copy and to record.
type lettersView struct {
	frame
	Case     qc.CaseID
	Back     string
	Item     qc.ItemID
	Action   string
	Sellers  []choiceLink
	Others   []choiceLink
	Chosen   string
	Version  int
	Name     string
	Language string
	Spoken   string // the language's name
	Reasons  []choice
	Text     string
	Lack     string // fields without a value
	MayEdit  string // address of the text; empty for those who may not change it
	MaySend  bool
	Run      string
	Notice   string
	Reason   string // the marketplace's, that is chosen
	Problem  string // why what was written was not recorded
}

// deskLetters fills a text of the desk from a case.
func (p *Pages) deskLetters(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	query := r.URL.Query()
	page, err := p.lettersView(r, p.deskSpeech(r), d, who, query.Get("text"), query.Get("reason"))
	if err != nil {
		p.failed(w, r, "letters", err)
		return
	}
	p.render(w, r, http.StatusOK, "letters", page)
}

// lettersView is the page of letters about a case, with the chosen text filled.
func (p *Pages) lettersView(r *http.Request, s speech, d Dossier, who session, chosen, reason string) (lettersView, error) {
	path := casePath(d.Case.ID)
	page := lettersView{
		frame: p.deskFrame(r, s, who, "letters", s.T("web.letters.title", "item", string(d.Case.Item))),
		Case:  d.Case.ID, Back: path, Item: d.Case.Item, Action: path + "/letters", MaySend: who.mayAct(), Run: p.runID(r, who), Notice: s.notice(r),
	}
	page.Scripts = []string{"copy.js"}
	templates, err := p.Store.Templates(r.Context())
	for _, t := range templates {
		if t.Retired && t.ID != chosen {
			continue
		}
		one := choiceLink{Href: page.Action + "?text=" + t.ID, Words: t.Name.In(s.Language()), Current: t.ID == chosen}
		if t.For == refund.ToSeller {
			page.Sellers = append(page.Sellers, one)
		} else {
			page.Others = append(page.Others, one)
		}
		if one.Current {
			p.fillLetter(&page, s, d, t, reason, who)
		}
	}
	return page, err
}

// fillLetter puts a text, filled from the case, on the page.
func (p *Pages) fillLetter(page *lettersView, s speech, d Dossier, t refund.Template, reason string, who session) {
	page.Chosen, page.Version, page.Name = t.ID, t.Version, t.Name.In(s.Language())
	page.Language = "zh"
	text := t.Text.ZH
	if t.For == refund.ToCustomer && d.Customer.Language != "zh" {
		page.Language, text = "en", t.Text.EN
	}
	page.Spoken = s.T("language." + page.Language)
	if reason == "" {
		if f, ok := currentFinding(d); ok {
			reason = handout.ReasonFor(f, p.Catalogue).ID
		}
	}
	page.Reason = reason
	for _, known := range p.Catalogue.Reasons() {
		words := known.ZH
		if s.Language() != "zh" {
			words += " · " + known.EN
		}
		page.Reasons = append(page.Reasons, choice{known.ID, words, known.ID == reason})
	}
	var lack []string
	page.Text, lack = refund.Fill(text, p.letterValues(d, t.For, page.Language, reason))
	page.Lack = strings.Join(lack, " ")
	if who.mayEdit() {
		page.MayEdit = "/desk/texts/" + t.ID
	}
}

// letterValues are a case's values for the fields of a letter: a seller reads
// the marketplace's clock, a customer their own.
func (p *Pages) letterValues(d Dossier, reader refund.Reader, language, reason string) map[string]string {
	zone := deskZone
	if reader == refund.ToCustomer {
		zone = d.Customer.TimeZone
	}
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		location = time.UTC
	}
	s := speech{Words: p.Words[language], zone: location, now: p.Now()}
	c := d.Case
	values := map[string]string{
		"item": d.Item.Title.In(language), "variant": d.Item.Variant.In(language), "quantity": strconv.Itoa(c.Quantity),
		"order": string(c.Order), "platform_order": d.Item.PlatformOrder, "seller": c.Seller, "customer": d.Customer.Name,
		"refused": lastRefusal(c), "waybill": string(d.Item.Waybill), "return_waybill": string(c.ReturnWaybill), "seller_ref": c.SellerRef,
		"received": c.Received.String(), "missing": c.Missing().String(),
	}
	if c.Refusals > 0 {
		values["refusals"] = strconv.Itoa(c.Refusals)
	}
	if owed, err := c.Owed(); err == nil {
		values["amount"] = owed.String()
	}
	if first := c.Turn().First(); !first.IsZero() {
		values["deadline"] = s.at(first).Text + " (" + s.Zone() + ")"
	}
	if known, ok := p.Catalogue.Reason(reason); ok {
		values["reason"] = qc.Bilingual{EN: known.EN, ZH: known.ZH}.In(language)
	}
	if f, ok := currentFinding(d); ok {
		values["flaws"] = p.flawWords(s, f)
	}
	return values
}

// lastRefusal is what the seller said no with.
func lastRefusal(c refund.Case) string {
	for _, e := range slices.Backward(c.Timeline) {
		if e.To == refund.SellerRefused && e.From != e.To {
			return e.Note
		}
	}
	return ""
}

// flawWords lists a finding's flaws that are no secret of the house.
func (p *Pages) flawWords(s speech, f qc.Finding) string {
	var list []string
	for _, flaw := range f.Flaws {
		kind, ok := p.Catalogue.Flaw(flaw.Code)
		if !ok || kind.Internal {
			continue
		}
		words := kind.Name().In(s.Language())
		if flaw.SizeMM > 0 {
			words += " " + strconv.FormatFloat(flaw.SizeMM, 'f', -1, 64) + " mm"
		}
		list = append(list, words)
	}
	return strings.Join(list, s.T("web.or"))
}

// deskLetterSent records a letter that a clerk has sent.
func (p *Pages) deskLetterSent(w http.ResponseWriter, r *http.Request, who session) {
	form, ok := p.formOf(w, r, maxLetterForm)
	if !ok {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	text := unixLines(form.Get("letter"))
	version, err := strconv.Atoi(form.Get("version"))
	id := form.Get("run")
	switch {
	case err != nil || !runID.MatchString(id) || text == "":
		p.refuseLetter(w, r, d, who, form, "error."+refund.ErrMissing.Error())
		return
	case utf8.RuneCountInString(text) > refund.MaxLetter:
		p.refuseLetter(w, r, d, who, form, "error."+refund.ErrTemplateLong.Error())
		return
	}
	versions, err := p.Store.TemplateVersions(r.Context(), form.Get("text"))
	if err != nil {
		p.failed(w, r, "letter", err)
		return
	}
	i := slices.IndexFunc(versions, func(t refund.Template) bool { return t.Version == version })
	if i < 0 {
		p.refuseLetter(w, r, d, who, form, "error."+refund.ErrMissing.Error())
		return
	}
	letter := refund.Letter{
		ID: id, Case: d.Case.ID, For: versions[i].For, Language: form.Get("language"), Template: versions[i].ID, Version: version,
		Text: text, By: who.ID, At: p.Now(),
	}
	if _, known := p.Words[letter.Language]; !known {
		letter.Language = "zh"
	}
	if err := p.Store.KeepLetter(r.Context(), letter); err != nil {
		p.failed(w, r, "letter", err)
		return
	}
	back(w, r, casePath(d.Case.ID), "web.letters.kept")
}

// refuseLetter answers a letter that was not recorded with what was written.
func (p *Pages) refuseLetter(w http.ResponseWriter, r *http.Request, d Dossier, who session, form url.Values, notice string) {
	s := p.deskSpeech(r)
	page, err := p.lettersView(r, s, d, who, form.Get("text"), form.Get("reason"))
	if err != nil {
		p.failed(w, r, "letter", err)
		return
	}
	page.Problem, page.Text, page.Languages = s.T(notice), form.Get("letter"), nil // the answer has no address of its own
	if run := form.Get("run"); runID.MatchString(run) {
		page.Run = run // it is the same letter
	}
	p.render(w, r, http.StatusUnprocessableEntity, "letters", page)
}

// deskTimeline is a case's history together with what was written about it, the
// latest first.
func (s speech) deskTimeline(d Dossier) []entryView {
	type dated struct {
		at   time.Time
		view entryView
	}
	var all []dated
	for _, entry := range d.Case.Timeline {
		all = append(all, dated{entry.At, s.deskEntry(entry)})
	}
	for _, letter := range d.Letters {
		all = append(all, dated{letter.At, entryView{
			At: s.at(letter.At), What: s.T("web.letters.sent_to." + string(letter.For)),
			Who: s.T("role.clerk") + " " + s.person(letter.By), Note: letter.Text,
		}})
	}
	slices.SortStableFunc(all, func(a, b dated) int { return a.at.Compare(b.at) })
	views := make([]entryView, 0, len(all))
	for _, one := range slices.Backward(all) {
		views = append(views, one.view)
	}
	return views
}

// coachView helps to ask again after a refusal.
type coachView struct {
	Refusals string
	Refused  string // what the seller said
	Clock    *clock
	Rows     []proofRow
	Again    string // address of the text for it
}

// proofRow is a flaw with the evidence that a claim for it should show.
type proofRow struct {
	Name   string
	Proofs []proofView
}

// proofView is one piece of evidence.
type proofView struct {
	Words string
	Have  refund.Have
	State string
}

// coach returns what is to be seen to before the seller is asked again; nil
// where there was no refusal, or it does not matter any more.
func (p *Pages) coach(s speech, d Dossier) *coachView {
	c := d.Case
	f, ok := currentFinding(d)
	if !ok || c.Refusals == 0 || c.Status != refund.SellerRefused && c.Status != refund.Negotiating {
		return nil
	}
	view := &coachView{
		Refusals: s.Count("web.coach.refusals", c.Refusals), Refused: lastRefusal(c), Clock: s.turnClock(c),
		Again: casePath(c.ID) + "/letters?text=seller-again",
	}
	for _, flaw := range f.Flaws {
		row := proofRow{}
		for _, proof := range refund.Proofs(f, d.Item, p.Catalogue) {
			if proof.Flaw == flaw.ID {
				row.Proofs = append(row.Proofs, proofView{
					Words: s.T("web.proof." + string(proof.Kind)), Have: proof.Have, State: s.T("web.have." + string(proof.Have)),
				})
			}
		}
		if kind, known := p.Catalogue.Flaw(flaw.Code); known && row.Proofs != nil {
			row.Name = kind.Name().In(s.Language())
			view.Rows = append(view.Rows, row)
		}
	}
	return view
}
