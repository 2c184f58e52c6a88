package qc

import "slices"

// NonReturnable is why sellers do not take an item back whatever is wrong with
// it. They are asked all the same. Its words are under the key "non_returnable."
// plus it; empty is an item like most.
type NonReturnable string

// The reasons.
const (
	CustomMade     NonReturnable = "custom_made"
	TagsRemoved    NonReturnable = "tags_removed" // or packaging, at the customer's wish
	NextToSkin     NonReturnable = "next_to_skin" // underwear, socks, leggings
	SealOpened     NonReturnable = "seal_opened"
	Perishable     NonReturnable = "perishable" // food and the like
	Printed        NonReturnable = "printed"    // newspapers, sets of books
	Adult          NonReturnable = "adult"
	SecondHand     NonReturnable = "second_hand"
	FromAbroad     NonReturnable = "from_abroad" // goods from outside the mainland
	PreSale        NonReturnable = "pre_sale"    // bought on a deposit
	SellerExcludes NonReturnable = "seller_excludes"
)

// NonReturnables lists all reasons.
func NonReturnables() []NonReturnable {
	return []NonReturnable{
		CustomMade, TagsRemoved, NextToSkin, SealOpened, Perishable, Printed, Adult, SecondHand, FromAbroad, PreSale, SellerExcludes,
	}
}

// Known reports whether n is one of the reasons, or none at all.
func (n NonReturnable) Known() bool { return n == "" || slices.Contains(NonReturnables(), n) }
