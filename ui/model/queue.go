package model

import (
	"context"

	"flawmark/app/qc"
)

// QueueRow is something said at this station.
type QueueRow struct {
	Recorded qc.Recorded
	What     Sentence // "Flagged 20481-2"
	Delivery Sentence // how far it has travelled
	Problem  Sentence // why the centre refused it, or nothing
	At       string
}

// Queue is what was recorded here, newest first.
type Queue struct {
	OnChange func()

	parts   Parts
	notices *Notices
	rows    []QueueRow
	loaded  bool
	waiting int
}

// queueLength is how much of the past the screen shows.
const queueLength = 200

// Refresh reads the list again.
func (q *Queue) Refresh() {
	q.parts.Work.Do(LaneRead, func(ctx context.Context) func() {
		recorded, err := q.parts.Store.Recorded(ctx, queueLength)
		return func() {
			if err != nil {
				q.notices.fail("read queue", err)
				return
			}
			q.rows, q.waiting, q.loaded = make([]QueueRow, 0, len(recorded)), 0, true
			for _, r := range recorded {
				if r.Delivery != qc.Accepted {
					q.waiting++
				}
				q.rows = append(q.rows, q.row(r))
			}
			if q.OnChange != nil {
				q.OnChange()
			}
		}
	})
}

func (q *Queue) row(r qc.Recorded) QueueRow {
	now := q.parts.Now()
	row := QueueRow{Recorded: r, At: clockText(r.At, now)}
	switch {
	case r.Finding != nil:
		row.What = Say("station.queue."+string(r.Finding.Verdict), "item", string(r.Item))
	case r.Kind == qc.ReviewGiven:
		row.What = Say("station.queue.review", "item", string(r.Item))
	case r.Kind == qc.ReturnDispatched:
		row.What = Say("station.queue.dispatch", "item", string(r.Item))
	case r.Kind == qc.ReplacementArrived:
		row.What = Say("station.queue.arrival", "item", string(r.Item))
	default:
		row.What = Say("station.queue.other", "kind", string(r.Kind))
	}
	switch r.Delivery {
	case qc.Accepted:
		row.Delivery = Say("delivery.accepted", "time", clockText(r.AcceptedAt, now))
	case qc.Sending:
		row.Delivery = Say("delivery.sending", "n", r.PhotosSent, "m", r.Photos)
	case qc.Attention:
		row.Delivery = Say("delivery.attention")
		row.Problem = Say("station.queue.refused")
		if r.Problem != "" {
			order := ""
			if r.Finding != nil {
				order = string(r.Finding.Order)
			}
			row.Problem = Say(r.Problem, "item", string(r.Item), "order", order)
		}
	default:
		row.Delivery = Say("delivery.here")
	}
	return row
}

// Rows returns the list.
func (q *Queue) Rows() []QueueRow { return q.rows }

// Loaded reports whether the list has been read.
func (q *Queue) Loaded() bool { return q.loaded }

// Waiting returns how many rows are not wholly at the centre.
func (q *Queue) Waiting() int { return q.waiting }

// SendNow asks the engine to try at once.
func (q *Queue) SendNow() { q.parts.Engine.Kick() }
