package refund

import (
	"slices"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// Policy is the rules of a case, in one version. A case keeps those that it was
// opened under, whatever is decided later for others.
type Policy struct {
	Version   int       `json:"version"`
	ValidFrom time.Time `json:"valid_from"` // for cases that are opened then or later

	DecideWithin  time.Duration `json:"decide_within"`   // after the customer was told
	FileBefore    time.Duration `json:"file_before"`     // before the window closes, so that the desk can still file
	DecideAtLeast time.Duration `json:"decide_at_least"` // however late it is

	PhotosWithin    time.Duration `json:"photos_within"`     // for the warehouse to take more photos
	SellerWithin    time.Duration `json:"seller_within"`     // for the seller to answer, then the marketplace is asked
	RefusedWithin   time.Duration `json:"refused_within"`    // for an answer to a refusal, then the item is kept
	OfferWithin     time.Duration `json:"offer_within"`      // for the customer to answer an offer
	DispatchWithin  time.Duration `json:"dispatch_within"`   // for the warehouse to send a return
	DispatchLapses  time.Duration `json:"dispatch_lapses"`   // when the seller's agreement lapses
	SilentAfter     time.Duration `json:"silent_after"`      // a return without news is in trouble
	PayWithin       time.Duration `json:"pay_within"`        // for the seller to pay
	ReplaceWithin   time.Duration `json:"replace_within"`    // for the replacement to come
	MaxOffers       int           `json:"max_offers"`        // rounds of offers
	FreePhotoRounds int           `json:"free_photo_rounds"` // requests for more photos

	ServiceFee    money.Amount `json:"service_fee"`    // of a return that is not the seller's fault
	FreightBack   money.Amount `json:"freight_back"`   // estimate, until the parcel has been weighed
	ApprovalAbove money.Amount `json:"approval_above"` // what the agent bears needs a second person above this

	// Fees is the matrix of who bears what: the customer's part of it.
	Fees map[Liability][]FeeKind `json:"fees"`
	// Liabilities says who answers for a flaw: the first row that fits.
	Liabilities []LiabilityRow `json:"liabilities"`
	// Strongest orders liabilities: of several flaws the first one's counts.
	Strongest []Liability `json:"strongest"`
}

// LiabilityRow says who answers for flaws of a kind. What is empty fits all.
type LiabilityRow struct {
	Codes      []qc.FlawCode `json:"codes,omitempty"`
	Catalogue  qc.Liability  `json:"catalogue,omitempty"` // who the catalogue says bears it
	Severities []qc.Severity `json:"severities,omitempty"`
	Zones      []qc.Zone     `json:"zones,omitempty"`
	Then       Liability     `json:"then"`
}

func (r LiabilityRow) fits(flaw qc.Flaw, kind qc.FlawKind) bool {
	return fits(r.Codes, flaw.Code) && (r.Catalogue == "" || r.Catalogue == kind.Liability) &&
		fits(r.Severities, flaw.Severity) && fits(r.Zones, flaw.Zone)
}

func fits[T comparable](list []T, one T) bool { return len(list) == 0 || slices.Contains(list, one) }

// Liability returns who answers for the flaws of a finding: of several the
// strongest, so that nobody pays for a small flaw of what has a grave one as
// well. A remark for the house alone does not count. Empty: nobody says.
func (p Policy) Liability(f qc.Finding, catalogue qc.Catalogue) Liability {
	strongest := len(p.Strongest)
	for _, flaw := range f.Flaws {
		kind, _ := catalogue.Flaw(flaw.Code)
		i := slices.IndexFunc(p.Liabilities, func(r LiabilityRow) bool { return r.fits(flaw, kind) })
		if i < 0 || kind.Internal && flaw.Severity == qc.Observation {
			continue
		}
		if at := slices.Index(p.Strongest, p.Liabilities[i].Then); at >= 0 && at < strongest {
			strongest = at
		}
	}
	if strongest == len(p.Strongest) {
		return ""
	}
	return p.Strongest[strongest]
}

// Policies are all versions there ever were, the first one first. A version is
// never changed: what is to hold from now on is added.
type Policies []Policy

// At returns the rules of a case that is opened at that time.
func (all Policies) At(t time.Time) Policy {
	for _, p := range slices.Backward(all) {
		if !t.Before(p.ValidFrom) {
			return p
		}
	}
	return original()
}

// original is the rules of cases that were opened before rules were data and
// written down with the case.
func original() Policy {
	const day = 24 * time.Hour
	return Policy{
		Version:      1,
		DecideWithin: 72 * time.Hour, FileBefore: day, DecideAtLeast: 6 * time.Hour,
		PhotosWithin: day, SellerWithin: 5 * day, RefusedWithin: 5 * day, OfferWithin: 2 * day,
		DispatchWithin: day, DispatchLapses: 7 * day, SilentAfter: 3 * day, PayWithin: 10 * day, ReplaceWithin: 10 * day,
		MaxOffers: 5, FreePhotoRounds: 3,
		ServiceFee: money.Fen(5_00), FreightBack: money.Fen(12_00), ApprovalAbove: money.Fen(100_00),
		Fees: map[Liability][]FeeKind{
			ByMinorFlaw:    {FreightBackFee, ServiceFee},
			ByCustomerWish: {FreightInFee, FreightBackFee, ServiceFee},
		},
	}
}

// policy returns the rules that the case was opened under. They travel with it,
// so that a program which does not know their version keeps to them as well.
func (c Case) policy() Policy {
	if c.Terms != nil {
		return *c.Terms
	}
	return original()
}

// AloneUpTo is how much a clerk may give of our own money without a second
// person.
func (c Case) AloneUpTo() money.Amount { return c.policy().ApprovalAbove }

// LiabilityOf returns who answers for the flaws of a finding by the rules of
// the case.
func (c Case) LiabilityOf(f qc.Finding, catalogue qc.Catalogue) Liability {
	return c.policy().Liability(f, catalogue)
}

// Liability says who answers for a flaw.
type Liability string

// The liabilities. The empty one is the seller's.
const (
	BySellerFault  Liability = "seller"
	ByMinorFlaw    Liability = "minor"    // the seller's, but so small that the return's freight is the customer's
	ByAgentFault   Liability = "agent"    // we bought wrong, damaged it or were late
	ByCarrierFault Liability = "carrier"  // damaged on the way; treated as the seller's first
	ByCustomerWish Liability = "customer" // nothing is wrong with it
)

// FeeKind names a fee. Its words are under the key "fee." plus it.
type FeeKind string

// The fees.
const (
	FreightInFee   FeeKind = "freight_in"   // what brought the item, not given back
	FreightBackFee FeeKind = "freight_back" // the parcel to the seller
	ServiceFee     FeeKind = "service"
)

// Fee is something that a choice costs the customer.
type Fee struct {
	Kind   FeeKind      `json:"kind"`
	Amount money.Amount `json:"amount"`
	Why    Liability    `json:"why"`
}

// fees is what a choice costs the customer who gives an item back.
func (p Policy) fees(l Liability, freightIn money.Amount) []Fee {
	sums := map[FeeKind]money.Amount{FreightInFee: freightIn, FreightBackFee: p.FreightBack, ServiceFee: p.ServiceFee}
	var list []Fee
	for _, kind := range p.Fees[l] {
		if amount := sums[kind]; !amount.IsZero() {
			list = append(list, Fee{Kind: kind, Amount: amount, Why: l})
		}
	}
	return list
}

// Choice is what one decision would bring and cost, said before it is made.
type Choice struct {
	Decision Decision     `json:"decision"`
	Brings   money.Amount `json:"brings"` // onto the balance, before fees
	Fees     []Fee        `json:"fees,omitempty"`
	Net      money.Amount `json:"net"` // may be below zero
	DaysFrom int          `json:"days_from"`
	DaysTo   int          `json:"days_to"`
}

// Sheet returns what each decision would mean, in the order keep, refund,
// exchange.
func (c Case) Sheet() ([]Choice, error) {
	owed, err := c.Paid.Add(c.FreightIn)
	if err != nil {
		return nil, err
	}
	zero := money.Fen(0)
	costs := c.policy().fees(c.Liability, c.FreightIn)
	back := Choice{Decision: Refund, Brings: owed, Fees: costs, Net: owed, DaysFrom: 7, DaysTo: 15}
	swap := Choice{Decision: Exchange, Brings: zero, Net: zero, DaysFrom: 7, DaysTo: 20}
	for _, fee := range costs {
		if back.Net, err = back.Net.Sub(fee.Amount); err != nil {
			return nil, err
		}
		if fee.Kind == FreightInFee {
			continue // another piece comes for it
		}
		swap.Fees = append(swap.Fees, fee)
		if swap.Net, err = swap.Net.Sub(fee.Amount); err != nil {
			return nil, err
		}
	}
	return []Choice{{Decision: Keep, Brings: zero, Net: zero}, back, swap}, nil
}
