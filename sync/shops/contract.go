package shops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Key is what the system of a shop may do with one key. Keys with the same Shop
// are of the same shop.
type Key struct {
	ID        string
	Shop      string
	Scopes    []string
	AllOrders bool // it sees and keeps every order of the centre
	CreatedAt time.Time
	UsedAt    time.Time
	RevokedAt time.Time
}

// Centre is the store behind the door. It keeps a shop's things from everybody
// else: what is not the key's is [qc.ErrNotFound], as what is not there. Besides
// the errors named here it returns those of package refund.
type Centre interface {
	// ShopKey returns the key that a secret is, or [ErrKey].
	ShopKey(ctx context.Context, secret string, at time.Time) (Key, error)
	// ImportShopOrders takes JSON orders over, all or nothing; *[Faults] says why
	// nothing was, [*Syntax] that it is no such JSON.
	ImportShopOrders(ctx context.Context, k Key, data []byte, at time.Time) (Imported, error)
	ShopOrder(ctx context.Context, k Key, id qc.OrderID) (View, error)
	ShopCase(ctx context.Context, k Key, id qc.CaseID) (refund.Case, View, error)
	ShopCases(ctx context.Context, k Key, f Filter) (CasePage, error)
	// ActForShop lets e happen to a case as if its customer had said it; the same
	// key twice acts once. *[Conflict]: the case is not in that version.
	ActForShop(ctx context.Context, k Key, id qc.CaseID, version int, e refund.Event, key string) (refund.Case, error)
	// LinkOrder returns an address that opens an order for its customer.
	LinkOrder(ctx context.Context, k Key, id qc.OrderID, at time.Time) (address string, ends time.Time, err error)
	RevokeLinks(ctx context.Context, k Key, id qc.OrderID, at time.Time) error
	// ShopEvents returns what happened after a place; [ErrCursorGone].
	ShopEvents(ctx context.Context, k Key, after qc.Cursor, limit int) (Events, error)
	// BeginShopRequest takes a request in hand. An answer other than the zero one
	// is what it was answered before. [ErrKeyReused], [ErrRunning].
	BeginShopRequest(ctx context.Context, k Key, key, fingerprint string, at time.Time) (Answer, error)
	// EndShopRequest keeps what a request was answered; the zero answer frees its key.
	EndShopRequest(ctx context.Context, k Key, key string, answer Answer, at time.Time) error
	ShopFunds(ctx context.Context, k Key, id qc.CustomerID) (Funds, error)
	// ShopStatement returns all that moved on a customer's balance, oldest first.
	ShopStatement(ctx context.Context, k Key, id qc.CustomerID) ([]Line, error)
	// ShopReserve, ShopSpend and ShopRelease do what package refund says of holds;
	// the same again changes nothing.
	ShopReserve(ctx context.Context, k Key, r Reservation, at time.Time) (refund.Hold, error)
	ShopSpend(ctx context.Context, k Key, id string, amount money.Amount, at time.Time) (refund.Hold, error)
	ShopRelease(ctx context.Context, k Key, id string, at time.Time) (refund.Hold, error)
	ShopHold(ctx context.Context, k Key, id string) (refund.Hold, error)
	ShopWithdraw(ctx context.Context, k Key, w refund.Withdrawal, at time.Time) (refund.Withdrawal, error)
	ShopWithdrawal(ctx context.Context, k Key, id string) (refund.Withdrawal, error)
	// Watch returns a channel that ticks after every change, and its end.
	Watch() (<-chan struct{}, func())
}

// The errors of a [Centre].
var (
	ErrKey        = errors.New("key is not valid")
	ErrKeyReused  = errors.New("idempotency key was used for another request")
	ErrRunning    = errors.New("request with the same key is being worked on")
	ErrCursorGone = errors.New("events no longer reach back to this place")
	ErrFull       = errors.New("no room left")
	ErrAway       = errors.New("storage is not reached now")
)

// Conflict reports that a case is not in the version that somebody acted on.
type Conflict struct{ Case refund.Case }

func (c *Conflict) Error() string {
	return fmt.Sprintf("case %s has moved on to version %d", c.Case.ID, c.Case.Version)
}

// Syntax reports that orders are not the JSON they should be.
type Syntax struct{ Problem string }

func (s *Syntax) Error() string { return s.Problem }

// Fault says what is wrong with an order, or with one of its items.
type Fault struct {
	Order   qc.OrderID
	Item    qc.ItemID // empty: the order itself
	Member  string
	Problem string
}

// Faults says why no order was taken over.
type Faults struct{ Faults []Fault }

func (f *Faults) Error() string { return fmt.Sprintf("%d faults in orders", len(f.Faults)) }

// Imported says what an import did.
type Imported struct{ Orders, Items, Unchanged int }

// View is an order as its customer sees it.
type View struct {
	Order    qc.Order
	Cases    []refund.Case
	Findings map[qc.FindingID]qc.Finding
	Stored   map[qc.Digest]bool // files that the centre has
}

// Filter narrows a list of cases; its zero value matches all.
type Filter struct {
	Open         bool
	Status       refund.Status
	Order        qc.OrderID
	Item         qc.ItemID
	Customer     qc.CustomerID
	ChangedSince time.Time
	Limit        int
	After        string // the case behind which the page begins
}

// CasePage is a piece of a list of cases.
type CasePage struct {
	Cases  []refund.Case
	More   bool
	Last   qc.CaseID
	Events qc.Cursor // what happens after the page was read follows behind it
}

// Event is one step of a case.
type Event struct {
	N        int64
	Kind     refund.NoticeKind
	At       time.Time
	Snapshot refund.Snapshot
}

// Events is a piece of what happened.
type Events struct {
	Events   []Event
	Next     qc.Cursor
	UpToDate bool
}

// Answer is what a request was answered.
type Answer struct {
	Status  int
	Headers string
	Body    string
}

// Words are the sentences of one language.
type Words interface {
	Text(key string, pairs ...string) string
}

// File is a stored photo file.
type File interface {
	io.ReadSeeker
	io.Closer
}

// Funds is a customer's money.
type Funds struct{ Posted, Held, Available money.Amount }

// Line is one movement on a balance.
type Line struct {
	At      time.Time
	Kind    string
	Amount  money.Amount
	Case    qc.CaseID
	Item    qc.ItemID
	Ref     string
	Running money.Amount // what is free after it
	Held    money.Amount // what is set aside after it
	Memo    refund.MemoNumber
}

// Reservation asks for money of a customer to be set aside.
type Reservation struct {
	ID       string // a UUID
	Customer qc.CustomerID
	Amount   money.Amount
	Ref      string
	Lasts    time.Duration
}
