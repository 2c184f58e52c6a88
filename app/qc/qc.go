// Package qc holds the words of inspection: what an inspector handles, sees
// and records. It is pure: no files, no network, no clock.
//
// A customer's [Order] has [Item]s (one listing variant, quantity ≥ 1), which
// arrive in parcels found by [Waybill]. The inspection of an item produces a
// [Finding]: a [Verdict], [Photo]s, [Flaw]s from the [Catalogue] and [Mark]s
// on the photos. Everything a station says is an [Event] in its hash-chained
// log; everything it is told is a [Change] in the centre's feed.
//
// The JSON forms of these types are what travels and what is stored, so a
// field is never renamed or reused; new ones are added.
package qc

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"flawmark/app/money"
)

// Identities are opaque: nothing parses them.
type (
	// OrderID names a customer's purchase.
	OrderID string
	// ItemID names one listing variant of an order.
	ItemID string
	// CustomerID names who buys.
	CustomerID string
	// StaffID names who works here.
	StaffID string
	// StationID names an enrolled station.
	StationID string
	// FindingID names what an inspection found, through all its revisions.
	FindingID string
	// PhotoID names a photo of a finding.
	PhotoID string
	// FlawID names a flaw of a finding.
	FlawID string
	// MarkID names a mark on a photo.
	MarkID string
	// CaseID names the case that a flag opens at the centre.
	CaseID string
)

// ErrDigest reports text that is not a SHA-256 in lower-case hexadecimal.
var ErrDigest = errors.New("not a SHA-256 digest")

// Digest names a file by its content: SHA-256 in 64 lower-case hex digits.
type Digest string

// DigestOf returns the digest of data.
func DigestOf(data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest(hex.EncodeToString(sum[:]))
}

// ParseDigest checks text from outside; it fails with [ErrDigest].
func ParseDigest(text string) (Digest, error) {
	if len(text) != sha256.Size*2 || strings.Trim(text, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%w: %.80q", ErrDigest, text)
	}
	return Digest(text), nil
}

// Bilingual is a text in the two languages of the house.
type Bilingual struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// In returns the text in language lang ("en" or "zh"), or the other one where
// that is missing.
func (b Bilingual) In(lang string) string {
	if lang == "zh" && b.ZH != "" || b.EN == "" {
		return b.ZH
	}
	return b.EN
}

// Customer is who bought. Stations never receive customers.
type Customer struct {
	ID       CustomerID `json:"id"`
	Name     string     `json:"name"`
	Language string     `json:"language"` // "en" or "zh"
	Email    string     `json:"email,omitempty"`
	TimeZone string     `json:"time_zone,omitempty"` // IANA name
	// Instructions are the customer's own; an import gives them only to customers
	// who have none.
	Instructions Instructions `json:"instructions,omitzero"`
	// Correction is what the desk has corrected of Email and Language.
	Correction Correction `json:"correction,omitzero"`
}

// Order is a customer's purchase.
type Order struct {
	ID       OrderID   `json:"id"`
	Customer Customer  `json:"customer"`
	PlacedAt time.Time `json:"placed_at"`
	Items    []Item    `json:"items"`
}

// Item is one line of an order: a listing variant, as it was bought.
type Item struct {
	ID            ItemID       `json:"id"`
	Order         OrderID      `json:"order"`
	Title         Bilingual    `json:"title"`
	Variant       Bilingual    `json:"variant"`
	Quantity      int          `json:"quantity"`
	UnitPrice     money.Amount `json:"unit_price"`     // actually paid, after coupons
	FreightIn     money.Amount `json:"freight_in"`     // this line's share of seller-to-warehouse freight
	Platform      string       `json:"platform"`       // "taobao", "1688", …
	PlatformOrder string       `json:"platform_order"` // the order's number there
	Seller        string       `json:"seller"`
	Waybill       Waybill      `json:"waybill"` // the parcel it came in
	CustomerNote  string       `json:"customer_note,omitempty"`
	ListingPhoto  Digest       `json:"listing_photo,omitempty"`
	Category      string       `json:"category"`
	StockedInAt   time.Time    `json:"stocked_in_at,omitzero"`
	// NonReturnable: why sellers do not take such an item back.
	NonReturnable NonReturnable `json:"non_returnable,omitempty"`
	// Round is 1 for the goods first delivered, 2 for the first replacement.
	Round int `json:"round"`
}

// Paid returns price times quantity: what the customer paid for the line
// without freight.
func (i Item) Paid() (money.Amount, error) { return i.UnitPrice.Times(int64(i.Quantity)) }

// WindowEndsAt returns the end of the seller's return window.
func (i Item) WindowEndsAt() time.Time { return WindowEnd(i.StockedInAt) }

// windowLength is what nearly all agents grant: the marketplace's seven days
// from signature less two for the road.
const windowLength = 120 * time.Hour

// WindowEnd returns when the seller's return window closes: 120 hours counted
// from the next full hour after stock-in. A zero stockedIn has no window and
// yields the zero time.
func WindowEnd(stockedIn time.Time) time.Time {
	if stockedIn.IsZero() {
		return time.Time{}
	}
	full := stockedIn.Truncate(time.Hour)
	if full.Before(stockedIn) {
		full = full.Add(time.Hour)
	}
	return full.Add(windowLength)
}
