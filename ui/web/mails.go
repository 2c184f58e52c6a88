package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"flawmark/app/qc"
)

// Mails is what the pages need so that customers choose which mails they get.
type Mails interface {
	// WantsProgress returns whether an order's customer is mailed of progress.
	WantsProgress(ctx context.Context, order qc.OrderID) (bool, error)
	// ChooseMails has them mailed of progress, or not.
	ChooseMails(ctx context.Context, order qc.OrderID, wanted bool, at time.Time) error
	// MailsByToken returns whom the secret in a mail of progress is for, and
	// whether they want such mails; [ErrLink] for one that is none.
	MailsByToken(ctx context.Context, token string, at time.Time) (customer qc.Customer, wanted bool, err error)
	// ChooseMailsByToken does as ChooseMails for them; [ErrLink] as well.
	ChooseMailsByToken(ctx context.Context, token string, wanted bool, at time.Time) error
}

// mailsPath is where the addresses in mails of progress lead, with their secret
// as "t".
const mailsPath = "/mails"

// What the button of a choice sends.
const (
	stopMails = "stop"
	sendMails = "send"
)

// mailsCard is the choice whether to be mailed of progress.
type mailsCard struct {
	speech
	Action string
	Wanted bool
	Now    string // what holds
}

func (s speech) mailsCard(wanted bool, action string) *mailsCard {
	card := &mailsCard{speech: s, Action: action, Wanted: wanted, Now: s.T("web.mails.are_on")}
	if !wanted {
		card.Now = s.T("web.mails.are_off")
	}
	return card
}

// mailsView is the page that an address in a mail opens.
type mailsView struct {
	frame
	Choice *mailsCard
}

// addMails shows the choice to a customer who has an address to write to.
func (p *Pages) addMails(ctx context.Context, s speech, page *orderPageView, order qc.Order) error {
	if order.Customer.Email == "" {
		return nil
	}
	wanted, err := p.Store.WantsProgress(ctx, order.ID)
	if err == nil {
		page.Mails = s.mailsCard(wanted, orderPath(order.ID)+"/mails")
	}
	return err
}

// orderMails keeps what is chosen on the order page.
func (p *Pages) orderMails(w http.ResponseWriter, r *http.Request) {
	order, err := p.openOrder(r)
	if err != nil {
		p.orderRefused(w, r, err)
		return
	}
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	wanted, notice := false, "web.mails.stopped"
	switch form.Get("progress") {
	case stopMails:
	case sendMails:
		wanted, notice = true, "web.mails.sending"
	default:
		p.sorry(w, r, http.StatusBadRequest, "web.form_broken")
		return
	}
	if err := p.Store.ChooseMails(r.Context(), order.Order.ID, wanted, p.Now()); err != nil {
		p.failed(w, r, "mails", err)
		return
	}
	back(w, r, orderPath(order.Order.ID), notice)
}

// mailsPage shows what holds, with a button that changes it. It changes nothing by
// itself: programs that look for malice in mails follow every address.
func (p *Pages) mailsPage(w http.ResponseWriter, r *http.Request) {
	token := mailToken(r)
	customer, wanted, err := p.Store.MailsByToken(r.Context(), token, p.Now())
	if err != nil {
		p.mailsRefused(w, r, err)
		return
	}
	s := p.speechFor(r, customer.Language, customer.TimeZone)
	here := func(language string) string {
		return "?" + url.Values{"t": {token}, "lang": {language}}.Encode()
	}
	page := mailsView{frame: p.frame(r, s, "mails", s.T("web.mails")), Choice: s.mailsCard(wanted, mailsPath+here(s.Language()))}
	for i, language := range page.Languages { // the frame's own lack the secret
		page.Languages[i].Href = here(language.Code)
	}
	p.render(w, r, http.StatusOK, "mails", page)
}

// mailsChoose ends mails of progress, or has them sent again where the page's
// button says so. Readers of mail send it without their user ever seeing a page,
// and follow no redirect (RFC 8058).
func (p *Pages) mailsChoose(w http.ResponseWriter, r *http.Request) {
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	chosen := form.Get("progress")
	if err := p.Store.ChooseMailsByToken(r.Context(), mailToken(r), chosen == sendMails, p.Now()); err != nil {
		p.mailsRefused(w, r, err)
		return
	}
	if chosen == "" {
		p.mailsPage(w, r)
		return
	}
	onward(w, r, mailsPath, r.URL.Query())
}

// mailToken returns the secret that came with r; empty where it is none.
func mailToken(r *http.Request) string {
	token := r.URL.Query().Get("t")
	if len(token) > 200 {
		return ""
	}
	return token
}

func (p *Pages) mailsRefused(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, ErrLink) {
		p.sorry(w, r, http.StatusNotFound, "web.mails.invalid")
		return
	}
	p.failed(w, r, "mails", err)
}
