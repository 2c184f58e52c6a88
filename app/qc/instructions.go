package qc

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Wish is what a customer wants done without being asked.
type Wish string

// The wishes.
const (
	WishAsked    Wish = ""         // to be asked
	WishKeep     Wish = "keep"     // the item as it is
	WishRefund   Wish = "refund"   // send it back, where that costs nothing
	WishExchange Wish = "exchange" // another piece, where that costs nothing
	WishDiscount Wish = "discount" // a part of the price back from the seller, else keep
)

// Instructions are what a customer has said for all cases to come. They never
// cost money that the customer has not agreed to.
type Instructions struct {
	Grave     Wish      `json:"grave,omitempty"`      // where a flaw is major or worse
	Minor     Wish      `json:"minor,omitempty"`      // where none is
	OfferFrom int       `json:"offer_from,omitempty"` // per cent of the price from which a part back is enough; 0: ask
	SetAt     time.Time `json:"set_at,omitzero"`
}

// ErrInstructions reports instructions that contradict themselves.
var ErrInstructions = errors.New("instructions_wrong")

// GraveWishes and MinorWishes list what may be wished for.
func GraveWishes() []Wish { return []Wish{WishAsked, WishRefund, WishExchange, WishKeep} }

// MinorWishes lists what may be wished for where no flaw is major.
func MinorWishes() []Wish { return []Wish{WishAsked, WishDiscount, WishKeep} }

// Empty reports whether the customer is to be asked about everything.
func (i Instructions) Empty() bool {
	return i.Grave == WishAsked && i.Minor == WishAsked && i.OfferFrom == 0
}

// Check reports what keeps i from being followed; it fails with
// [ErrInstructions].
func (i Instructions) Check() error {
	switch {
	case !slices.Contains(GraveWishes(), i.Grave) || !slices.Contains(MinorWishes(), i.Minor):
		return fmt.Errorf("%w: %.20q, %.20q", ErrInstructions, i.Grave, i.Minor)
	case i.OfferFrom < 0 || i.OfferFrom > 100 || i.Minor == WishDiscount && i.OfferFrom == 0:
		return fmt.Errorf("%w: offers from %d %%", ErrInstructions, i.OfferFrom)
	}
	return nil
}
