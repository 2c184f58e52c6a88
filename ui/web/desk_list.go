package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// deskZone is where the desk and the sellers are: marketplaces state their
// deadlines in it.
const deskZone = "Asia/Shanghai"

// listed bounds the rows of the worklist; the rest is found by searching.
const listed = 100

// deskListView is the worklist.
type deskListView struct {
	frame
	All    bool
	Query  string
	Rows   []deskRow
	Total  int
	More   int // cases beyond those listed
	Notice string
}

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
	Changed  moment
	Since    string
	Waits    string // what the case waits for besides a person
}

func (p *Pages) deskSpeech(r *http.Request) speech { return p.speechFor(r, "", deskZone) }

func (p *Pages) deskFrame(r *http.Request, s speech, who session, name, title string) frame {
	f := p.frame(r, s, name, title)
	f.Staff = &who
	return f
}

func deskFilter(r *http.Request) CaseFilter {
	query := strings.TrimSpace(r.URL.Query().Get("q"))
	if runes := []rune(query); len(runes) > 100 {
		query = string(runes[:100])
	}
	return CaseFilter{Open: r.URL.Query().Get("show") != "all", Query: query}
}

func (p *Pages) deskList(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	filter := deskFilter(r)
	cases, err := p.Store.Cases(r.Context(), filter)
	if err != nil {
		p.failed(w, r, "worklist", err)
		return
	}
	s := p.deskSpeech(r)
	page := deskListView{
		frame: p.deskFrame(r, s, who, "desk", s.T("web.desk.title")), All: !filter.Open, Query: filter.Query,
		Total: len(cases), More: max(0, len(cases)-listed),
	}
	page.State = casesState(cases)
	page.Events = "/desk/events"
	if r.URL.RawQuery != "" {
		page.Events += "?" + r.URL.Query().Encode()
	}
	for _, c := range cases[:min(listed, len(cases))] {
		dossier, err := p.Store.Dossier(r.Context(), c.ID)
		if err != nil {
			p.failed(w, r, "worklist", err)
			return
		}
		page.Rows = append(page.Rows, s.deskRow(c, dossier))
	}
	p.render(w, r, http.StatusOK, "desk", page)
}

func (s speech) deskRow(c refund.Case, d Dossier) deskRow {
	row := deskRow{
		speech: s, Case: c.ID, Href: casePath(c.ID), Item: c.Item, Title: d.Item.Title.In(s.Language()),
		Customer: d.Customer.Name, Status: c.Status, Words: s.T("status.desk." + string(c.Status)),
		Tone: deskTone(c.Status), Seller: c.Seller, Changed: s.at(c.ChangedAt), Since: s.since(c.ChangedAt),
		Clock: s.deskClock(c),
	}
	if owed, err := c.Owed(); err == nil {
		row.Amount = owed.String()
	}
	if c.PhotosMissing > 0 {
		row.Waits = s.Count("web.photos_missing", c.PhotosMissing)
	}
	if n := unanswered(d.Tickets, c.Item); n > 0 {
		row.Waits = s.Count("web.tickets.waiting", n)
	}
	return row
}

// deskTone says whose turn it is, as the desk sees it.
func deskTone(status refund.Status) string {
	switch status {
	case refund.Negotiating, refund.SellerRefused, refund.Returning, refund.SellerRefunding, refund.Flagged,
		refund.Escalated, refund.ReturnException, refund.RefundShort, refund.PhotosRequested:
		return "now"
	case refund.Credited, refund.CreditedKept, refund.Exchanged:
		return "good"
	case refund.Kept, refund.Withdrawn, refund.Forfeited:
		return "over"
	}
	return "going"
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

func casesState(cases []refund.Case) string {
	versions := make([]any, 0, 2*len(cases))
	for _, c := range cases {
		versions = append(versions, c.ID, c.Version)
	}
	return fingerprint(versions...)
}

// deskEvents tells an open worklist, or the open case that is named, of changes.
func (p *Pages) deskEvents(w http.ResponseWriter, r *http.Request, _ session) {
	id := qc.CaseID(r.URL.Query().Get("case"))
	filter := deskFilter(r)
	p.stream(w, r, func(ctx context.Context) (string, error) {
		if _, err := p.signedIn(r); err != nil {
			return "", err // no longer
		}
		if id != "" {
			dossier, err := p.Store.Dossier(ctx, id)
			if err != nil {
				return "", err
			}
			return dossierState(dossier), nil
		}
		cases, err := p.Store.Cases(ctx, filter)
		if err != nil {
			return "", err
		}
		return casesState(cases), nil
	})
}

func dossierState(d Dossier) string {
	parts := []any{d.Case.ID, d.Case.Version, ticketsState(d.Tickets)}
	for _, f := range d.Findings {
		parts = append(parts, f.ID, f.Revision)
	}
	return fingerprint(parts...)
}
