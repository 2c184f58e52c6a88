package web

import (
	"context"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// CaseStore is what a [Store] does to cases besides single steps.
type CaseStore interface {
	// Split makes so many pieces of a case a case of their own. Version and key
	// are as in Act, and so are the errors.
	Split(ctx context.Context, id qc.CaseID, version, pieces int, by refund.Actor, key string) error
	// Instruct keeps what the customer of an order wants done without being asked;
	// [qc.ErrInstructions] where that contradicts itself.
	Instruct(ctx context.Context, order qc.OrderID, i qc.Instructions, by refund.Actor) error
	// Correct opens the correction of an ended case whose money a marketplace took
	// back; the same number opens it once.
	Correct(ctx context.Context, id qc.CaseID, event refund.Event) (refund.Case, error)
	// ClaimFlaw opens the case of a flaw that the customer found in an item that
	// had passed or was kept; [ErrClaimed] when there was one before.
	ClaimFlaw(ctx context.Context, item qc.ItemID, event refund.Event) (refund.Case, error)
}
