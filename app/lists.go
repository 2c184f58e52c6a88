package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// everything is more rows than a station has.
const everything = 1 << 20

func listItems(ctx context.Context, call *command.Call, s *station) error {
	items, err := s.store.Items(ctx)
	if len(call.Args) > 0 {
		items, err = s.store.FindItems(ctx, call.Args[0])
	}
	if err != nil {
		return err
	}
	if len(items) == 0 && len(call.Args) > 0 {
		return command.Fail("error.unknown_item", nil, "item", call.Args[0])
	}
	lang := call.Words.Language()
	titles := []string{"cli.title.item", "cli.title.title", "cli.title.variant", "cli.title.quantity", "cli.title.waybill", "cli.title.window"}
	return call.List(boxed(items), titles, func(row any) []string {
		item := row.(qc.Item)
		return []string{
			string(item.ID), item.Title.In(lang), item.Variant.In(lang),
			strconv.Itoa(item.Quantity), string(item.Waybill), when(item.WindowEndsAt()),
		}
	}, "cli.no_items")
}

func listQueue(ctx context.Context, call *command.Call, s *station) error {
	recorded, err := s.store.Recorded(ctx, everything)
	if err != nil {
		return err
	}
	titles := []string{"cli.title.recorded", "cli.title.kind", "cli.title.item", "cli.title.delivery", "cli.title.photos"}
	return call.List(boxed(recorded), titles, func(row any) []string {
		r := row.(qc.Recorded)
		return []string{
			when(r.At), call.Words.Text("recorded." + string(r.Kind)), string(r.Item),
			delivery(call, r), fmt.Sprintf("%d/%d", r.PhotosSent, r.Photos),
		}
	}, "cli.nothing_recorded")
}

// delivery says how far r has travelled.
func delivery(call *command.Call, r qc.Recorded) string {
	switch r.Delivery {
	case qc.Sending:
		return call.Words.Text("delivery.sending", "n", strconv.Itoa(r.PhotosSent), "m", strconv.Itoa(r.Photos))
	case qc.Accepted:
		return call.Words.Text("delivery.accepted", "time", r.AcceptedAt.Local().Format("15:04"))
	case qc.Attention:
		return call.Words.Text("delivery.attention") + ": " + call.Words.Text(r.Problem, "item", string(r.Item), "order", orderOf(r))
	}
	return call.Words.Text("delivery.here")
}

// orderOf returns the order that r is about, as far as r says.
func orderOf(r qc.Recorded) string {
	if r.Finding == nil {
		return ""
	}
	return string(r.Finding.Order)
}

func listCases(ctx context.Context, call *command.Call, s *station) error {
	cases, err := s.store.Cases(ctx)
	if err != nil {
		return err
	}
	titles := []string{"cli.title.case", "cli.title.item", "cli.title.status", "cli.title.task", "cli.title.window", "cli.title.credited"}
	return call.List(boxed(cases), titles, func(row any) []string {
		c := row.(refund.Case)
		task := ""
		if kind := c.Task().Kind; kind != qc.TaskNothing {
			task = call.Words.Text("task." + string(kind))
		}
		return []string{
			string(c.ID), string(c.Item), call.Words.Text("status.desk." + string(c.Status)), task,
			when(c.WindowEndsAt), c.Credited.String(),
		}
	}, "cli.no_cases")
}

func boxed[T any](list []T) []any {
	rows := make([]any, len(list))
	for i := range list {
		rows[i] = list[i]
	}
	return rows
}

func when(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Local().Format("2006-01-02 15:04")
}
