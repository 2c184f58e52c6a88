package refund

import (
	"strconv"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"

	"github.com/google/uuid"
)

// Account names one side of a transfer in the double-entry ledger.
type Account string

// CustomerAccount is what the agent owes a customer: the balance.
func CustomerAccount(id qc.CustomerID) Account { return Account("customer:" + string(id)) }

// HoldAccount is what is set aside of a customer's money: theirs, but not free.
func HoldAccount(id qc.CustomerID) Account { return Account("hold:" + string(id)) }

// ShopAccount is what customers have spent with a shop.
func ShopAccount(shop string) Account { return Account("shop_sales:" + shop) }

// SellerAccount is what a seller owes the agent.
func SellerAccount(seller string) Account { return Account("seller_receivable:" + seller) }

// CashAccount is the agent's money at the marketplaces.
const CashAccount Account = "cash:platform"

// Transfer moves money between two accounts. Its ID follows from the case, the
// kind and the seller's reference, so that the same fact posted twice collides
// instead of paying twice.
type Transfer struct {
	ID     string       `json:"id"` // UUIDv5
	Debit  Account      `json:"debit"`
	Credit Account      `json:"credit"`
	Amount money.Amount `json:"amount"`
	// Kind of a case's: "received", "credit" or "fee", of a correction's
	// "reversed", "taken_back" or "loss"; of a hold's: "reserve",
	// "spend", "payout" or "release". What a case sets aside for fees is a
	// "reserve", a "release" and a "fee_held".
	Kind string    `json:"kind"`
	Case qc.CaseID `json:"case,omitempty"` // empty: of no case
	Ref  string    `json:"ref"`
	At   time.Time `json:"at"`
}

// NeedsCover reports whether the debited account must have the money: nobody
// sets aside what a customer has not got.
func (t Transfer) NeedsCover() bool { return t.Kind == "reserve" || t.Kind == "taken_back" }

// transferSpace separates our derived ids from everybody else's.
var transferSpace = uuid.MustParse("8d0f3a52-6c1e-5f0b-9a6e-2f8d7b1c4e90")

// The agent's own accounts.
const (
	LossAccount     Account = "agent_loss"       // what we bear because it was our doing
	GoodwillAccount Account = "goodwill_expense" // what we give
	FeeAccount      Account = "fee_income"
	PayoutAccount   Account = "cash:payout" // what has been paid out to customers
)

// transfers returns the money that moves when e takes a case from before to
// after: what the seller paid comes in, and goes to the customer's balance but
// for the fees; what we bear ourselves comes from our own accounts.
func transfers(before, after Case, e Event) ([]Transfer, error) {
	ref := e.SellerRef
	if ref == "" { // no fact of the seller's: a version of a case has one
		ref = "v" + strconv.Itoa(after.Version)
	}
	var list []Transfer
	post := func(kind string, debit, credit Account, amount money.Amount) {
		if amount.IsZero() {
			return
		}
		id := uuid.NewSHA1(transferSpace, []byte(string(before.ID)+"\x00"+kind+"\x00"+ref))
		list = append(list, Transfer{
			ID: id.String(), Debit: debit, Credit: credit, Amount: amount,
			Kind: kind, Case: before.ID, Ref: ref, At: e.At,
		})
	}
	seller, customer := SellerAccount(before.Seller), CustomerAccount(before.Customer)
	switch e.Kind {
	case SellerPaid:
		credit, charge, err := before.share(e.Amount)
		if err != nil {
			return nil, err
		}
		post("received", CashAccount, seller, e.Amount)
		post("credit", seller, customer, credit)
		if charge.Minor() < 0 { // what was kept for fees before is not owed any more
			post("fee_back", FeeAccount, seller, money.Fen(-charge.Minor()))
			break
		}
		post("fee", seller, FeeAccount, charge)
	case TakenBack, LossBorne:
		reversed(after, post)
	case AgentPaid, Goodwill, ClaimGranted:
		given, err := after.Absorbed.Sub(before.Absorbed)
		if err != nil {
			return nil, err
		}
		from := LossAccount
		if e.Kind == Goodwill {
			from = GoodwillAccount
		}
		post("credit", from, customer, given)
	}
	held(before, after, post)
	return list, nil
}
