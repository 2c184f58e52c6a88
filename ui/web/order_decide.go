package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// orderDecide takes the customer's decision and goes back to the page, which
// shows the case as it then is, whoever was first.
func (p *Pages) orderDecide(w http.ResponseWriter, r *http.Request) {
	order, err := p.openOrder(r)
	if err != nil {
		p.orderRefused(w, r, err)
		return
	}
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	id := qc.CaseID(r.PathValue("case"))
	i := slices.IndexFunc(order.Cases, func(c refund.Case) bool { return c.ID == id })
	if i < 0 || !order.Cases[i].Status.Visible() {
		p.nothingHere(w, r)
		return
	}
	number, err := strconv.Atoi(form.Get("version"))
	if err != nil || number < 1 {
		p.sorry(w, r, http.StatusBadRequest, "error.field_missing")
		return
	}
	actor := refund.Actor{Party: refund.ByCustomer, ID: string(order.Order.Customer.ID)}
	event, err := readEvent(form)
	if err != nil {
		notice := url.Values{"notice": {err.Error()}, "case": {string(id)}}
		http.Redirect(w, r, orderPath(order.Order.ID)+"?"+notice.Encode(), http.StatusSeeOther)
		return
	}
	s := p.orderSpeech(r, order)
	agreed := form.Get("consent") == "yes"
	if s.consent(order.Cases[i], event.Kind) != "" && !agreed {
		query := url.Values{"notice": {"web.consent.needed"}, "case": {string(id)}}
		onwardTo(w, r, order.Order.ID, order.Cases[i].Item, query)
		return
	}
	// What a customer may say is told from what a form can hold.
	event = refund.Event{Kind: event.Kind, Reason: event.Reason, Amount: event.Amount, Actor: actor, At: p.Now(), Consent: agreed}
	_, err = p.Store.Act(r.Context(), id, number, event, p.actKey(id, number, event))
	notice, err := outcome(err)
	if err != nil {
		p.failed(w, r, "decide", err)
		return
	}
	onwardTo(w, r, order.Order.ID, order.Cases[i].Item, url.Values{"notice": {notice}, "case": {string(id)}})
}

// onwardTo goes back to an item on its order's page, and says a sentence there:
// that is where the reader was.
func onwardTo(w http.ResponseWriter, r *http.Request, order qc.OrderID, item qc.ItemID, query url.Values) {
	address := orderPath(order) + "?" + query.Encode() + "#item-" + url.PathEscape(string(item))
	http.Redirect(w, r, address, http.StatusSeeOther) //nolint:gosec // one of our own
}

// form reads a form within limits of size and time.
func (p *Pages) form(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	return p.formOf(w, r, maxForm)
}

// formOf is form for so many bytes.
func (p *Pages) formOf(w http.ResponseWriter, r *http.Request, most int64) (url.Values, bool) {
	line := http.NewResponseController(w)
	_ = line.SetReadDeadline(time.Now().Add(formTime)) // the socket's time; not every reader has deadlines
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if err := r.ParseForm(); err != nil || !legibleValues(r.PostForm) {
		// The deadline stays: the rest of the form is not waited for either.
		p.sorry(w, r, http.StatusBadRequest, "web.form_broken")
		return nil, false
	}
	_ = line.SetReadDeadline(time.Time{}) // left behind, it would end the request while it is worked on
	return r.PostForm, true
}

// outcome turns what a store says of an event into the key of the sentence the
// next page shows; any other error is passed on.
func outcome(err error) (notice string, other error) {
	var conflict *Conflict
	switch {
	case err == nil:
		return "web.notice.done", nil
	case errors.As(err, &conflict):
		return "error.case_moved_on", nil
	case errors.Is(err, ErrSellerRef):
		return "web.seller_ref_used", nil
	}
	for _, reason := range refund.Refusals() {
		if errors.Is(err, reason) {
			return "error." + reason.Error(), nil
		}
	}
	return "", err
}

// back redirects to path, where notice is shown.
func back(w http.ResponseWriter, r *http.Request, path, notice string) {
	onward(w, r, path, url.Values{"notice": {notice}})
}

// onward redirects to path, which is escaped and one of our own, with query.
func onward(w http.ResponseWriter, r *http.Request, path string, query url.Values) {
	if rest := query.Encode(); rest != "" {
		path += "?" + rest
	}
	http.Redirect(w, r, path, http.StatusSeeOther) //nolint:gosec // all paths begin with /o/, /desk or /mails
}
