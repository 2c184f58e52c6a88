package qc

import (
	"strings"
	"testing"
	"time"
)

func TestReadContact(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		email, language string
		want            Contact
		ok              bool
	}{
		{" ana@example.com ", "en", Contact{"ana@example.com", "en"}, true},
		{"", "zh", Contact{"", "zh"}, true},
		{"ana@exämple.com", "en", Contact{"ana@exämple.com", "en"}, true},
		{"Ana <ana@example.com>", "en", Contact{}, false},
		{"ana@example.com, bob@example.com", "en", Contact{}, false},
		{"ana＠example.com", "en", Contact{}, false},
		{"ana@example.com\r\nBcc: bob@example.com", "en", Contact{}, false},
		{"ana", "en", Contact{}, false},
		{strings.Repeat("a", 250) + "@example.com", "en", Contact{}, false},
		{"ana@example.com", "fr", Contact{}, false},
		{"ana@example.com", "", Contact{}, false},
	} {
		got, err := ReadContact(test.email, test.language)
		if (err == nil) != test.ok || err == nil && got != test.want {
			t.Errorf("%q, %q: %+v, %v", test.email, test.language, got, err)
		}
	}
}

// What the desk has corrected holds against a shop that repeats itself, and not
// against one that says something new.
func TestCustomer_WhoseContactHolds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	wrong, right := Contact{"ana@exmaple.com", "en"}, Contact{"ana@example.com", "en"}
	shop := func(c Contact) Customer {
		return Customer{ID: "C-1", Name: "Ana", Email: c.Email, Language: c.Language}
	}
	corrected := shop(wrong).Corrected(right, "D01", at)
	if corrected.Contact() != right || corrected.Correction != (Correction{Version: 1, Given: wrong, By: "D01", At: at}) {
		t.Fatalf("corrected: %+v", corrected)
	}
	if again := corrected.Corrected(right, "D02", at.Add(time.Hour)); again != corrected {
		t.Errorf("corrected again: %+v", again)
	}
	renamed := shop(wrong)
	renamed.Name = "Ana Moreira"
	for name, test := range map[string]struct {
		before  Customer
		shop    Customer
		want    Contact
		version int
		holds   bool // the desk's
	}{
		"new to us":                {Customer{}, shop(wrong), wrong, 1, false},
		"nobody corrected":         {shop(wrong), shop(wrong), wrong, 0, false},
		"the shop's own change":    {shop(wrong), shop(right), right, 1, false},
		"the shop repeats itself":  {corrected, shop(wrong), right, 1, true},
		"the name is another":      {corrected, renamed, right, 1, true},
		"the shop has it right":    {corrected, shop(right), right, 1, false},
		"the shop has another":     {corrected, shop(Contact{"a@b.example", "en"}), Contact{"a@b.example", "en"}, 2, false},
		"the shop's has none now":  {corrected, shop(Contact{"", "en"}), Contact{"", "en"}, 2, false},
		"another language":         {corrected, shop(Contact{wrong.Email, "zh"}), Contact{right.Email, "zh"}, 2, true},
		"a second correction":      {corrected.Corrected(Contact{"c@d.example", "zh"}, "D02", at), shop(wrong), Contact{"c@d.example", "zh"}, 2, true},
		"after the shop's new one": {corrected.Imported(shop(Contact{"a@b.example", "en"})), shop(wrong), wrong, 3, false},
	} {
		got := test.before.Imported(test.shop)
		if got.Contact() != test.want || got.Correction.Version != test.version || (got.Correction.By != "") != test.holds || got.Name != test.shop.Name {
			t.Errorf("%s: %+v", name, got)
		}
		if again := got.Imported(test.shop); again != got {
			t.Errorf("%s: imported again it is %+v", name, again)
		}
	}
}
