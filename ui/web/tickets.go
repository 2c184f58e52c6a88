package web

import (
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ticketView is a ticket as one side reads it.
type ticketView struct {
	speech
	ID       refund.TicketID
	Href     string
	Topic    string
	About    string // the item, or the whole order
	Changed  moment
	News     string // what this side has not read, or not answered; empty: nothing
	Messages []messageView
	Write    *writeView // nil where nothing is written here
	Settle   string     // address that says that no answer is needed; empty: nothing waits
	Last     int        // number of the last message
}

// messageView is one message.
type messageView struct {
	speech
	ID       string
	Who      string
	Own      bool // of this side
	New      bool
	At       moment
	Text     string
	Pictures []pictureView
}

// pictureView is a photo of a message.
type pictureView struct {
	Thumb, Full, Alt string
}

// writeView is where somebody writes.
type writeView struct {
	speech
	ID      string // ends the ids of its fields
	Action  string
	Case    qc.CaseID // where the desk goes back to; empty: to the ticket
	Last    int       // number of the message that the writer has before them
	Topics  []pickView
	Items   []pickView
	Heading string
	Send    string
	Text    string // kept after a refusal
	Problem string
	Letters int
	Photos  string // how many and how large
	Most    int    // photos
	Bytes   int64  // of each
}

// pickView is one of several things to pick.
type pickView struct {
	Value, Words string
	Picked       bool
}

func (s speech) writeView(id, action string, last int) *writeView {
	policy := refund.DefaultTicketPolicy()
	return &writeView{
		speech: s, ID: id, Action: action, Last: last, Letters: policy.Letters,
		Heading: s.T("web.ticket.more"), Send: s.T("web.ticket.send"),
		Most: policy.Pictures, Bytes: policy.PictureBytes,
		Photos: s.T("web.ticket.photos.hint", "n", strconv.Itoa(policy.Pictures), "mb", strconv.FormatInt(policy.PictureBytes>>20, 10)),
	}
}

// ticketView describes t for the desk, or for its customer, under its address.
func (s speech) ticketView(t refund.Ticket, items []qc.Item, href string, desk bool) ticketView {
	view := ticketView{
		speech: s, ID: t.ID, Href: href, Topic: s.T("ticket.topic." + string(t.Topic)), About: s.T("web.ticket.whole_order"),
		Changed: s.at(t.ChangedAt), Last: len(t.Messages),
	}
	if t.Item != "" {
		view.About = string(t.Item)
		if item := itemOf(items, t.Item); item.ID != "" {
			view.About = item.Title.In(s.Language())
		}
	}
	seen, news, key := t.SeenByCustomer, t.Unread(), "web.tickets.unread"
	if desk {
		seen, news, key = t.SeenByDesk, t.Waiting(), "web.tickets.waiting"
	}
	if news > 0 {
		view.News = s.Count(key, news)
	}
	for _, m := range t.Messages {
		ofDesk := m.Actor.Party != refund.ByCustomer
		message := messageView{
			speech: s, ID: string(t.ID) + "-" + strconv.Itoa(m.N), Who: s.ticketAuthor(m.Actor, desk), Own: ofDesk == desk,
			New: m.N > seen && ofDesk != desk, At: s.at(m.At), Text: m.Text,
		}
		for i, picture := range m.Pictures {
			at := href + "/pictures/" + string(picture.Digest)
			message.Pictures = append(message.Pictures, pictureView{
				Thumb: at + "/thumb", Full: at + "/full",
				Alt: s.T("web.ticket.picture", "n", strconv.Itoa(i+1), "who", message.Who, "time", message.At.Text),
			})
		}
		view.Messages = append(view.Messages, message)
	}
	return view
}

// ticketAuthor names who wrote; customers are told no names of staff.
func (s speech) ticketAuthor(a refund.Actor, desk bool) string {
	switch {
	case !desk && a.Party == refund.ByCustomer:
		return s.T("web.who.customer")
	case !desk:
		return s.T("web.who.clerk")
	case a.Party == refund.ByCustomer:
		return s.T("role.customer")
	}
	return s.T("role."+string(a.Party)) + " " + s.person(qc.StaffID(a.ID))
}

// ticketEntries are the messages about an item as lines of its timeline.
func (s speech) ticketEntries(all []refund.Ticket, item qc.ItemID, desk bool) []entryView {
	var entries []entryView
	for _, t := range all {
		if t.Item != item {
			continue
		}
		for _, m := range t.Messages {
			key := "web.event.ticket.desk"
			if m.Actor.Party == refund.ByCustomer {
				key = "web.event.ticket.customer"
			}
			at := s.at(m.At)
			entries = append(entries, entryView{
				At: at, Who: s.ticketAuthor(m.Actor, desk), What: s.T(key, "topic", s.T("ticket.topic."+string(t.Topic))),
			})
		}
	}
	return entries
}

// withTickets puts lines about messages among those of a timeline, which has
// the newest first.
func withTickets(timeline, messages []entryView) []entryView {
	all := append(timeline, messages...)
	slices.SortStableFunc(all, func(a, b entryView) int {
		switch {
		case a.At.ISO > b.At.ISO:
			return -1
		case a.At.ISO < b.At.ISO:
			return 1
		}
		return 0
	})
	return all
}

// ticketsState tells apart what pages show of tickets.
func ticketsState(all []refund.Ticket) string {
	parts := make([]any, 0, 3*len(all))
	for _, t := range all {
		parts = append(parts, t.ID, len(t.Messages), t.Unread(), t.Waiting())
	}
	return fingerprint(parts...)
}

// writing is what a letter says, by an actor who had the messages up to one
// before them.
func (p *Pages) writing(l letter, order qc.OrderID, ticket refund.TicketID, by refund.Actor) refund.Writing {
	seen, err := strconv.Atoi(l.form.Get("seen"))
	if err != nil {
		seen = 0
	}
	w := refund.Writing{
		Ticket: ticket, Order: order, Topic: refund.Topic(l.form.Get("topic")), Item: qc.ItemID(l.form.Get("item")),
		Actor: by, Text: refund.PlainText(l.form.Get("text")), Pictures: l.pictures, Seen: seen, At: p.Now(),
	}
	if ticket != "" {
		w.Topic, w.Item = "", ""
	}
	// A second press, and a browser that repeats what it sent, write the same.
	parts := []string{string(order), string(ticket), string(w.Topic), string(w.Item), string(by.Party), by.ID, strconv.Itoa(seen), w.Text}
	for _, picture := range l.pictures {
		parts = append(parts, string(picture.Digest))
	}
	w.Key = hex.EncodeToString(p.sign("ticket", parts...)[:16])
	return w
}

// refusedLetter names why a message was not taken and the status that says so;
// it passes on any other error.
func refusedLetter(err error) (key string, status int, other error) {
	for _, problem := range []error{errNotPicture, errPictureLarge, errPictureDamaged, errPicturesMany} {
		if errors.Is(err, problem) {
			return problem.Error(), http.StatusUnprocessableEntity, nil
		}
	}
	if errors.Is(err, errInboxBusy) {
		return errInboxBusy.Error(), http.StatusServiceUnavailable, nil
	}
	for _, problem := range []error{refund.ErrTicketOften, refund.ErrTicketDay, refund.ErrTicketMany} {
		if errors.Is(err, problem) {
			return "error." + problem.Error(), http.StatusTooManyRequests, nil
		}
	}
	for _, problem := range []error{refund.ErrTicketEmpty, refund.ErrTicketLong, refund.ErrTicketPictures, refund.ErrTicketTopic, refund.ErrTicketFlaw} {
		if errors.Is(err, problem) {
			return "error." + problem.Error(), http.StatusUnprocessableEntity, nil
		}
	}
	return "", 0, err
}

// refuse shows what somebody wrote again, with why it was not taken.
func (w *writeView) refuse(l letter, key string) {
	w.Text, w.Problem = l.form.Get("text"), w.T(key)
	if len(l.pictures) > 0 || l.problem != nil {
		w.Problem += " " + w.T("web.ticket.photos.again")
	}
	for _, picks := range [][]pickView{w.Topics, w.Items} {
		for i := range picks {
			picks[i].Picked = picks[i].Value == l.form.Get("topic") || picks[i].Value == l.form.Get("item")
		}
	}
}

// writeAbout is where one writes to the desk about an item, with a topic picked
// already where one is named.
func writeAbout(base string, item qc.ItemID, topic refund.Topic) string {
	query := url.Values{"item": {string(item)}}
	if topic != "" {
		query.Set("topic", string(topic))
	}
	return base + "/tickets?" + query.Encode() + "#write-new"
}

func ticketPath(base string, id refund.TicketID) string {
	return base + "/tickets/" + url.PathEscape(string(id))
}
