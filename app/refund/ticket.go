package refund

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"flawmark/app/qc"
)

// TicketID names a ticket.
type TicketID string

// Topic is what a ticket is about. Its words are under the key "ticket.topic."
// plus it.
type Topic string

// The topics.
const (
	TopicQuestion   Topic = "question"
	TopicMissedFlaw Topic = "missed_flaw"  // something we should have found: opens its case, where there can be one
	TopicPhotos     Topic = "extra_photos" // to see more, at any time
	TopicAskAnyway  Topic = "ask_anyway"   // the seller, although it is too late
)

// Topics lists the topics, the plain one first.
func Topics() []Topic { return []Topic{TopicQuestion, TopicMissedFlaw, TopicPhotos, TopicAskAnyway} }

// Ticket is what a customer and the desk write to each other about an order,
// or about one item of it. It moves no case: whoever reads it may. Only the report
// of a flaw that we missed opens one of its own.
type Ticket struct {
	ID        TicketID      `json:"id"`
	Order     qc.OrderID    `json:"order"`
	Item      qc.ItemID     `json:"item,omitempty"` // empty: the whole order
	Case      qc.CaseID     `json:"case,omitempty"` // the item's, when the ticket was opened; empty: it had none
	Customer  qc.CustomerID `json:"customer"`
	Topic     Topic         `json:"topic"`
	OpenedAt  time.Time     `json:"opened_at"`
	ChangedAt time.Time     `json:"changed_at"`
	Messages  []Message     `json:"messages"` // oldest first
	// SeenByCustomer and SeenByDesk are the numbers of the last message that
	// the customer has had before them, and that the desk has dealt with.
	SeenByCustomer int `json:"seen_by_customer"`
	SeenByDesk     int `json:"seen_by_desk"`
}

// Message is one side's word in a ticket. It is never changed.
type Message struct {
	N        int       `json:"n"` // from 1
	At       time.Time `json:"at"`
	Actor    Actor     `json:"actor"`
	Text     string    `json:"text"`
	Pictures []Picture `json:"pictures,omitempty"`
}

// Picture is a customer's or a clerk's photo in a message: not as it was sent,
// but as the centre has made it anew.
type Picture struct {
	Digest qc.Digest `json:"digest"`
	Thumb  qc.Digest `json:"thumb"`
	Width  int       `json:"width"`
	Height int       `json:"height"`
	Bytes  int64     `json:"bytes"`
	// ThumbBytes is the size of the small file.
	ThumbBytes int64 `json:"thumb_bytes"`
}

// Kept returns how much room a picture takes.
func (p Picture) Kept() int64 { return p.Bytes + p.ThumbBytes }

// Unread counts the desk's messages that the customer has not had before them.
func (t Ticket) Unread() int { return t.after(t.SeenByCustomer, true) }

// Waiting counts the customer's messages that nobody at the desk has dealt with.
func (t Ticket) Waiting() int { return t.after(t.SeenByDesk, false) }

// WaitingSince returns when the oldest of those was written; zero when there is
// none.
func (t Ticket) WaitingSince() time.Time {
	for _, m := range t.Messages {
		if m.N > t.SeenByDesk && m.Actor.Party == ByCustomer {
			return m.At
		}
	}
	return time.Time{}
}

func (t Ticket) after(seen int, ofDesk bool) int {
	n := 0
	for _, m := range t.Messages {
		if m.N > seen && (m.Actor.Party != ByCustomer) == ofDesk {
			n++
		}
	}
	return n
}

// Writing is a message on its way into a ticket.
type Writing struct {
	Ticket TicketID // empty: a new one, about Item or the whole Order
	Order  qc.OrderID
	Item   qc.ItemID
	Case   qc.CaseID
	Topic  Topic

	Actor    Actor
	Text     string
	Pictures []Picture
	Seen     int    // number of the last message that the writer had before them
	Key      string // what is written twice under one key is one message
	At       time.Time
}

// TicketPolicy bounds what customers may write. What the desk writes is bound
// in length alone.
type TicketPolicy struct {
	Letters         int   // of a message
	Pictures        int   // of a message
	PictureBytes    int64 // of a picture, as it is sent
	Tickets         int   // of an order
	MessagesAnHour  int   // of an order
	MessagesADay    int
	PicturesADay    int
	PictureBytesDay int64 // as they are kept
}

// DefaultTicketPolicy returns the bounds.
func DefaultTicketPolicy() TicketPolicy {
	return TicketPolicy{
		Letters: 2000, Pictures: 4, PictureBytes: 16 << 20, Tickets: 50,
		MessagesAnHour: 12, MessagesADay: 40, PicturesADay: 24, PictureBytesDay: 48 << 20,
	}
}

// Written is what the customer of an order has written lately.
type Written struct {
	Tickets      int // ever
	InTheHour    int
	InTheDay     int
	Pictures     int // of the day
	PictureBytes int64
}

// Why a message is not taken. Each is a sentence to the person under the key
// "error." plus its text.
var (
	ErrTicketEmpty    = errors.New("ticket_empty")
	ErrTicketLong     = errors.New("ticket_long")
	ErrTicketPictures = errors.New("ticket_pictures")     // too many in one message
	ErrTicketOften    = errors.New("ticket_too_often")    // too many messages
	ErrTicketDay      = errors.New("ticket_pictures_day") // too many or too large pictures in a day
	ErrTicketMany     = errors.New("ticket_too_many")     // too many tickets
	ErrTicketTopic    = errors.New("ticket_topic")
	ErrTicketFlaw     = errors.New("ticket_flaw") // which item has the flaw, or what it is, is not said
)

// Check says why w is not taken after what was written lately; nil: it is.
func (p TicketPolicy) Check(w Writing, lately Written) error {
	switch {
	case w.Text == "" && len(w.Pictures) == 0:
		return ErrTicketEmpty
	case utf8.RuneCountInString(w.Text) > p.Letters:
		return ErrTicketLong
	case len(w.Pictures) > p.Pictures:
		return ErrTicketPictures
	case w.Ticket == "" && !slices.Contains(Topics(), w.Topic):
		return ErrTicketTopic
	case w.Ticket == "" && w.Topic == TopicMissedFlaw && (w.Item == "" || w.Text == ""):
		return ErrTicketFlaw
	case w.Actor.Party != ByCustomer:
		return nil
	case lately.InTheHour >= p.MessagesAnHour, lately.InTheDay >= p.MessagesADay:
		return ErrTicketOften
	case w.Ticket == "" && lately.Tickets >= p.Tickets:
		return ErrTicketMany
	}
	bytes := lately.PictureBytes
	for _, picture := range w.Pictures {
		bytes += picture.Kept()
	}
	if len(w.Pictures) > 0 && (lately.Pictures+len(w.Pictures) > p.PicturesADay || bytes > p.PictureBytesDay) {
		return ErrTicketDay
	}
	return nil
}

// PlainText returns what somebody wrote as it is kept: lines end as they do
// here, and nothing invisible is in it that could hide or turn around the rest.
func PlainText(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(text, ""))
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\u200d': // the last joins emoji
			return r
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}
