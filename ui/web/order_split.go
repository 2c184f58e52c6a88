package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// splitCard lets somebody decide for some of the pieces by themselves.
type splitCard struct {
	speech
	Action  string
	Version int
	ID      string // of the field
	Most    int
	Typed   string // so many pieces
	Problem string // why that was not taken
}

// Heading says what the card is for.
func (c splitCard) Heading() string { return c.T("web.split.heading") }

// splitCard returns the card for actor, or nil where the case is decided whole.
func (s speech) splitCard(c refund.Case, actor refund.Actor, action string) *splitCard {
	if c.MaySplit(actor) != nil {
		return nil
	}
	return &splitCard{speech: s, Action: action, Version: c.Version, ID: "split-" + string(c.ID), Most: c.Quantity - 1, Typed: "1"}
}

// slicesOf returns the cases that an item's pieces are in, open ones first and
// the oldest first among them: after a split several, each for its pieces. An
// ended case counts as long as no later one is about the same pieces.
func slicesOf(o OrderView, item qc.Item) []refund.Case {
	var all []refund.Case
	for _, c := range o.Cases {
		if c.Item == item.ID && c.Pieces() > 0 {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b refund.Case) int {
		if a.Status.Terminal() != b.Status.Terminal() {
			if b.Status.Terminal() {
				return -1
			}
			return 1
		}
		return b.OpenedAt.Compare(a.OpenedAt)
	})
	pieces := 0
	for n, c := range all {
		if pieces += c.Quantity; pieces > item.Quantity {
			all = all[:max(n, 1)]
			break
		}
	}
	slices.SortStableFunc(all, func(a, b refund.Case) int {
		return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.Parent, b.Parent), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// sliceViews returns an item as its customer sees it, once for each slice of
// its pieces.
func (p *Pages) sliceViews(s speech, o OrderView, item qc.Item, base string) []itemView {
	cases := slicesOf(o, item)
	if len(cases) < 2 {
		return []itemView{p.itemView(s, o, item, base)}
	}
	var views []itemView
	for n, c := range cases {
		part := o
		part.Cases = []refund.Case{c}
		view := p.itemView(s, part, item, base)
		view.Quantity, view.Pieces = c.Quantity, s.T("web.pieces", "n", strconv.Itoa(c.Quantity), "m", strconv.Itoa(item.Quantity))
		view.Paid, view.Freight = c.Paid.String(), c.FreightIn.String()
		if n > 0 { // the parts may share their photos, and nothing is called the same twice
			suffix := "-part-" + strconv.Itoa(n+1)
			view.ID += qc.ItemID(suffix)
			rename(view.Photos, suffix)
			for i := range view.Earlier {
				rename(view.Earlier[i].Photos, suffix)
			}
		}
		views = append(views, view)
	}
	return views
}

func rename(photos []photoView, suffix string) {
	for i := range photos {
		photos[i].ID += suffix
	}
}

// orderSplit lets the customer decide for some of the pieces by themselves.
func (p *Pages) orderSplit(w http.ResponseWriter, r *http.Request) {
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
	actor := refund.Actor{Party: refund.ByCustomer, ID: string(order.Order.Customer.ID)}
	notice, ok := p.split(w, r, form, id, actor)
	if !ok {
		return
	}
	query := url.Values{"notice": {notice}, "case": {string(id)}}
	http.Redirect(w, r, orderPath(order.Order.ID)+"?"+query.Encode()+"#item-"+url.PathEscape(string(order.Cases[i].Item)), http.StatusSeeOther)
}

// split reads the form of a [splitCard] and returns the key of the sentence for
// the next page. When it returns false, the request is answered already.
func (p *Pages) split(w http.ResponseWriter, r *http.Request, form url.Values, id qc.CaseID, actor refund.Actor) (string, bool) {
	version, err := strconv.Atoi(form.Get("version"))
	if err != nil || version < 1 {
		p.sorry(w, r, http.StatusBadRequest, "error.field_missing")
		return "", false
	}
	pieces, err := strconv.Atoi(strings.TrimSpace(form.Get("pieces")))
	if err != nil {
		return "error." + refund.ErrPieces.Error(), true
	}
	key := p.actKey(id, version, refund.Event{Kind: refund.SplitOff, Actor: actor, Reason: strconv.Itoa(pieces)})
	notice, err := outcome(p.Store.Split(r.Context(), id, version, pieces, actor, key))
	if err != nil {
		p.failed(w, r, "split", err)
		return "", false
	}
	if notice == "web.notice.done" {
		notice = "web.split.done"
	}
	return notice, true
}
