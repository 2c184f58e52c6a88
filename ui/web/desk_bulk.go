package web

import (
	"encoding/base32"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// mostAtOnce bounds the cases of one step with many, and maxBulkForm the form
// that confirms it.
const (
	mostAtOnce  = 100
	maxBulkForm = 128 << 10
)

// bulkView is one step for many cases: choosing it, or confirming it.
type bulkView struct {
	frame
	Cases   []qc.CaseID
	Kinds   []bulkKind // what is possible for at least one of them
	Kind    refund.Kind
	Words   string
	Step    actionView // its fields are the same for all
	Rows    []bulkRow  // those that take it
	Others  []bulkRow  // those that do not, and why
	Run     string
	Problem string // why nothing was done
	Refused string // a sentence why nothing can be done
}

// bulkKind is a step and how many of the chosen cases can take it.
type bulkKind struct {
	Kind    refund.Kind
	Words   string
	N       int
	Current bool
}

// bulkRow is one of the chosen cases.
type bulkRow struct {
	speech
	Case    qc.CaseID
	ID      string
	Href    string
	Item    qc.ItemID
	Title   string
	Seller  string
	Words   string
	Tone    string
	Version int
	Fields  []fieldView
	Why     string
	Done    bool
	Typed   []factView // what was typed for a case that did not take the step
}

// ofEach are the fields that every case has a value of its own for.
var ofEach = []refund.Field{refund.NeedsAmount, refund.NeedsSellerRef, refund.NeedsWaybill}

// ofEach reports whether every case has a value of its own for the field; a
// parcel's carrier is one beside its number.
func (f fieldView) ofEach() bool {
	return f.Name == "carrier" || slices.Contains(ofEach, refund.Field(f.Name))
}

func (p *Pages) deskBulk(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	rows, ok := p.chosen(w, r, r.URL.Query()["case"])
	if !ok {
		return
	}
	s := p.deskSpeech(r)
	page := p.bulkView(r, s, who, rows, refund.Kind(r.URL.Query().Get("event")))
	page.Run = p.runID(r, who)
	p.render(w, r, http.StatusOK, "bulk", page)
}

// bulkView is the page of one step, or of choosing it, for the chosen cases.
func (p *Pages) bulkView(r *http.Request, s speech, who session, rows []WorkRow, kind refund.Kind) bulkView {
	page := bulkView{frame: p.deskFrame(r, s, who, "bulk", s.T("web.bulk.title"))}
	if len(rows) == 0 {
		page.Refused = s.T("web.bulk.none")
		return page
	}
	possible := map[refund.Kind]int{}
	for _, row := range rows {
		page.Cases = append(page.Cases, row.Case.ID)
		for _, next := range who.steps(row.Case, s.now) {
			if next.Allowed && inBulk(next.Kind) {
				possible[next.Kind]++
			}
		}
	}
	for _, t := range refund.Transitions() {
		if n := possible[t.On]; n > 0 {
			page.Kinds = append(page.Kinds, bulkKind{t.On, s.T("action." + string(t.On)), n, t.On == kind})
		}
	}
	if possible[kind] > 0 {
		page.Kind, page.Words, page.Step = kind, s.T("action."+string(kind)), actionView{speech: s, Kind: kind, ID: "all"}
		for _, row := range rows {
			page.preview(s, row, kind, who)
		}
	}
	return page
}

// refuse says why nothing was done, beside what was typed: at the fields of those
// cases that are not right, or, where it is about all of them, at a shared one.
func (v *bulkView) refuse(form url.Values, shared refusal, each map[qc.CaseID]refusal) {
	v.Run, v.Languages = form.Get("run"), nil // the answer has no address of its own
	told := false
	again := func(fields []fieldView, why refusal) {
		for i := range fields {
			if !fields[i].Secret {
				fields[i].Value = form.Get(fields[i].Name)
			}
			if why.field != "" && fields[i].Name == why.field {
				fields[i].Problem, fields[i].Focus, told = v.T(why.notice), !told, true
			}
		}
	}
	again(v.Step.Fields, shared)
	for _, row := range v.Rows {
		why := each[row.Case]
		why.field += "." + row.ID
		again(row.Fields, why)
	}
	if !told {
		v.Problem = v.T(shared.notice)
	}
}

// inBulk reports whether a step may be taken for many cases at once: what
// customers decide is asked of each of them.
func inBulk(kind refund.Kind) bool {
	return !slices.Contains(fromBenches, kind) && !slices.Contains(ofCustomers, kind)
}

// preview sorts a case to those that take the step or to the others.
func (v *bulkView) preview(s speech, w WorkRow, kind refund.Kind, who session) {
	row := s.bulkRow(w)
	for _, next := range who.steps(w.Case, s.now) {
		if next.Kind != kind {
			continue
		}
		if !next.Allowed {
			row.Why = s.why(w.Case, next)
			v.Others = append(v.Others, row)
			return
		}
		var shared []fieldView
		for _, field := range s.stepFields(w.Case, next) {
			if !field.ofEach() {
				shared = append(shared, field)
				continue
			}
			field.Name += "." + string(w.Case.ID)
			field.Optional = true // without it this case alone is left out
			row.Fields = append(row.Fields, field)
		}
		if v.Step.Fields == nil {
			v.Step.Fields = shared
		}
	}
	v.Rows = append(v.Rows, row)
}

func (s speech) bulkRow(w WorkRow) bulkRow {
	return bulkRow{
		speech: s, Case: w.Case.ID, ID: string(w.Case.ID), Href: casePath(w.Case.ID), Item: w.Case.Item,
		Title: w.Item.Title.In(s.Language()), Seller: w.Case.Seller, Words: s.T("status.desk." + string(w.Case.Status)),
		Tone: s.caseTone(w.Case), Version: w.Case.Version,
	}
}

// chosen returns the cases of a choice, in the worklist's order.
func (p *Pages) chosen(w http.ResponseWriter, r *http.Request, ids []string) ([]WorkRow, bool) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) > mostAtOnce {
		p.sorry(w, r, http.StatusBadRequest, "web.bulk.too_many")
		return nil, false
	}
	if len(ids) == 0 {
		return nil, true
	}
	filter := WorkFilter{Limit: mostAtOnce}
	for _, id := range ids {
		filter.Cases = append(filter.Cases, qc.CaseID(id))
	}
	work, err := p.Store.Worklist(r.Context(), filter)
	if err != nil {
		p.failed(w, r, "chosen cases", err)
		return nil, false
	}
	return work.Rows, true
}

// bulkResult is what came of a step for one case.
type bulkResult struct {
	Case   qc.CaseID     `json:"case"`
	Item   qc.ItemID     `json:"item"`
	Notice string        `json:"notice"`          // key of the sentence
	Status refund.Status `json:"status"`          // afterwards
	Typed  url.Values    `json:"typed,omitempty"` // for a case that did not take the step
}

// runID numbers what a page lets somebody do in one go: another for every look
// at the page, and for everything else that it is about.
func (p *Pages) runID(r *http.Request, who session, about ...string) string {
	code := p.sign("run", append([]string{string(who.ID), p.Now().Format(time.RFC3339Nano), r.URL.RequestURI()}, about...)...)
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(code[:16])
}

var runID = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// deskBulkAct takes one step with many cases, each by itself: one that fails
// holds up no other. The run's number makes a second submission show what came
// of the first.
func (p *Pages) deskBulkAct(w http.ResponseWriter, r *http.Request, who session) {
	form, ok := p.formOf(w, r, maxBulkForm)
	if !ok {
		return
	}
	id := form.Get("run")
	if !runID.MatchString(id) {
		p.sorry(w, r, http.StatusBadRequest, "error.field_missing")
		return
	}
	if before, err := p.Store.Run(r.Context(), id, who.ID); err == nil && before.Result != "" {
		http.Redirect(w, r, "/desk/bulk/"+id, http.StatusSeeOther)
		return
	}
	rows, ok := p.chosen(w, r, form["case"])
	if !ok {
		return
	}
	kind := refund.Kind(form.Get("event"))
	var approved refund.Event
	shared, each := unreadable(form, rows, kind)
	if shared.notice == "" {
		if err := p.approve(r, who, form.Get("approver"), form.Get("approver_password"), &approved); err != nil {
			shared = refusal{err.Error(), atField(err.Error())}
		}
	}
	if shared.notice != "" || len(each) > 0 {
		page := p.bulkView(r, p.deskSpeech(r), who, rows, kind)
		page.refuse(form, shared, each)
		if page.Kind != "" { // else all cases have moved on, and each says so
			p.render(w, r, http.StatusUnprocessableEntity, "bulk", page)
			return
		}
	}
	results := make([]bulkResult, 0, len(rows))
	for _, row := range rows {
		result, err := p.bulkOne(r, who, form, row, kind, approved.Approver)
		if err != nil {
			p.failed(w, r, "bulk", err) // what was done is done; sent again, it goes on from there
			return
		}
		results = append(results, result)
	}
	if err := p.keepRun(r, Run{ID: id, Kind: "bulk", Staff: who.ID, At: p.Now(), Request: string(kind)}, results); err != nil {
		p.failed(w, r, "bulk", err)
		return
	}
	http.Redirect(w, r, "/desk/bulk/"+id, http.StatusSeeOther)
}

// keepRun keeps a run with its results.
func (p *Pages) keepRun(r *http.Request, run Run, results any) error {
	text, err := json.Marshal(results)
	if err != nil {
		return err
	}
	run.Result = string(text)
	return p.Store.KeepRun(r.Context(), run)
}

// unreadable is what of a form for many cases nobody can read: what they share, or
// what each has of its own. One look mends it all.
func unreadable(form url.Values, rows []WorkRow, kind refund.Kind) (shared refusal, each map[qc.CaseID]refusal) {
	if _, err := readEvent(url.Values{"event": {string(kind)}, "reason": form["reason"], "carrier": form["carrier"]}); err != nil {
		return refusedBy(err), nil
	}
	each = map[qc.CaseID]refusal{}
	for _, row := range rows {
		if _, err := readEvent(ownForm(form, row.Case.ID, kind)); err != nil {
			each[row.Case.ID] = refusedBy(err)
		}
	}
	return shared, each
}

// ownForm is what a form for many cases says of one.
func ownForm(form url.Values, id qc.CaseID, kind refund.Kind) url.Values {
	own := url.Values{"event": {string(kind)}, "reason": form["reason"], "carrier": form["carrier"]}
	for _, field := range ofEach {
		own.Set(string(field), form.Get(string(field)+"."+string(id)))
	}
	if carrier := strings.TrimSpace(form.Get("carrier." + string(id))); carrier != "" {
		own.Set("carrier", carrier)
	}
	return own
}

// bulkOne takes the step with one case, in the version that was shown.
func (p *Pages) bulkOne(r *http.Request, who session, form url.Values, row WorkRow, kind refund.Kind, approver qc.StaffID) (bulkResult, error) {
	id := string(row.Case.ID)
	result := bulkResult{Case: row.Case.ID, Item: row.Case.Item, Status: row.Case.Status}
	number, err := strconv.Atoi(form.Get("version." + id))
	if err != nil || number < 1 || !inBulk(kind) {
		result.Notice = "error.not_allowed"
		return result, nil
	}
	own := ownForm(form, row.Case.ID, kind)
	result.Typed = own
	event, err := readEvent(own)
	if err != nil {
		result.Notice = err.Error()
		return result, nil
	}
	event.Actor, event.At, event.Approver = who.actorFor(kind), p.Now(), approver
	after, err := p.Store.Act(r.Context(), row.Case.ID, number, event, p.actKey(row.Case.ID, number, event))
	result.Notice, err = outcome(err)
	if result.Notice == "web.notice.done" {
		result.Status, result.Typed = after.Status, nil
	}
	return result, err
}

// bulkDoneView says what came of a step for many cases.
type bulkDoneView struct {
	frame
	Words string
	Done  int
	Left  int
	Rows  []bulkRow
}

func (p *Pages) deskBulkDone(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	run, err := p.Store.Run(r.Context(), r.PathValue("run"), who.ID)
	if errors.Is(err, qc.ErrNotFound) || err == nil && run.Kind != "bulk" {
		p.nothingHere(w, r)
		return
	}
	var results []bulkResult
	if err == nil {
		err = json.Unmarshal([]byte(run.Result), &results)
	}
	if err != nil {
		p.failed(w, r, "bulk", err)
		return
	}
	s := p.deskSpeech(r)
	page := bulkDoneView{frame: p.deskFrame(r, s, who, "bulk", s.T("web.bulk.title")), Words: s.T("action." + run.Request)}
	for _, result := range results {
		row := bulkRow{
			speech: s, Case: result.Case, Href: casePath(result.Case), Item: result.Item, Tone: deskTone(result.Status),
			Words: s.T("status.desk." + string(result.Status)), Done: result.Notice == "web.notice.done", Why: s.T(result.Notice),
		}
		if row.Done {
			page.Done++
			row.Why = s.T("web.bulk.done_one")
		} else {
			page.Left++
			row.Typed = s.typed(result.Typed)
		}
		page.Rows = append(page.Rows, row)
	}
	p.render(w, r, http.StatusOK, "bulk_done", page)
}
