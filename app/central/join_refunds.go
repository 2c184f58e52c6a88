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
	if broken, ok := errors.AsType[*central.RefundFileError](err); ok {
		return nil, &web.BrokenFile{Problem: string(broken.Problem), Line: broken.Line, Column: broken.Column, Names: broken.Names, Like: broken.Like}
	}
	payments := make([]web.Payment, len(rows))
	for i, row := range rows {
		payments[i] = payment(row)
	}
	return payments, err
}

// MatchRefunds implements [web.Refunds].
func (f forPages) MatchRefunds(ctx context.Context, payments []web.Payment) ([]web.PaymentMatch, error) {
	rows := make([]central.RefundRow, len(payments))
	for i, payment := range payments {
		rows[i] = refundRow(payment)
	}
	matches, err := f.Store.MatchRefunds(ctx, rows)
	return paymentMatches(matches), err
}

// BookRefunds implements [web.Refunds].
func (f forPages) BookRefunds(ctx context.Context, matches []web.PaymentMatch, by refund.Actor, at time.Time) ([]web.PaymentMatch, error) {
	own := make([]central.RefundMatch, len(matches))
	for i, m := range matches {
		own[i] = central.RefundMatch{
			RefundRow: refundRow(m.Payment), State: central.MatchState(m.State), Case: m.Case, Item: m.Item, Waits: m.Waits,
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
			Payment: payment(m.RefundRow), State: web.MatchState(m.State), Case: m.Case, Item: m.Item, Waits: m.Waits, Short: m.Short,
			Problem: m.Problem,
		}
	}
	return all
}

func payment(row central.RefundRow) web.Payment {
	return web.Payment{
		Line: row.Line, Ref: row.Ref, Order: row.Order, Seller: row.Seller, Amount: row.Amount, Date: row.Date, Note: row.Note,
		Total: row.Total, Broken: row.Broken, Heading: row.Heading, Said: row.Said, Fault: string(row.Fault),
	}
}

func refundRow(p web.Payment) central.RefundRow {
	return central.RefundRow{
		Line: p.Line, Ref: p.Ref, Order: p.Order, Seller: p.Seller, Amount: p.Amount, Date: p.Date, Note: p.Note,
		Total: p.Total, Broken: p.Broken, Heading: p.Heading, Said: p.Said, Fault: central.RefundFault(p.Fault),
	}
}
