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

// queueLength is how much of the past the screen shows: more than a bench does
// in a day.
const queueLength = 1000

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

// SendNow asks the engine to try everything at once, also what was left alone.
func (q *Queue) SendNow() { q.parts.Engine.Retry() }

// Paused reports whether photos are held back.
func (q *Queue) Paused() bool { return q.parts.Engine.Link().Paused }

// Pause holds photos back, or lets them go again.
func (q *Queue) Pause(hold bool) {
	if hold {
		q.parts.Engine.Pause()
	} else {
		q.parts.Engine.Resume()
	}
	if q.OnChange != nil {
		q.OnChange()
	}
}

// Again returns the item to inspect again for what the centre refused, which
// is how a person puts it right: what is recorded then takes its place.
func (r QueueRow) Again() (qc.ItemID, bool) {
	return r.Recorded.Item, r.Recorded.Delivery == qc.Attention && r.Recorded.Finding != nil
}

// Shift is what was done here since midnight.
type Shift struct {
	Passed, Flagged, Others int // findings, and everything else
	Photos                  int
	Waiting, Attention      int // of these, not yet wholly at the centre
}

// Shift sums up the day, of one person or, for "", of all.
func (q *Queue) Shift(by qc.StaffID) Shift {
	var s Shift
	now := q.parts.Now().Local()
	year, month, day := now.Date()
	for _, row := range q.rows {
		r := row.Recorded
		if y, m, d := r.At.In(now.Location()).Date(); y != year || m != month || d != day || by != "" && r.By != by {
			continue
		}
		switch {
		case r.Finding == nil:
			s.Others++
		case r.Finding.Verdict == qc.Flag:
			s.Flagged++
		default:
			s.Passed++
		}
		s.Photos += r.Photos
		switch r.Delivery {
		case qc.Attention:
			s.Attention++
		case qc.OnlyHere, qc.Sending:
			s.Waiting++
		case qc.Accepted:
		}
	}
	return s
}

// Sentence says the sum.
func (s Shift) Sentence() Sentence {
	if s == (Shift{}) {
		return Sentence{}
	}
	state := Say("station.shift.all_sent")
	switch {
	case s.Attention > 0:
		state = Say("station.shift.attention", "n", s.Attention)
	case s.Waiting > 0:
		state = Say("station.shift.waiting", "n", s.Waiting)
	}
	return Say("station.shift", "inspected", s.Passed+s.Flagged, "passed", s.Passed, "flagged", s.Flagged,
		"photos", s.Photos, "state", state)
}
