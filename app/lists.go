package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"

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
			strconv.Itoa(item.Quantity), string(item.Waybill), command.When(item.WindowEndsAt()),
		}
	}, "cli.no_items")
}

func queueFlags(set *flag.FlagSet) {
	set.Bool("photos", false, "show every photo file that waits, too")
}

func listQueue(ctx context.Context, call *command.Call, s *station) error {
	recorded, err := s.store.Recorded(ctx, everything)
	if err != nil {
		return err
	}
	if call.Flag("photos") == "true" {
		return s.listPhotos(ctx, call, recorded)
	}
	titles := []string{"cli.title.recorded", "cli.title.kind", "cli.title.item", "cli.title.delivery", "cli.title.photos"}
	return call.List(boxed(recorded), titles, func(row any) []string {
		r := row.(qc.Recorded)
		return []string{
			command.When(r.At), call.Words.Text("recorded." + string(r.Kind)), string(r.Item),
			delivery(call, r), fmt.Sprintf("%d/%d", r.PhotosSent, r.Photos),
		}
	}, "cli.nothing_recorded")
}

// photoRow is one photo of one finding, as --json prints it.
type photoRow struct {
	Item    qc.ItemID    `json:"item"`
	Finding qc.FindingID `json:"finding"`
	Photo   qc.PhotoID   `json:"photo"`
	Name    string       `json:"name"`
	Digest  qc.Digest    `json:"sha256"`
	Bytes   int64        `json:"size"`
	Sent    int64        `json:"sent"` // bytes at the centre
	State   qc.Delivery  `json:"state"`
	Problem string       `json:"problem,omitempty"` // key of the sentence
}

// listPhotos tells of every original how far it is. That a file is damaged is
// found out here, by reading those that wait.
func (s *station) listPhotos(ctx context.Context, call *command.Call, recorded []qc.Recorded) error {
	waiting := make(map[qc.Digest]qc.Shipment)
	shipments, err := s.store.PendingShipments(ctx, everything)
	if err != nil {
		return err
	}
	for _, shipment := range shipments {
		waiting[shipment.Digest] = shipment
	}
	var rows []photoRow
	for _, r := range recorded {
		if r.Finding == nil {
			continue
		}
		for _, p := range r.Finding.Photos {
			row := photoRow{
				Item: r.Item, Finding: r.Finding.ID, Photo: p.ID, Name: p.Name, Digest: p.Digest, Bytes: p.Bytes,
				Sent: p.Bytes, State: qc.Accepted,
			}
			if shipment, waits := waiting[p.Digest]; waits {
				row.Sent, row.State = shipment.Offset, qc.OnlyHere
				if row.Sent > 0 {
					row.State = qc.Sending
				}
				if size, here, err := s.blobs.Has(p.Digest); err != nil {
					return err
				} else if !here || size != p.Bytes {
					row.State, row.Problem = qc.Attention, "error.blob_damaged"
				} else if err := s.verify(ctx, p.Digest); errors.Is(err, qc.ErrDigest) {
					row.State, row.Problem = qc.Attention, "error.blob_damaged"
				} else if ctx.Err() != nil {
					return ctx.Err()
				}
			}
			rows = append(rows, row)
		}
	}
	titles := []string{"cli.title.item", "cli.title.photo", "cli.title.size", "cli.title.delivery"}
	return call.List(boxed(rows), titles, func(row any) []string {
		p := row.(photoRow)
		text := call.Words.Text("delivery.photo."+string(p.State), "percent", strconv.FormatInt(100*p.Sent/max(p.Bytes, 1), 10))
		if p.Problem != "" {
			text += ": " + call.Words.Text(p.Problem)
		}
		return []string{string(p.Item), printable(p.Name), megabytes(p.Bytes), text}
	}, "cli.nothing_recorded")
}

func megabytes(n int64) string { return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB" }

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
			string(c.ID), string(c.Item), call.Words.Text("status.desk." + c.Standing()), task,
			command.When(c.WindowEndsAt), c.Credited.String(),
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
