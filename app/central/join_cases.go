package main

import (
	"context"
	"errors"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/ui/web"
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

func (f forPages) CorrectContact(ctx context.Context, id qc.CaseID, seen int, to qc.Contact, by qc.StaffID, at time.Time) error {
	err := f.Store.CorrectContact(ctx, id, seen, to, by, at)
	if errors.Is(err, central.ErrContactMoved) {
		return errors.Join(web.ErrContactMoved, err)
	}
	return err
}

func (f forPages) ClaimFlaw(ctx context.Context, item qc.ItemID, event refund.Event) (refund.Case, error) {
	c, err := f.Store.ClaimFlaw(ctx, item, event)
	return c, forPage(err)
}
