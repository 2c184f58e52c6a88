package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// instructionsCard shows a customer's standing instructions, to be changed.
type instructionsCard struct {
	speech
	Action string
	Grave  []wishView
	Minor  []wishView
	Offer  string // per cent; empty: none
	Set    string // when
	Now    string // what holds
}

// wishView is one thing that may be wished for.
type wishView struct {
	Wish   qc.Wish
	Words  string
	Chosen bool
}

func (s speech) instructionsCard(customer qc.Customer, base string) *instructionsCard {
	given := customer.Instructions
	card := &instructionsCard{
		speech: s, Action: base + "/instructions", Grave: s.wishes(qc.GraveWishes(), given.Grave), Minor: s.wishes(qc.MinorWishes(), given.Minor),
	}
	if given.OfferFrom > 0 {
		card.Offer = strconv.Itoa(given.OfferFrom)
	}
	if !given.SetAt.IsZero() {
		card.Set = s.T("web.instructions.set", "time", s.at(given.SetAt).Text)
	}
	card.Now = s.instructed(given)
	return card
}

// instructed says what a customer has instructed.
func (s speech) instructed(given qc.Instructions) string {
	if given.Empty() {
		return s.T("web.instructions.none")
	}
	var parts []string
	for _, said := range []struct {
		on   string
		wish qc.Wish
	}{{"grave", given.Grave}, {"minor", given.Minor}} {
		if said.wish != qc.WishAsked {
			parts = append(parts, s.T("web.instructions."+said.on)+s.T("web.colon")+s.T("wish."+string(said.wish)))
		}
	}
	if given.OfferFrom > 0 {
		parts = append(parts, s.T("web.instructions.offer")+s.T("web.colon")+strconv.Itoa(given.OfferFrom)+" %")
	}
	return strings.Join(parts, s.T("web.between"))
}

func (s speech) wishes(list []qc.Wish, chosen qc.Wish) []wishView {
	var views []wishView
	for _, wish := range list {
		key := string(wish)
		if wish == qc.WishAsked {
			key = "ask"
		}
		views = append(views, wishView{Wish: wish, Words: s.T("wish." + key), Chosen: wish == chosen})
	}
	return views
}

// orderInstruct keeps a customer's standing instructions.
func (p *Pages) orderInstruct(w http.ResponseWriter, r *http.Request) {
	order, err := p.openOrder(r)
	if err != nil {
		p.orderRefused(w, r, err)
		return
	}
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	given := qc.Instructions{Grave: qc.Wish(form.Get("grave")), Minor: qc.Wish(form.Get("minor"))}
	if text := strings.TrimSpace(strings.TrimRight(form.Get("offer_from"), " %％")); text != "" {
		if given.OfferFrom, err = strconv.Atoi(text); err != nil {
			given.OfferFrom = -1 // a number is none: the check says what is wanted
		}
	}
	actor := refund.Actor{Party: refund.ByCustomer, ID: string(order.Order.Customer.ID)}
	notice := "web.instructions.done"
	switch err := p.Store.Instruct(r.Context(), order.Order.ID, given, actor); {
	case errors.Is(err, qc.ErrInstructions):
		notice = "error." + qc.ErrInstructions.Error()
	case err != nil:
		p.failed(w, r, "instruct", err)
		return
	}
	back(w, r, orderPath(order.Order.ID), notice)
}
