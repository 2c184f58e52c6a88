package refund

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func ticketOf(parties ...Party) Ticket {
	t := Ticket{ID: "20481-T1", Order: "20481"}
	for i, party := range parties {
		t.Messages = append(t.Messages, Message{N: i + 1, At: time.Unix(int64(i), 0), Actor: Actor{Party: party}, Text: "x"})
	}
	return t
}

func TestTicket_CountsWhatTheOtherSideWrote(t *testing.T) {
	t.Parallel()
	ticket := ticketOf(ByCustomer, ByCustomer, ByClerk, ByLead, ByCustomer)
	for _, tt := range []struct{ byCustomer, byDesk, unread, waiting int }{
		{0, 0, 2, 3}, {3, 0, 1, 3}, {4, 2, 0, 1}, {5, 5, 0, 0}, {0, 4, 2, 1},
	} {
		ticket.SeenByCustomer, ticket.SeenByDesk = tt.byCustomer, tt.byDesk
		if ticket.Unread() != tt.unread || ticket.Waiting() != tt.waiting {
			t.Errorf("seen %d and %d: %d unread and %d waiting, want %d and %d",
				tt.byCustomer, tt.byDesk, ticket.Unread(), ticket.Waiting(), tt.unread, tt.waiting)
		}
	}
	ticket.SeenByDesk = 2
	if got := ticket.WaitingSince(); !got.Equal(ticket.Messages[4].At) {
		t.Errorf("it waits since %v", got)
	}
}

func TestTicketPolicy_Check(t *testing.T) {
	t.Parallel()
	p := TicketPolicy{
		Letters: 10, Pictures: 2, Tickets: 3, MessagesAnHour: 2, MessagesADay: 4, PicturesADay: 3, PictureBytesDay: 100,
	}
	pictures := func(n int, bytes int64) (all []Picture) {
		for range n {
			all = append(all, Picture{Bytes: bytes})
		}
		return all
	}
	byCustomer := Actor{Party: ByCustomer}
	for name, tt := range map[string]struct {
		w      Writing
		lately Written
		want   error
	}{
		"fine":                     {Writing{Ticket: "t", Actor: byCustomer, Text: "鞋头刮伤?"}, Written{InTheHour: 1, InTheDay: 3}, nil},
		"letters, not bytes":       {Writing{Ticket: "t", Actor: byCustomer, Text: strings.Repeat("鞋", 10)}, Written{}, nil},
		"too long":                 {Writing{Ticket: "t", Actor: byCustomer, Text: strings.Repeat("x", 11)}, Written{}, ErrTicketLong},
		"a clerk's, too long":      {Writing{Ticket: "t", Actor: Actor{Party: ByClerk}, Text: strings.Repeat("x", 11)}, Written{}, ErrTicketLong},
		"a clerk's, often":         {Writing{Ticket: "t", Actor: Actor{Party: ByClerk}, Text: "x"}, Written{InTheHour: 9}, nil},
		"nothing":                  {Writing{Ticket: "t", Actor: byCustomer}, Written{}, ErrTicketEmpty},
		"pictures alone":           {Writing{Ticket: "t", Actor: byCustomer, Pictures: pictures(2, 50)}, Written{}, nil},
		"too many pictures":        {Writing{Ticket: "t", Actor: byCustomer, Pictures: pictures(3, 1)}, Written{}, ErrTicketPictures},
		"pictures of the day":      {Writing{Ticket: "t", Actor: byCustomer, Pictures: pictures(2, 1)}, Written{Pictures: 2}, ErrTicketDay},
		"bytes of the day":         {Writing{Ticket: "t", Actor: byCustomer, Pictures: pictures(1, 2)}, Written{PictureBytes: 99}, ErrTicketDay},
		"no pictures left, words":  {Writing{Ticket: "t", Actor: byCustomer, Text: "x"}, Written{Pictures: 3, PictureBytes: 200}, nil},
		"in the hour":              {Writing{Ticket: "t", Actor: byCustomer, Text: "x"}, Written{InTheHour: 2}, ErrTicketOften},
		"in the day":               {Writing{Ticket: "t", Actor: byCustomer, Text: "x"}, Written{InTheDay: 4}, ErrTicketOften},
		"a new one":                {Writing{Actor: byCustomer, Topic: TopicPhotos, Text: "x"}, Written{Tickets: 2}, nil},
		"one too many":             {Writing{Actor: byCustomer, Topic: TopicPhotos, Text: "x"}, Written{Tickets: 3}, ErrTicketMany},
		"about what nobody offers": {Writing{Actor: byCustomer, Topic: "gossip", Text: "x"}, Written{}, ErrTicketTopic},
	} {
		if got := p.Check(tt.w, tt.lately); !errors.Is(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"  a\r\nb\rc \n":      "a\nb\nc",
		"a\x00b\x1b[31mc":     "ab[31mc",
		"user\u202etxt.exe":   "usertxt.exe",
		"\ufeffhi\u200b":      "hi",
		"\xff\xfe":            "",
		"👨\u200d👩\u200d👧 鞋\t": "👨\u200d👩\u200d👧 鞋",
	} {
		if got := PlainText(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}
