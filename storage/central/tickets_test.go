package central_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// asks is a customer's first message about an item of the sample order.
func asks(text, key string, at time.Time) refund.Writing {
	return refund.Writing{
		Order: "20481", Item: "20481-2", Topic: refund.TopicQuestion, Actor: customer, Text: text, Key: key, At: at,
	}
}

// answers is the desk's next message in a ticket.
func answers(id refund.TicketID, seen int, key string, at time.Time) refund.Writing {
	return refund.Writing{Order: "20481", Ticket: id, Actor: clerk, Text: "yes", Seen: seen, Key: key, At: at}
}

func (w world) write(wr refund.Writing) refund.Ticket {
	w.t.Helper()
	ticket, err := w.WriteTicket(w.t.Context(), wr)
	w.must(err)
	return ticket
}

func (open opener) testTicketsGoBackAndForth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	c := w.visible("20481-2")
	ticks, stop := w.Watch()
	defer stop()
	select { // what the case has left
	case <-ticks:
	default:
	}
	picture := refund.Picture{Digest: qc.DigestOf([]byte("large")), Thumb: qc.DigestOf([]byte("small")), Width: 4, Height: 3, Bytes: 20, ThumbBytes: 3}
	first := asks("Is it glued?", "k1", noon)
	first.Case, first.Pictures = c.ID, []refund.Picture{picture}
	ticket := w.write(first)
	<-ticks
	if ticket.ID != "20481-T1" || ticket.Customer != "C-1001" || ticket.Case != c.ID || ticket.Waiting() != 1 || ticket.Unread() != 0 {
		t.Fatalf("opened as %+v", ticket)
	}
	if got := ticket.Messages[0]; got.Text != "Is it glued?" || got.Actor != customer || !got.At.Equal(noon) || !slices.Equal(got.Pictures, first.Pictures) {
		t.Errorf("kept as %+v", got)
	}
	known, err := w.Blob(t.Context(), picture.Thumb)
	w.must(err)
	if known.Bytes != 3 {
		t.Errorf("the small picture has %d bytes", known.Bytes)
	}
	ticket = w.write(answers(ticket.ID, 1, "k2", noon.Add(time.Hour)))
	<-ticks
	if ticket.Waiting() != 0 || ticket.Unread() != 1 {
		t.Errorf("answered: %+v", ticket)
	}
	if got := w.told(refund.ByMail); got[len(got)-1] != refund.TellAnswer {
		t.Errorf("the customer is told %q", got)
	}
	dossier, err := w.Dossier(t.Context(), c.ID)
	w.must(err)
	if len(dossier.Tickets) != 1 || len(dossier.Tickets[0].Messages) != 2 {
		t.Errorf("the desk sees %+v", dossier.Tickets)
	}
	w.must(w.SawTicket(t.Context(), ticket.ID, customer, 9, noon.Add(2*time.Hour)))
	w.must(w.SawTicket(t.Context(), ticket.ID, customer, 1, noon.Add(3*time.Hour))) // an old page
	token, err := w.LinkOrder(t.Context(), "20481", "", noon)
	w.must(err)
	view, err := w.OrderByToken(t.Context(), "20481", token, noon)
	w.must(err)
	if len(view.Tickets) != 1 || view.Tickets[0].Unread() != 0 {
		t.Errorf("the customer sees %+v", view.Tickets)
	}
	if got := w.only(); got.Version != c.Version {
		t.Errorf("writing moved the case to version %d", got.Version)
	}
	w.sound()
}

func (open opener) testTicketsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open).reachable()
	var all sync.WaitGroup
	for range 4 { // a button that is pressed again and again
		all.Go(func() {
			if _, err := w.WriteTicket(t.Context(), asks("once", "same", noon)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	ticket, err := w.Ticket(t.Context(), "20481-T1")
	w.must(err)
	for range 3 {
		ticket = w.write(answers(ticket.ID, 1, "answer", noon))
	}
	list, err := w.Tickets(t.Context(), central.TicketFilter{})
	w.must(err)
	if len(list) != 1 || len(ticket.Messages) != 2 {
		t.Errorf("%d tickets, %d messages", len(list), len(ticket.Messages))
	}
	if got := w.told(refund.ByMail); !slices.Equal(got, []refund.NoticeKind{refund.TellAnswer}) {
		t.Errorf("the customer is told %q of a ticket that is of no case", got)
	}
	w.sound()
}

func (open opener) testTicketsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	policy := refund.DefaultTicketPolicy()
	picture := func(n int) refund.Picture {
		return refund.Picture{Digest: qc.DigestOf(fmt.Append(nil, n)), Thumb: qc.DigestOf(fmt.Append(nil, "t", n)), Bytes: 1, ThumbBytes: 1}
	}
	at := noon
	for n := range policy.PicturesADay {
		wr := asks("see", fmt.Sprint("p", n), at)
		if n > 0 {
			wr.Ticket = "20481-T1"
		}
		wr.Pictures = []refund.Picture{picture(n)}
		w.write(wr)
		at = at.Add(time.Hour / 4)
	}
	late := asks("one more", "late", at)
	late.Pictures = []refund.Picture{picture(99)}
	_, err := w.WriteTicket(t.Context(), late)
	wantErr(t, err, refund.ErrTicketDay)
	if _, err := w.Blob(t.Context(), late.Pictures[0].Digest); err == nil {
		t.Error("the picture of a refused message is known")
	}
	late.At = noon.Add(24*time.Hour + time.Second)
	w.write(late)
	at = noon.Add(48 * time.Hour)
	for n := range policy.MessagesAnHour {
		w.write(asks("often", fmt.Sprint("o", n), at))
	}
	_, err = w.WriteTicket(t.Context(), asks("often", "too often", at))
	wantErr(t, err, refund.ErrTicketOften)
	w.write(answers("20481-T1", 1, "a clerk", at))
	w.write(asks("later", "later", at.Add(time.Hour+time.Second)))

	foreign := answers("20481-T1", 1, "foreign", at)
	foreign.Order = "20482"
	_, err = w.WriteTicket(t.Context(), foreign)
	wantErr(t, err, qc.ErrNotFound)
	_, err = w.WriteTicket(t.Context(), answers("20481-T999", 1, "unknown", at))
	wantErr(t, err, qc.ErrNotFound)
	_, err = w.Ticket(t.Context(), "")
	wantErr(t, err, qc.ErrNotFound)
	wantErr(t, w.SawTicket(t.Context(), "none", clerk, 1, at), qc.ErrNotFound)
}

func (open opener) testTicketsOfWhoWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	for n, item := range []qc.ItemID{"20481-1", "20481-2", "20481-3", ""} {
		wr := asks("?", string(item), noon.Add(time.Duration(n)*time.Minute))
		wr.Item = item
		w.write(wr)
	}
	w.write(answers("20481-T1", 1, "a", noon.Add(time.Hour)))
	more := asks("still?", "more", noon.Add(2*time.Hour))
	more.Ticket = "20481-T2"
	w.write(more)
	w.must(w.SawTicket(t.Context(), "20481-T3", clerk, 1, noon.Add(time.Hour)))
	ids := func(f central.TicketFilter) (ids []string) {
		all, err := w.Tickets(t.Context(), f)
		w.must(err)
		for _, ticket := range all {
			ids = append(ids, strings.TrimPrefix(string(ticket.ID), "20481-"))
		}
		return ids
	}
	if got, want := ids(central.TicketFilter{Waiting: true}), []string{"T2", "T4"}; !slices.Equal(got, want) {
		t.Errorf("waiting %q, want %q: who waits longest first", got, want)
	}
	if got, want := ids(central.TicketFilter{Order: "20481"}), []string{"T2", "T4", "T1", "T3"}; !slices.Equal(got, want) {
		t.Errorf("all %q, want %q", got, want)
	}
	if got, want := ids(central.TicketFilter{Limit: 1}), []string{"T2"}; !slices.Equal(got, want) {
		t.Errorf("the first %q, want %q", got, want)
	}
	if got := ids(central.TicketFilter{Order: "20482"}); len(got) != 0 {
		t.Errorf("of another order %q", got)
	}
}

// Messages are what somebody has said: the database itself keeps them as they
// are.
func TestTickets_MessagesStayAsTheyWere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, reopen(dir))
	w.write(asks("said", "k", noon))
	w.must(w.Close())
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "central.db"))
	w.must(err)
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE ticket_message SET text = 'never said'`); err == nil || !strings.Contains(err.Error(), "not changed") {
		t.Errorf("a message was changed: %v", err)
	}
}
