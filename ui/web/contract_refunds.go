package web

import (
	"context"
	"fmt"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Refunds are the payments of sellers that a marketplace tells of in a file.
type Refunds interface {
	// ReadRefunds reads such a file; [*BrokenFile] where it is none.
	ReadRefunds(data []byte) ([]Payment, error)
	// MatchRefunds finds the cases that payments belong to, and changes nothing.
	MatchRefunds(ctx context.Context, payments []Payment) ([]PaymentMatch, error)
	// BookRefunds books the payments that are sure, each by itself and once, and
	// returns all with what became of them.
	BookRefunds(ctx context.Context, matches []PaymentMatch, by refund.Actor, at time.Time) ([]PaymentMatch, error)
}

// BrokenFile says why a file brings no payments.
type BrokenFile struct {
	Problem string   // its sentence is under "error.refund_file." and it
	Line    int      // from 1; 0: the whole of it
	Column  string   // that is missing or there twice; its words are under "refund_column." and it
	Names   []string // of columns, as the file writes them
	Like    []string // names that the missing column may have
}

// Error implements error.
func (b *BrokenFile) Error() string {
	return fmt.Sprintf("file is broken: %s, line %d, %s %q", b.Problem, b.Line, b.Column, b.Names)
}

// Payment is a row of such a file.
type Payment struct {
	Line    int // from 1
	Ref     string
	Order   string
	Seller  string
	Amount  money.Amount
	Date    time.Time
	Note    string
	Total   bool   // it is none, but adds up the others
	Broken  string // the column that cannot be read
	Heading string // what the file calls that column
	Said    string // what it says there
	Fault   string // what is wrong with that; its words are under "refund_fault." and it
}

// MatchState says what a payment is to us; its words are under "match." and it.
type MatchState string

// The states that the pages do more about than say them.
const (
	MatchSure   MatchState = "sure"   // to be booked
	MatchLikely MatchState = "likely" // when a person says that it is right
	MatchDone   MatchState = "done"   // booked, now or before
	MatchBroken MatchState = "broken" // cannot be read, or could not be booked
)

// PaymentMatch is a payment and the case it belongs to.
type PaymentMatch struct {
	Payment Payment
	State   MatchState
	Case    qc.CaseID // empty: none
	Item    qc.ItemID
	Waits   money.Amount // what the case still waits for, before this payment
	Short   bool         // it is a part of that
	Problem string       // MatchBroken: key of the sentence that says why
}
