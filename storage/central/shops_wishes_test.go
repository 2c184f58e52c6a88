package central_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// What a customer can say beside the steps of a case, their shop can say for
// them, once; nobody else's can.
func (open opener) testShopWishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	acme, other := w.key("acme", false), w.key("other", false)
	order := strings.NewReplacer(`"quantity":1`, `"quantity":3`, "38900", "30000").Replace(shopOrder("A-1", "A-C", "A-1-1"))
	w.take(acme, order)
	c := w.flagged("A-1", "A-1-1")

	_, err := w.SplitForShop(t.Context(), other, c.ID, c.Version, 1, "k")
	wantErr(t, err, qc.ErrNotFound)
	halves, err := w.SplitForShop(t.Context(), acme, c.ID, c.Version, 1, "k")
	w.must(err)
	again, err := w.SplitForShop(t.Context(), acme, c.ID, c.Version, 1, "k")
	w.must(err)
	if again.Part.ID != halves.Part.ID || halves.Rest.Quantity != 2 || halves.Part.Quantity != 1 {
		t.Errorf("split into %+v, then %+v", halves, again)
	}
	_, err = w.SplitForShop(t.Context(), acme, c.ID, c.Version, 1, "k2")
	if conflict, ok := errors.AsType[*central.Conflict](err); !ok || conflict.Case.Version != halves.Rest.Version {
		t.Errorf("on the version before: %v", err)
	}
	_, err = w.SplitForShop(t.Context(), acme, c.ID, halves.Rest.Version, 2, "k3")
	wantErr(t, err, refund.ErrPieces)

	_, err = w.ClaimForShop(t.Context(), acme, "A-1-1", "a tear inside")
	wantErr(t, err, refund.ErrNotNow) // it has open cases
	w.take(acme, shopOrder("A-2", "A-C", "A-2-1"))
	_, err = w.ClaimForShop(t.Context(), acme, "A-2-1", "a tear inside")
	wantErr(t, err, refund.ErrNotNow) // it was not inspected
	kept := w.flagged("A-2", "A-2-1")
	w.act(kept.ID, refund.Event{Kind: refund.ChoseKeep, Actor: refund.Actor{Party: refund.ByCustomer, ID: "A-C"}})
	_, err = w.ClaimForShop(t.Context(), other, "A-2-1", "a tear inside")
	wantErr(t, err, qc.ErrNotFound)
	claim, err := w.ClaimForShop(t.Context(), acme, "A-2-1", "a tear inside")
	w.must(err)
	same, err := w.ClaimForShop(t.Context(), acme, "A-2-1", "a tear inside")
	w.must(err)
	if claim.Sort != refund.MissedFlaw || same.ID != claim.ID || claim.Timeline[0].Actor.ID != "A-C" {
		t.Errorf("claimed %+v, then %s", claim, same.ID)
	}
	_, err = w.ClaimForShop(t.Context(), acme, "A-2-1", "another one")
	wantErr(t, err, central.ErrClaimed)

	wish := qc.Instructions{Grave: qc.WishRefund, Minor: qc.WishKeep}
	now, err := w.InstructForShop(t.Context(), acme, "A-C", wish, time.Time{})
	w.must(err)
	if now.Grave != qc.WishRefund || now.SetAt.IsZero() {
		t.Errorf("instructed: %+v", now)
	}
	if now, err = w.InstructForShop(t.Context(), acme, "A-C", wish, time.Time{}); err != nil || now.SetAt.IsZero() { // the answer was lost
		t.Errorf("the same again: %+v, %v", now, err)
	}
	_, err = w.InstructForShop(t.Context(), acme, "A-C", qc.Instructions{}, time.Time{})
	if moved, ok := errors.AsType[*central.InstructionsMoved](err); !ok || moved.Now != now {
		t.Errorf("on those before: %v", err)
	}
	_, err = w.InstructForShop(t.Context(), acme, "A-C", qc.Instructions{Grave: "all"}, now.SetAt)
	wantErr(t, err, qc.ErrInstructions)
	_, err = w.InstructForShop(t.Context(), other, "A-C", wish, now.SetAt)
	wantErr(t, err, qc.ErrNotFound)
	_, err = w.ShopInstructions(t.Context(), other, "A-C")
	wantErr(t, err, qc.ErrNotFound)
	if read, err := w.ShopInstructions(t.Context(), acme, "A-C"); err != nil || read != now {
		t.Errorf("read %+v, %v", read, err)
	}

	w.must(w.RevokeShopKey(t.Context(), acme.ID, noon))
	for _, err := range []error{
		second(w.SplitForShop(t.Context(), acme, c.ID, 0, 1, "k9")), second(w.ClaimForShop(t.Context(), acme, "A-2-1", "a tear inside")),
		second(w.InstructForShop(t.Context(), acme, "A-C", wish, now.SetAt)),
		w.RevokeLinksForShop(t.Context(), acme, "A-1", noon),
	} {
		wantErr(t, err, central.ErrShopKey)
	}
	w.sound()
}

func (open opener) testShopTickets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	acme, other := w.key("acme", false), w.key("other", false)
	w.take(acme, shopOrder("A-1", "A-C", "A-1-1"))
	w.take(other, shopOrder("O-1", "O-C", "O-1-1"))
	first := refund.Writing{Order: "A-1", Item: "A-1-1", Topic: refund.TopicQuestion, Text: "Is it glued?", Key: "k", At: noon}
	_, err := w.WriteTicketForShop(t.Context(), other, first)
	wantErr(t, err, qc.ErrNotFound)
	ticket, err := w.WriteTicketForShop(t.Context(), acme, first)
	w.must(err)
	again, err := w.WriteTicketForShop(t.Context(), acme, first)
	w.must(err)
	if again.ID != ticket.ID || len(again.Messages) != 1 || ticket.Messages[0].Actor != (refund.Actor{Party: refund.ByCustomer, ID: "A-C"}) {
		t.Errorf("written %+v, then %+v", ticket, again)
	}
	w.write(refund.Writing{Order: "A-1", Ticket: ticket.ID, Actor: clerk, Text: "No.", Key: "a", At: noon})
	wrong := refund.Writing{Order: "O-1", Ticket: ticket.ID, Text: "mine?", Key: "x", At: noon}
	_, err = w.WriteTicketForShop(t.Context(), other, wrong)
	wantErr(t, err, qc.ErrNotFound)
	for _, list := range []struct {
		key  central.ShopKey
		want error
	}{{acme, nil}, {other, qc.ErrNotFound}} {
		_, listErr := w.ShopTickets(t.Context(), list.key, "A-1")
		read, readErr := w.ShopTicket(t.Context(), list.key, ticket.ID)
		_, sawErr := w.SawTicketForShop(t.Context(), list.key, ticket.ID, 2, noon)
		for _, err := range []error{listErr, readErr, sawErr} {
			if !errors.Is(err, list.want) {
				t.Errorf("%s: %v", list.key.Shop, err)
			}
		}
		if list.want == nil && read.Unread() != 1 {
			t.Errorf("read %+v", read)
		}
	}
	if read, err := w.ShopTicket(t.Context(), acme, ticket.ID); err != nil || read.Unread() != 0 {
		t.Errorf("after it was seen: %+v, %v", read, err)
	}
	w.must(w.RevokeShopKey(t.Context(), acme.ID, noon))
	_, err = w.WriteTicketForShop(t.Context(), acme, first)
	wantErr(t, err, central.ErrShopKey)
	w.sound()
}
