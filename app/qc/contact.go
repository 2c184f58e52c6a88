package qc

import (
	"errors"
	"net/mail"
	"strings"
	"time"
)

// ErrContact reports an address to which nobody could be written, or a language
// that we do not speak.
var ErrContact = errors.New("contact_invalid")

// Contact is where and in which language a customer is written to.
type Contact struct {
	Email    string `json:"email,omitempty"` // empty: there is none
	Language string `json:"language"`
}

// ReadContact reads what somebody typed, or what a file says.
func ReadContact(email, language string) (Contact, error) {
	c := Contact{Email: strings.TrimSpace(email), Language: strings.TrimSpace(language)}
	if CheckEmail(c.Email) != nil || c.Language != "en" && c.Language != "zh" {
		return c, ErrContact
	}
	return c, nil
}

// CheckEmail refuses what is not the plain address of one person: mails are sent
// to it as it stands. That there is none is no fault.
func CheckEmail(text string) error {
	if text == "" {
		return nil
	}
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || len(text) > 254 {
		return ErrContact
	}
	return nil
}

// Correction is what the desk has corrected of a customer's contact. It holds
// until the shop itself says something new: a shop that only repeats what was wrong
// undoes nothing, and one that sends another address, or another language, than it
// did when it was corrected knows better than the desk.
type Correction struct {
	Version int       `json:"version,omitempty"` // grows with every change of the contact, whoever makes it
	Given   Contact   `json:"given,omitzero"`    // what the shop says
	By      StaffID   `json:"by,omitempty"`      // who corrected it last; empty: what the shop says holds
	At      time.Time `json:"at,omitzero"`
}

// Contact returns where the customer is written to.
func (c Customer) Contact() Contact { return Contact{Email: c.Email, Language: c.Language} }

func (c Customer) withContact(to Contact) Customer {
	if c.Contact() != to {
		c.Email, c.Language = to.Email, to.Language
		c.Correction.Version++
	}
	return c
}

// Corrected returns the customer as somebody of the desk has corrected them.
func (c Customer) Corrected(to Contact, by StaffID, at time.Time) Customer {
	if c.Contact() == to {
		return c
	}
	if c.Correction.By == "" {
		c.Correction.Given = c.Contact()
	}
	c.Correction.By, c.Correction.At = by, at
	return c.withContact(to)
}

// Imported returns the customer as the shop now describes them, with the desk's
// correction where the shop says of that only what it said before.
func (c Customer) Imported(shop Customer) Customer {
	said, holds := shop.Contact(), shop.Contact()
	if was := c.Correction.Given; c.Correction.By != "" {
		if said.Email == was.Email {
			holds.Email = c.Email
		}
		if said.Language == was.Language {
			holds.Language = c.Language
		}
	}
	shop.Email, shop.Language, shop.Correction = c.Email, c.Language, c.Correction
	if shop = shop.withContact(holds); holds == said {
		shop.Correction = Correction{Version: shop.Correction.Version}
	} else {
		shop.Correction.Given = said
	}
	return shop
}
