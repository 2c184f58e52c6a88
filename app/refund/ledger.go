package refund

import (
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"

	"github.com/google/uuid"
)

// Account names one side of a transfer in the double-entry ledger.
type Account string

// CustomerAccount is what the agent owes a customer: the balance.
func CustomerAccount(id qc.CustomerID) Account { return Account("customer:" + string(id)) }

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
	Kind   string       `json:"kind"` // "received" or "credit"
	Case   qc.CaseID    `json:"case"`
	Ref    string       `json:"ref"`
	At     time.Time    `json:"at"`
}

// transferSpace separates our derived ids from everybody else's.
var transferSpace = uuid.MustParse("8d0f3a52-6c1e-5f0b-9a6e-2f8d7b1c4e90")

// transfers returns the money that moves when e happens to c: what the seller
// paid comes in, and the same sum goes to the customer's balance.
func transfers(c Case, e Event) []Transfer {
	if e.Kind != SellerPaid {
		return nil
	}
	post := func(kind string, debit, credit Account) Transfer {
		id := uuid.NewSHA1(transferSpace, []byte(string(c.ID)+"\x00"+kind+"\x00"+e.SellerRef))
		return Transfer{
			ID: id.String(), Debit: debit, Credit: credit, Amount: e.Amount,
			Kind: kind, Case: c.ID, Ref: e.SellerRef, At: e.At,
		}
	}
	seller := SellerAccount(c.Seller)
	return []Transfer{
		post("received", CashAccount, seller),
		post("credit", seller, CustomerAccount(c.Customer)),
	}
}
