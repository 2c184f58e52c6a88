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
	// SplitForShop makes so many pieces of a case a case of their own, called part,
	// as if its customer had said so. Else it is as ActForShop.
	SplitForShop(ctx context.Context, k Key, id qc.CaseID, version, pieces int, key string) (part qc.CaseID, err error)
	// ClaimForShop opens the case of a flaw that nobody found; the same words open
	// it once. [ErrClaimed].
	ClaimForShop(ctx context.Context, k Key, item qc.ItemID, reason string) (refund.Case, error)
	ShopInstructions(ctx context.Context, k Key, id qc.CustomerID) (qc.Instructions, error)
	// InstructForShop keeps what a customer wants done from now on, for somebody who
	// saw what was set at seen. *[InstructionsMoved], [qc.ErrInstructions].
	InstructForShop(ctx context.Context, k Key, id qc.CustomerID, i qc.Instructions, seen time.Time) (qc.Instructions, error)
	ShopTickets(ctx context.Context, k Key, order qc.OrderID) ([]refund.Ticket, error)
	ShopTicket(ctx context.Context, k Key, id refund.TicketID) (refund.Ticket, error)
	// WriteTicketForShop writes as the order's customer; the same key writes once.
	// It fails with what [refund.TicketPolicy.Check] says, too.
	WriteTicketForShop(ctx context.Context, k Key, w refund.Writing) (refund.Ticket, error)
	SawTicketForShop(ctx context.Context, k Key, id refund.TicketID, through int, at time.Time) (refund.Ticket, error)
	// SellerRecord returns how a seller has dealt with everybody since then.
	SellerRecord(ctx context.Context, seller string, since time.Time) (refund.Record, error)
	// AddShopHook keeps a webhook under an id that the caller made; only the first
	// time is its secret in what is returned. *[HookRefused].
	AddShopHook(ctx context.Context, k Key, id, url string, at time.Time) (refund.Webhook, error)
	ShopHooks(ctx context.Context, k Key) ([]Hook, error)
	ShopHook(ctx context.Context, k Key, id string) (Hook, error)
	RemoveShopHook(ctx context.Context, k Key, id string, at time.Time) error
	// ReplayShopHook returns how many events go out again. *[HookRefused].
	ReplayShopHook(ctx context.Context, k Key, id string, since, at time.Time) (int, error)
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
	// ShopStatement returns what moved on a customer's balance behind a line, up to
	// limit lines and oldest first, and whether there are more.
	ShopStatement(ctx context.Context, k Key, id qc.CustomerID, after int64, limit int) (lines []Line, more bool, err error)
	ShopMemo(ctx context.Context, k Key, number refund.MemoNumber) (refund.Memo, error)
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
	ErrClaimed    = errors.New("claimed_before") // of ClaimForShop

	// What is wrong with a picture that came with a message.
	ErrNotPicture     = errors.New("picture_none")
	ErrPictureLarge   = errors.New("picture_large")
	ErrPictureDamaged = errors.New("picture_damaged")
)

// InstructionsMoved reports that instructions are not those that somebody saw.
type InstructionsMoved struct{ Now qc.Instructions }

func (m *InstructionsMoved) Error() string { return "instructions have been changed since" }

// HookRefused says why a webhook is not kept, or not called, by the key of a
// sentence.
type HookRefused struct {
	Key     string
	Address bool // it is the address that is wrong
}

func (h *HookRefused) Error() string { return h.Key }

// Hook is a webhook with how it does.
type Hook struct {
	refund.Webhook
	Waiting, Failed int
	Problem         string // the key of the sentence about the last that did not arrive; empty: all did
	Code            string // what the program answered then
}

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
	N       int64 // grows from line to line
	Number  int   // its place in the statement, from 1
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
