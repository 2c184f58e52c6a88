package main

import (
	"context"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// The store as [web.CaseStore].

func (f forPages) Split(ctx context.Context, id qc.CaseID, version, pieces int, by refund.Actor, key string) error {
	_, err := f.Store.Split(ctx, id, version, pieces, by, key)
	return forPage(err)
}

func (f forPages) Instruct(ctx context.Context, order qc.OrderID, i qc.Instructions, by refund.Actor) error {
	return f.Store.Instruct(ctx, order, i, by)
}

func (f forPages) Correct(ctx context.Context, id qc.CaseID, event refund.Event) (refund.Case, error) {
	c, err := f.Store.Correct(ctx, id, event)
	return c, forPage(err)
}

func (f forPages) ClaimFlaw(ctx context.Context, item qc.ItemID, event refund.Event) (refund.Case, error) {
	c, err := f.Store.ClaimFlaw(ctx, item, event)
	return c, forPage(err)
}
