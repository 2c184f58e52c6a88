package refund

import (
	"fmt"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// MemoNumber numbers credit memos, from 1 and without gaps.
type MemoNumber int64

// String returns the number as it is printed.
func (n MemoNumber) String() string { return fmt.Sprintf("CM-%06d", int64(n)) }

// Memo is a credit memo: what one step of a case has brought, and what was
// taken off it. It never changes; what turns out otherwise is another memo.
type Memo struct {
	Number   MemoNumber    `json:"number"`
	At       time.Time     `json:"at"`
	Case     qc.CaseID     `json:"case"`
	Version  int           `json:"version"` // of the case, that the step made
	Order    qc.OrderID    `json:"order"`
	Item     qc.ItemID     `json:"item"`
	Title    qc.Bilingual  `json:"title"`
	Quantity int           `json:"quantity"`
	Customer qc.CustomerID `json:"customer"`
	Name     string        `json:"name"` // the customer's
	Seller   string        `json:"seller"`
	Event    Kind          `json:"event"`
	Ref      string        `json:"ref,omitempty"` // the seller's refund number; empty: not the seller's money
	Policy   int           `json:"policy"`        // version of the rules that the fees follow
	Lines    []MemoLine    `json:"lines"`
	Net      money.Amount  `json:"net"` // onto the balance: the lines' sum
}

// MemoLine is what a memo gives for one thing, or takes off.
type MemoLine struct {
	What   string       `json:"what"`   // of goods, freight, part, goodwill, claim, fees and fee_back; in words under "memo." plus it
	Amount money.Amount `json:"amount"` // below zero: taken off
	By     Party        `json:"by"`     // whose money it is: the seller's, ours or the customer's
	Why    Liability    `json:"why,omitempty"`
}

// BySeller is whose money a seller's is. A seller never acts.
const BySeller Party = "seller"

// Memo returns the memo of the step that e made from before to c, without what
// only the store knows: its number, the item's title, the customer's name. ok is
// false for a step that brought nothing.
func (c Case) Memo(before Case, e Event) (m Memo, ok bool, err error) {
	received, err := c.Received.Sub(before.Received)
	if err != nil {
		return m, false, err
	}
	if m.Net, err = c.Credited.Sub(before.Credited); err != nil {
		return m, false, err
	}
	if received.Minor() <= 0 && m.Net.Minor() <= 0 {
		return m, false, nil
	}
	m.At, m.Case, m.Version, m.Order, m.Item, m.Quantity = e.At, c.ID, c.Version, c.Order, c.Item, c.Quantity
	m.Customer, m.Seller, m.Event, m.Policy = c.Customer, c.Seller, e.Kind, c.policy().Version
	switch {
	case !received.IsZero():
		m.Ref = e.SellerRef
		m.Lines, err = c.refunded(before.Received, received, BySeller)
	case e.Kind == AgentPaid:
		m.Lines, err = c.borne(before, m.Net)
	case e.Kind == ClaimGranted:
		m.Lines = []MemoLine{{What: "claim", Amount: m.Net, By: ByClerk}}
	default:
		m.Lines = []MemoLine{{What: "goodwill", Amount: m.Net, By: ByClerk}}
	}
	if err != nil {
		return m, false, err
	}
	fees, err := before.taken(c.Charged)
	m.Lines = append(m.Lines, fees...)
	return m, err == nil, err
}

// borne is what was missing, and the fees that were kept before and are given
// back with it.
func (c Case) borne(before Case, net money.Amount) ([]MemoLine, error) {
	missing, err := net.Sub(before.Charged)
	if err != nil {
		return nil, err
	}
	lines, err := c.refunded(before.Received, missing, ByClerk)
	if !before.Charged.IsZero() {
		lines = append(lines, MemoLine{What: "fee_back", Amount: before.Charged, By: ByClerk})
	}
	return lines, err
}

// refunded divides more, on top of what came before, into goods and freight.
// The parts of all steps are the whole's to the fen, because each is what the
// parts of the sum have grown by.
func (c Case) refunded(came, more money.Amount, by Party) ([]MemoLine, error) {
	if c.Intent == Discount && c.Offer != nil {
		return []MemoLine{{What: "part", Amount: more, By: by}}, nil
	}
	sum, err := came.Add(more)
	if err != nil {
		return nil, err
	}
	weights := []int64{c.Paid.Minor(), c.FreightIn.Minor()}
	upTo, err := money.Apportion(sum, weights)
	if err != nil {
		return nil, err
	}
	from, err := money.Apportion(came, weights)
	if err != nil {
		return nil, err
	}
	var lines []MemoLine
	for i, what := range []string{"goods", "freight"} {
		part, err := upTo[i].Sub(from[i])
		if err != nil {
			return nil, err
		}
		if !part.IsZero() {
			lines = append(lines, MemoLine{What: what, Amount: part, By: by})
		}
	}
	return lines, nil
}

// taken lists the fees that bring what c has been charged up to charged, in
// their order.
func (c Case) taken(charged money.Amount) ([]MemoLine, error) {
	var lines []MemoLine
	from, upTo := c.Charged.Minor(), charged.Minor()
	if upTo == from {
		return nil, nil
	}
	if upTo < from { // they are not owed any more
		return append(lines, MemoLine{What: "fee_back", Amount: money.Fen(from - upTo), By: ByCustomer}), nil
	}
	for _, fee := range c.Fees {
		part := min(upTo, fee.Amount.Minor()) - min(from, fee.Amount.Minor())
		if part > 0 {
			lines = append(lines, MemoLine{What: "fee." + string(fee.Kind), Amount: money.Fen(-part), By: ByCustomer, Why: fee.Why})
		}
		from, upTo = max(from-fee.Amount.Minor(), 0), max(upTo-fee.Amount.Minor(), 0)
	}
	if upTo > 0 {
		return nil, fmt.Errorf("%w: charged %d fen more than the fees", ErrAmount, upTo)
	}
	return lines, nil
}
