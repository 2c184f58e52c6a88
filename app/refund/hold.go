package refund

import (
	"errors"
	"time"
	"unicode/utf8"

	"flawmark/app/money"
	"flawmark/app/qc"

	"github.com/google/uuid"
)

// Why money of a customer is not set aside or taken. Each is a sentence to the
// person under the key "error." plus its text.
var (
	ErrFunds       = errors.New("balance_short")   // more than is free on the balance
	ErrHoldBroken  = errors.New("hold_incomplete") // an id, a reference, an amount or a time is missing or out of range
	ErrHoldChanged = errors.New("hold_reused")     // the id was used before, with other content
	ErrHoldOver    = errors.New("hold_over")       // spent, released or expired already
	ErrHoldAmount  = errors.New("hold_amount")     // nothing, or more than was set aside
	ErrCurrency    = errors.New("currency_not_kept")
)

// HoldState is where a hold stands. It leaves [HoldPending] once and then
// never changes.
type HoldState string

// The states of a hold.
const (
	HoldPending  HoldState = "pending"  // the money is set aside
	HoldSpent    HoldState = "spent"    // all or a part of it was taken, the rest is free again
	HoldReleased HoldState = "released" // all of it is free again
	HoldExpired  HoldState = "expired"  // the same, because nobody came for it in time
)

// Purpose says what money is set aside for.
type Purpose string

// The purposes.
const (
	ForShop   Purpose = "shop"   // an order with a shop
	ForPayout Purpose = "payout" // a withdrawal
)

// Hold is money of a customer that is set aside for something: theirs still,
// but not free. Its ID is a UUID made by whoever asks for it, so that asking
// again is not asking twice.
type Hold struct {
	ID       string        `json:"id"`
	Holder   string        `json:"holder"` // who asked and alone may spend or release it
	Purpose  Purpose       `json:"purpose"`
	Customer qc.CustomerID `json:"customer"`
	Amount   money.Amount  `json:"amount"`
	Ref      string        `json:"ref"` // what for, in the holder's words, such as an order number
	State    HoldState     `json:"state"`
	Spent    money.Amount  `json:"spent"`

	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"` // zero: never
	ResolvedAt time.Time `json:"resolved_at,omitzero"`
}

// Limits of what is asked for.
const (
	LongestHold = 90 * 24 * time.Hour
	longestRef  = 120 // letters
)

// Set returns the hold as it is once the money has been set aside at the given
// time, and the transfer that does so. A hold for a shop must end by itself.
func (h Hold) Set(at time.Time) (Hold, []Transfer, error) {
	lasts := h.ExpiresAt.Sub(at)
	_, malformed := uuid.Parse(h.ID)
	switch {
	case h.Amount.Currency() != money.CNY:
		return h, nil, ErrCurrency
	case malformed != nil, h.Holder == "", h.Customer == "", h.Ref == "", utf8.RuneCountInString(h.Ref) > longestRef,
		h.Amount.Minor() <= 0, h.Purpose != ForShop && h.Purpose != ForPayout,
		h.Purpose == ForShop && (lasts <= 0 || lasts > LongestHold):
		return h, nil, ErrHoldBroken
	}
	h.State, h.Spent, h.CreatedAt = HoldPending, money.Fen(0), at
	return h, []Transfer{h.moves("reserve", CustomerAccount(h.Customer), HoldAccount(h.Customer), h.Amount, at)}, nil
}

// Asks reports whether h and other ask for the same.
func (h Hold) Asks(other Hold) bool {
	return h.ID == other.ID && h.Holder == other.Holder && h.Purpose == other.Purpose && h.Customer == other.Customer &&
		h.Amount == other.Amount && h.Ref == other.Ref && h.ExpiresAt.Sub(h.CreatedAt) == other.ExpiresAt.Sub(other.CreatedAt)
}

// Spend takes amount of what is set aside, once; the rest is free again. The
// same amount again changes nothing. From the moment a hold expires nothing can
// be taken, whether the clock has seen to it or not.
func (h Hold) Spend(amount money.Amount, at time.Time) (Hold, []Transfer, error) {
	return h.take("spend", ShopAccount(h.Holder), amount, at)
}

// PayOut takes all that is set aside for a withdrawal.
func (h Hold) PayOut(at time.Time) (Hold, []Transfer, error) {
	return h.take("payout", PayoutAccount, h.Amount, at)
}

func (h Hold) take(kind string, to Account, amount money.Amount, at time.Time) (Hold, []Transfer, error) {
	switch {
	case amount.Currency() != money.CNY:
		return h, nil, ErrCurrency
	case h.State == HoldSpent && h.Spent == amount:
		return h, nil, nil
	case h.State != HoldPending, h.expired(at):
		return h, nil, ErrHoldOver
	case amount.Minor() <= 0:
		return h, nil, ErrHoldAmount
	}
	rest, err := h.Amount.Sub(amount)
	if err != nil {
		return h, nil, err
	}
	if rest.Minor() < 0 {
		return h, nil, ErrHoldAmount
	}
	moved := []Transfer{h.moves(kind, HoldAccount(h.Customer), to, amount, at)}
	if !rest.IsZero() {
		moved = append(moved, h.moves("release", HoldAccount(h.Customer), CustomerAccount(h.Customer), rest, at))
	}
	h.State, h.Spent, h.ResolvedAt = HoldSpent, amount, at
	return h, moved, nil
}

// Release makes all of it free again. Doing so again changes nothing, and
// neither does it to a hold that has expired.
func (h Hold) Release(at time.Time) (Hold, []Transfer, error) {
	if h.State == HoldReleased || h.State == HoldExpired {
		return h, nil, nil
	}
	return h.free(HoldReleased, at)
}

// Expire is what the clock does to a hold whose time is over.
func (h Hold) Expire(at time.Time) (Hold, []Transfer, error) {
	if !h.expired(at) {
		return h, nil, ErrNotNow
	}
	return h.free(HoldExpired, at)
}

func (h Hold) free(end HoldState, at time.Time) (Hold, []Transfer, error) {
	if h.State != HoldPending {
		return h, nil, ErrHoldOver
	}
	moved := h.moves("release", HoldAccount(h.Customer), CustomerAccount(h.Customer), h.Amount, at)
	h.State, h.ResolvedAt = end, at
	return h, []Transfer{moved}, nil
}

func (h Hold) expired(at time.Time) bool { return !h.ExpiresAt.IsZero() && !at.Before(h.ExpiresAt) }

// Moved returns all the transfers that a hold in its state has made.
func (h Hold) Moved() []Transfer {
	held, free := HoldAccount(h.Customer), CustomerAccount(h.Customer)
	moved := []Transfer{h.moves("reserve", free, held, h.Amount, h.CreatedAt)}
	if h.State == HoldPending {
		return moved
	}
	if !h.Spent.IsZero() {
		kind, to := "spend", ShopAccount(h.Holder)
		if h.Purpose == ForPayout {
			kind, to = "payout", PayoutAccount
		}
		moved = append(moved, h.moves(kind, held, to, h.Spent, h.ResolvedAt))
	}
	if rest := h.Amount.Minor() - h.Spent.Minor(); rest > 0 {
		moved = append(moved, h.moves("release", held, free, money.Fen(rest), h.ResolvedAt))
	}
	return moved
}

// moves is a transfer of the hold. Its id follows from the hold and the kind,
// so that a hold that resolves twice collides.
func (h Hold) moves(kind string, debit, credit Account, amount money.Amount, at time.Time) Transfer {
	id := uuid.NewSHA1(transferSpace, []byte("hold\x00"+h.ID+"\x00"+kind))
	return Transfer{ID: id.String(), Debit: debit, Credit: credit, Amount: amount, Kind: kind, Ref: h.Ref, At: at}
}
