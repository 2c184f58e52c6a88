package web

import (
	"net/http"
	"slices"
	"time"

	"flawmark/app/refund"
)

// shownNotices are those that are read at once; the others are folded away.
const shownNotices = 6

// toldView says whether a case's customer has been told.
type toldView struct {
	Untold  string // that they do not know of the last
	What    string // what to do about it
	Again   string // address of telling again; empty where that would change nothing
	Notices []noticeView
	Earlier []noticeView
	Contact *contactForm // nil: not for whoever reads the page
}

// noticeView is one notice: what it tells, by what way, and what became of it.
type noticeView struct {
	Kind, By string
	State    refund.NoticeState
	Words    string
	Problem  string
}

// told says what became of the notices to a case's customer.
func (s speech) told(d Dossier, told Telling, acts, noMail bool) toldView {
	var view toldView
	for i, n := range told.Notices {
		one := s.noticeView(n)
		if i < shownNotices {
			view.Notices = append(view.Notices, one)
		} else {
			view.Earlier = append(view.Earlier, one)
		}
	}
	stuck := slices.ContainsFunc(told.Notices, func(n refund.Notice) bool {
		return n.State == refund.NoticeFailed || n.State == refund.NoticeWaiting && n.Problem != ""
	})
	switch {
	case told.Untold && noMail: // it is nobody's fault at this case
		view.What = s.T("web.told.do.mail")
	case told.Untold:
		view.Untold, view.What = s.T("web.told.not"), s.T(remedy(d, told, s.now))
	}
	// Without a notice to send again there must be an address by now.
	waits := slices.ContainsFunc(told.Notices, func(n refund.Notice) bool { return n.State == refund.NoticeWaiting })
	if acts && (stuck || told.Untold && !waits && d.Customer.Email != "" && d.Case.Asks() != "") {
		view.Again = casePath(d.Case.ID) + "/notices"
	}
	return view
}

// remedy names what is to be done for a customer who could not be told: what the
// latest notice asks for that is in trouble.
func remedy(d Dossier, told Telling, now time.Time) string {
	for _, n := range told.Notices {
		switch {
		case n.State == refund.NoticeSent || n.State == refund.NoticeMoot || n.State == refund.NoticeUnwanted:
		case n.Problem == "notice.problem.address" || n.Problem == "notice.problem.recipient" || n.Problem == "notice.problem.bounced":
			if d.Customer.Correction.At.After(n.DueAt) {
				return "web.told.do.corrected"
			}
			return "web.told.do.address"
		case n.Problem != "":
			return "web.told.do.again"
		case !n.DueAt.After(now):
			return "web.told.do.sender"
		}
	}
	if d.Customer.Email == "" {
		return "web.told.do.no_way"
	}
	return "web.told.do.address_now"
}

func (s speech) noticeView(n refund.Notice) noticeView {
	view := noticeView{
		Kind: s.T("notice.kind." + string(n.Kind)), By: s.T("web.told.by." + string(n.Medium)), State: n.State,
	}
	if n.Problem != "" {
		view.Problem = s.T(n.Problem)
	}
	if n.Code != "" {
		view.Problem += " (" + n.Code + ")"
	}
	switch {
	case n.State == refund.NoticeSent:
		view.Words = s.T("web.told.sent", "at", s.at(n.SentAt).Text)
	case n.State == refund.NoticeMoot && n.Problem == "":
		view.Words = s.T("web.told.moot")
	case n.State == refund.NoticeUnwanted:
		view.Words = s.T("web.told.unwanted")
	case n.State != refund.NoticeWaiting: // or a browser that is gone
		view.Words = s.T("web.told.failed")
	default:
		view.Words = s.T(s.waitingFor(n), "at", s.at(n.DueAt).Text)
	}
	return view
}

// waitingFor names what a notice waits for.
func (s speech) waitingFor(n refund.Notice) string {
	switch {
	case n.Problem != "":
		return "web.told.retried"
	case !n.DueAt.After(s.now):
		return "web.told.due"
	case n.Kind == refund.TellReminder:
		return "web.told.later"
	case n.Held:
		return "web.told.held"
	default:
		return "web.told.quiet"
	}
}

// deskRetell sends once more what a case's customer could not be told.
func (p *Pages) deskRetell(w http.ResponseWriter, r *http.Request, who session) {
	if _, ok := p.form(w, r); !ok {
		return
	}
	d, ok := p.dossier(w, r)
	if !ok {
		return
	}
	n, err := p.Store.Retell(r.Context(), d.Case.ID, who.ID, p.Now())
	if err != nil {
		p.failed(w, r, "retell", err)
		return
	}
	notice := "web.told.again"
	if n == 0 {
		notice = "web.told.nothing"
	}
	back(w, r, casePath(d.Case.ID), notice)
}
