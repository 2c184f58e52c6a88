package main

import (
	"context"
	"errors"
	"time"

	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/ui/web"
)

// ReadRefunds implements [web.Refunds].
func (f forPages) ReadRefunds(data []byte) ([]web.Payment, error) {
	rows, err := central.ParseRefunds(data)
	if broken, ok := errors.AsType[*central.ImportError](err); ok {
		return nil, errors.Join(&web.BrokenFile{Line: broken.Line, Column: broken.Column}, err)
	}
	payments := make([]web.Payment, len(rows))
	for i, row := range rows {
		payments[i] = web.Payment(row)
	}
	return payments, err
}

// MatchRefunds implements [web.Refunds].
func (f forPages) MatchRefunds(ctx context.Context, payments []web.Payment) ([]web.PaymentMatch, error) {
	rows := make([]central.RefundRow, len(payments))
	for i, payment := range payments {
		rows[i] = central.RefundRow(payment)
	}
	matches, err := f.Store.MatchRefunds(ctx, rows)
	return paymentMatches(matches), err
}

// BookRefunds implements [web.Refunds].
func (f forPages) BookRefunds(ctx context.Context, matches []web.PaymentMatch, by refund.Actor, at time.Time) ([]web.PaymentMatch, error) {
	own := make([]central.RefundMatch, len(matches))
	for i, m := range matches {
		own[i] = central.RefundMatch{
			RefundRow: central.RefundRow(m.Payment), State: central.MatchState(m.State), Case: m.Case, Item: m.Item, Waits: m.Waits,
			Short: m.Short, Problem: m.Problem,
		}
	}
	booked, err := f.Store.BookRefunds(ctx, own, by, at)
	return paymentMatches(booked), err
}

func paymentMatches(matches []central.RefundMatch) []web.PaymentMatch {
	all := make([]web.PaymentMatch, len(matches))
	for i, m := range matches {
		all[i] = web.PaymentMatch{
			Payment: web.Payment(m.RefundRow), State: web.MatchState(m.State), Case: m.Case, Item: m.Item, Waits: m.Waits, Short: m.Short,
			Problem: m.Problem,
		}
	}
	return all
}
