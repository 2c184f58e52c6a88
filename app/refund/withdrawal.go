package refund

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// Why a withdrawal does not go on. Each is a sentence to the person under the
// key "error." plus its text.
var (
	ErrWithdrawalOver = errors.New("withdrawal_over")       // paid out or refused already
	ErrUnapproved     = errors.New("withdrawal_unapproved") // nobody has approved it yet
)

// WithdrawalState is where a withdrawal stands.
type WithdrawalState string

// The states of a withdrawal.
const (
	WithdrawalAsked    WithdrawalState = "asked"    // the money is set aside, and a second person must agree
	WithdrawalApproved WithdrawalState = "approved" // agreed to, and still here
	WithdrawalPaid     WithdrawalState = "paid"     // gone to the customer
	WithdrawalRefused  WithdrawalState = "refused"  // back on the balance
)

// Withdrawal is a customer's wish to have money of the balance paid out. It
// shares its ID with the [Hold] that sets the money aside.
type Withdrawal struct {
	ID       string          `json:"id"` // a UUID, made by whoever asks
	Customer qc.CustomerID   `json:"customer"`
	Amount   money.Amount    `json:"amount"`
	To       string          `json:"to"` // where the money is to go, as the customer says it
	State    WithdrawalState `json:"state"`
	AskedBy  string          `json:"asked_by"` // a shop, a customer or a clerk, as the audit trail calls them

	AskedAt    time.Time  `json:"asked_at"`
	ApprovedBy qc.StaffID `json:"approved_by,omitempty"`
	ApprovedAt time.Time  `json:"approved_at,omitzero"`
	EndedBy    qc.StaffID `json:"ended_by,omitempty"` // who paid it out or refused it
	EndedAt    time.Time  `json:"ended_at,omitzero"`
	Ref        string     `json:"ref,omitempty"`    // of the payment
	Reason     string     `json:"reason,omitempty"` // why it was refused
}

// Hold returns what sets the money aside. It never expires: it waits for people.
func (w Withdrawal) Hold() Hold {
	return Hold{ID: w.ID, Holder: w.AskedBy, Purpose: ForPayout, Customer: w.Customer, Amount: w.Amount, Ref: w.Name()}
}

// Name is what people call it by; the ID is for programs.
func (w Withdrawal) Name() string { return "W-" + strings.ToUpper(w.ID[:min(8, len(w.ID))]) }

// Check says whether it can be asked for; what it asks of the balance,
// [Hold.Set] checks.
func (w Withdrawal) Check() error {
	if w.To == "" || utf8.RuneCountInString(w.To) > longestTo {
		return ErrHoldBroken
	}
	return nil
}

// Approve is the word of a second person, who never is the one that asked.
func (w Withdrawal) Approve(by qc.StaffID, at time.Time) (Withdrawal, error) {
	switch {
	case w.State == WithdrawalApproved && w.ApprovedBy == by:
		return w, nil
	case w.State != WithdrawalAsked:
		return w, ErrWithdrawalOver
	case by == "":
		return w, ErrMissing
	case w.AskedBy == string(ByClerk)+":"+string(by):
		return w, ErrSamePerson
	}
	w.State, w.ApprovedBy, w.ApprovedAt = WithdrawalApproved, by, at
	return w, nil
}

// Pay notes that the money has gone, with the payment's reference.
func (w Withdrawal) Pay(ref string, by qc.StaffID, at time.Time) (Withdrawal, error) {
	switch {
	case w.State == WithdrawalPaid && w.Ref == ref:
		return w, nil
	case w.State == WithdrawalAsked:
		return w, ErrUnapproved
	case w.State != WithdrawalApproved:
		return w, ErrWithdrawalOver
	case ref == "" || by == "" || utf8.RuneCountInString(ref) > longestRef:
		return w, ErrMissing
	}
	w.State, w.Ref, w.EndedBy, w.EndedAt = WithdrawalPaid, ref, by, at
	return w, nil
}

// Refuse ends it with a reason; the money is free again.
func (w Withdrawal) Refuse(reason string, by qc.StaffID, at time.Time) (Withdrawal, error) {
	switch {
	case w.State == WithdrawalRefused && w.Reason == reason:
		return w, nil
	case w.State != WithdrawalAsked && w.State != WithdrawalApproved:
		return w, ErrWithdrawalOver
	case reason == "" || by == "" || utf8.RuneCountInString(reason) > longestReason:
		return w, ErrMissing
	}
	w.State, w.Reason, w.EndedBy, w.EndedAt = WithdrawalRefused, reason, by, at
	return w, nil
}

// Limits of what people write, in letters.
const (
	longestReason = 500
	longestTo     = 200
)
