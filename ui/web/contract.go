package web

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/ui/web/darkroom"
)

// Store is what the pages need of the centre. Besides the errors named here it
// returns [qc.ErrNotFound] for what does not exist and the errors of package
// refund for events that may not happen.
type Store interface {
	Desk
	// OrderByToken returns an order to the holder of its link; [ErrLink] otherwise.
	OrderByToken(ctx context.Context, order qc.OrderID, token string, at time.Time) (OrderView, error)
	// Act applies an event. version 0 stands for whichever there is; any other
	// must be the case's, or it is a [*Conflict]. The same key twice acts once.
	Act(ctx context.Context, id qc.CaseID, version int, event refund.Event, key string) (refund.Case, error)
	CaseStore
	// Memo returns a credit memo, whoever's it is.
	Memo(ctx context.Context, number refund.MemoNumber) (refund.Memo, error)
	// Dossier returns all there is about a case.
	Dossier(ctx context.Context, id qc.CaseID) (Dossier, error)
	// LinkOrder makes a new link to an order for a person and returns its secret.
	LinkOrder(ctx context.Context, order qc.OrderID, by qc.StaffID, at time.Time) (string, error)
	// SignIn returns the staff member with that password; [ErrSignIn] otherwise,
	// and [ErrLocked] after too many tries from there.
	SignIn(ctx context.Context, id qc.StaffID, password string, from Source, at time.Time) (qc.Staff, error)
	// Staff returns a person as they are now.
	Staff(ctx context.Context, id qc.StaffID) (qc.Staff, error)
	// BeginSession signs a person in and returns the session's secret.
	BeginSession(ctx context.Context, id qc.StaffID, at time.Time) (string, error)
	// Session returns whose session it is, as they are now; [ErrSignIn] when it
	// has ended, as it does when the person is dismissed.
	Session(ctx context.Context, secret string, at time.Time) (qc.Staff, error)
	// EndSession signs out.
	EndSession(ctx context.Context, secret string, at time.Time) error
	// StatementBefore returns up to limit lines of a customer before a line, oldest
	// first, and whether there are older ones.
	StatementBefore(ctx context.Context, customer qc.CustomerID, before int64, limit int) (lines []Line, older bool, err error)
	// Balance returns what the agent owes a customer.
	Balance(ctx context.Context, customer qc.CustomerID) (money.Amount, error)
	// WriteTicket adds a message to a ticket or opens one; the same key twice
	// writes once. It fails with [qc.ErrNotFound] for a ticket of another order,
	// and with what [refund.TicketPolicy.Check] says.
	WriteTicket(ctx context.Context, w refund.Writing) (refund.Ticket, error)
	// SawTicket notes that messages up to one have been read; of the desk, that
	// they have been dealt with.
	SawTicket(ctx context.Context, id refund.TicketID, by refund.Actor, through int, at time.Time) error
	// Ticket returns one ticket.
	Ticket(ctx context.Context, id refund.TicketID) (refund.Ticket, error)
	// Tickets returns tickets, those in which somebody waits longest first.
	Tickets(ctx context.Context, filter TicketFilter) ([]refund.Ticket, error)
	// Order returns an order to the desk.
	Order(ctx context.Context, id qc.OrderID) (qc.Order, error)
	// SellerRecord returns how a seller has dealt with us since then.
	SellerRecord(ctx context.Context, seller string, since time.Time) (refund.Record, error)
	Pushes
	Mails
	// Watch ticks after committed changes, several in one; the func ends it.
	Watch() (<-chan struct{}, func())
}

// Blobs are the photo files by digest. Open fails with [qc.ErrNotFound].
type Blobs interface {
	Open(digest qc.Digest) (Blob, error)
	// PutBytes keeps a file that was made here.
	PutBytes(ctx context.Context, data []byte) (qc.Digest, error)
	Has(digest qc.Digest) (size int64, there bool, err error)
}

// Blob is an open photo file.
type Blob = darkroom.File

// The errors of a [Store].
var (
	ErrLink      = errors.New("link is not valid")
	ErrSignIn    = errors.New("staff id or password is wrong")
	ErrLocked    = errors.New("too many wrong passwords")
	ErrSellerRef = errors.New("seller's refund number has brought money before") // of Act
	ErrClaimed   = errors.New("claimed_before")                                  // of ClaimFlaw
)

// Source is where somebody tries to sign in from: an address, or a browser in
// which that person is Known.
type Source struct {
	Name  string
	Known bool
}

// Conflict reports that a case is not in the version somebody acted on.
type Conflict struct{ Case refund.Case }

// Error implements error.
func (c *Conflict) Error() string {
	return fmt.Sprintf("case %s has moved on to version %d", c.Case.ID, c.Case.Version)
}

// OrderView is what the holder of an order's link may see, before the pages
// leave out what is not to be shown yet.
type OrderView struct {
	Order     qc.Order
	Cases     []refund.Case
	Findings  map[qc.FindingID]qc.Finding
	Balance   money.Amount // free to use
	Held      money.Amount // set aside besides
	Statement []Line       // the last ones, oldest first
	Older     bool         // there are lines before those
	Tickets   []refund.Ticket
	Stored    map[qc.Digest]bool // files that the centre has
}

// Line is one movement on a customer's balance.
type Line struct {
	N       int64 // grows from line to line
	Number  int   // its place in the statement, from 1
	At      time.Time
	Kind    string
	Amount  money.Amount
	Case    qc.CaseID
	Item    qc.ItemID
	Ref     string            // of what is of no case
	Running money.Amount      // what is free on the balance after it
	Held    money.Amount      // what is set aside after it
	Memo    refund.MemoNumber // that its sum is on; 0: none
}

// TicketFilter says which tickets a list holds; zero fields leave nothing out.
type TicketFilter struct {
	Order   qc.OrderID
	Waiting bool // only those in which the customer waits
	Limit   int  // 0: the store's own
}

// Dossier is a case with everything around it.
type Dossier struct {
	Case     refund.Case
	Item     qc.Item
	Customer qc.Customer
	Findings []qc.Finding    // of every round, newest first
	Tickets  []refund.Ticket // of the order
	Assignee qc.StaffID      // who of the desk looks after it; empty: nobody
	Memos    []refund.Memo   // of what the case has brought, the first one first
	Letters  []refund.Letter // written about it by the desk, oldest first
}
