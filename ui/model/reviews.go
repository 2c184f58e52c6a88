package model

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ReviewRow is a flag that nobody has reviewed.
type ReviewRow struct {
	Standing qc.Standing
	Window   Clock
	Flaws    []FlawRow
	// Hurdle says why the person may not review it, or nothing.
	Hurdle Sentence
	// Decided: the customer has chosen already. The look is still recorded,
	// but the flag can no longer be taken back from here.
	Decided bool
	// State is "waiting for you", "the customer already sees it", or how far
	// the case has come since.
	State Sentence
}

// Reviews are the flags to look at: those that wait for a lead first, by the
// seller's window, then those that the customer already sees.
type Reviews struct {
	OnChange func()

	parts   Parts
	notices *Notices
	person  qc.Staff

	standings []qc.Standing
	cases     []refund.Case
	loaded    bool
	given     map[qc.FindingID]int // revision reviewed here, until the centre says so
	selected  qc.FindingID
	photo     int
}

// Refresh reads the standings again.
func (r *Reviews) Refresh() {
	r.parts.Work.Do(LaneRead, func(ctx context.Context) func() {
		standings, err := r.parts.Store.Standings(ctx)
		var cases []refund.Case
		if err == nil {
			cases, err = r.parts.Store.Cases(ctx)
		}
		return func() {
			if err != nil {
				r.notices.fail("read reviews", err)
				return
			}
			r.standings, r.cases, r.loaded = standings, cases, true
			r.changed()
		}
	})
}

// Loaded reports whether the standings have been read.
func (r *Reviews) Loaded() bool { return r.loaded }

// Allowed reports whether the person may review at all.
func (r *Reviews) Allowed() bool { return r.person.MayReview() }

// Waiting returns how many flags wait for a lead before the customer is told.
func (r *Reviews) Waiting() int {
	n := 0
	for _, s := range r.open() {
		if s.Waits {
			n++
		}
	}
	return n
}

// caseOf returns the case that a flag stands for. After a split several stand
// on it; a look matters as long as it does to one of them.
func (r *Reviews) caseOf(s qc.Standing) (refund.Case, bool) {
	mine := slices.DeleteFunc(slices.Clone(r.cases), func(c refund.Case) bool { return c.ID != s.Case && c.Finding != s.Finding.ID })
	if len(mine) == 0 {
		return refund.Case{}, false
	}
	return slices.MinFunc(mine, func(a, b refund.Case) int { return cmp.Compare(settled(a), settled(b)) }), true
}

// settled grows with how little a look at its flag means to a case.
func settled(c refund.Case) int {
	switch {
	case c.Status == refund.Flagged || c.Status == refund.AwaitingDecision:
		return 0
	case c.Status.Terminal():
		return 2
	}
	return 1
}

func (r *Reviews) open() []qc.Standing {
	var open []qc.Standing
	for _, s := range r.standings {
		reviewed := s.Review != nil && s.Review.Revision >= s.Finding.Revision
		if one, known := r.caseOf(s); known && one.Status.Terminal() {
			continue // nothing can follow from a look any more
		}
		if s.Finding.Verdict == qc.Flag && !reviewed && r.given[s.Finding.ID] < s.Finding.Revision {
			open = append(open, s)
		}
	}
	slices.SortStableFunc(open, func(a, b qc.Standing) int {
		if a.Waits != b.Waits {
			if a.Waits {
				return -1
			}
			return 1
		}
		return cmp.Or(a.Item.WindowEndsAt().Compare(b.Item.WindowEndsAt()), cmp.Compare(a.Finding.ID, b.Finding.ID))
	})
	return open
}

// Rows returns the flags in the order in which they should be looked at.
func (r *Reviews) Rows() []ReviewRow {
	now := r.parts.Now()
	var rows []ReviewRow
	for _, s := range r.open() {
		row := ReviewRow{Standing: s, Window: clockOf(s.Item.WindowEndsAt(), now), State: Say("station.review.seen")}
		one, known := r.caseOf(s)
		switch {
		case s.Waits:
			row.State = Say("station.review.waits")
		case known && one.Status != refund.Flagged && one.Status != refund.AwaitingDecision:
			row.Decided, row.State = true, Say("status.desk."+one.Standing())
		}
		if s.Finding.Inspector == r.person.ID {
			row.Hurdle = Say("error.own_finding")
		}
		for n, flaw := range s.Finding.Flaws {
			name := qc.Bilingual{EN: string(flaw.Code), ZH: string(flaw.Code)}
			if kind, ok := r.parts.Catalogue.Flaw(flaw.Code); ok {
				name = kind.Name()
			}
			row.Flaws = append(row.Flaws, FlawRow{Flaw: flaw, Number: n + 1, Name: name})
		}
		rows = append(rows, row)
	}
	return rows
}

// Selected returns the row in view and its place, or false when there is none.
func (r *Reviews) Selected() (ReviewRow, int, bool) {
	rows := r.Rows()
	if len(rows) == 0 {
		return ReviewRow{}, -1, false
	}
	at := max(0, slices.IndexFunc(rows, func(row ReviewRow) bool { return row.Standing.Finding.ID == r.selected }))
	r.selected = rows[at].Standing.Finding.ID
	return rows[at], at, true
}

// Move brings the row by places after the one in view, stopping at the ends.
func (r *Reviews) Move(by int) {
	_, at, ok := r.Selected()
	if ok {
		r.Select(at + by)
	}
}

// Select brings the row at a place into view.
func (r *Reviews) Select(at int) {
	rows := r.Rows()
	if len(rows) == 0 {
		return
	}
	id := rows[max(0, min(at, len(rows)-1))].Standing.Finding.ID
	if id != r.selected {
		r.selected, r.photo = id, 0
		r.changed()
	}
}

// Photo returns the photo in view with its marks.
func (r *Reviews) Photo() (qc.Photo, []MarkView, bool) {
	row, _, ok := r.Selected()
	if !ok || len(row.Standing.Finding.Photos) == 0 {
		return qc.Photo{}, nil, false
	}
	f := row.Standing.Finding
	p := f.Photos[min(r.photo, len(f.Photos)-1)]
	return p, marksOn(f, p.ID), true
}

// Nearby returns the photos beside the one in view.
func (r *Reviews) Nearby() []qc.Photo {
	row, _, ok := r.Selected()
	p, _, has := r.Photo()
	if !ok || !has {
		return nil
	}
	return beside(row.Standing.Finding.Photos, p.ID)
}

// ShowPhoto brings the photo at a place into view.
func (r *Reviews) ShowPhoto(at int) {
	row, _, ok := r.Selected()
	if n := len(row.Standing.Finding.Photos); ok && n > 0 {
		r.photo = (at%n + n) % n
		r.changed()
	}
}

// NextPhoto turns to the photo by places further.
func (r *Reviews) NextPhoto(by int) { r.ShowPhoto(r.photo + by) }

// Confirm says that the flag in view is right.
func (r *Reviews) Confirm() { r.give(qc.Confirmed, "") }

// SendBack returns the finding to its inspector with what is missing.
func (r *Reviews) SendBack(reason string) { r.give(qc.SentBack, reason) }

// Dismiss says that there is no defect, and why.
func (r *Reviews) Dismiss(reason string) { r.give(qc.Dismissed, reason) }

func (r *Reviews) give(outcome qc.Outcome, reason string) {
	row, _, ok := r.Selected()
	reason = strings.TrimSpace(reason)
	switch {
	case !ok:
		return
	case !r.person.MayReview():
		r.notices.Warn(Say("error.not_allowed"))
		return
	case !row.Hurdle.IsZero():
		r.notices.Warn(row.Hurdle)
		return
	case outcome != qc.Confirmed && row.Decided:
		r.notices.Warn(Say("station.review.decided"))
		return
	case outcome != qc.Confirmed && reason == "":
		r.notices.Warn(Say("station.review.reason_needed"))
		return
	}
	f := row.Standing.Finding
	at := r.parts.Now()
	review := qc.Review{Finding: f.ID, Revision: f.Revision, Outcome: outcome, Reason: reason, By: r.person.ID, At: at}
	r.given[f.ID] = f.Revision
	r.selected = r.neighbour(row)
	r.photo = 0
	r.changed()
	r.parts.Work.Do(LaneSave, func(ctx context.Context) func() {
		_, err := r.parts.Store.Record(ctx, qc.ReviewGiven, review.By, at, review)
		return func() {
			if err != nil {
				delete(r.given, f.ID)
				r.notices.fail("record review", err)
				r.changed()
				return
			}
			r.notices.Tell(Say("station.reviewed."+string(outcome), "item", string(f.Item)))
			r.parts.Engine.Kick()
		}
	})
}

// neighbour is what comes into view when row has left the list.
func (r *Reviews) neighbour(row ReviewRow) qc.FindingID {
	// row is out of the list already, so the next one has taken its place.
	for _, s := range r.open() {
		if s.Waits == row.Standing.Waits && !s.Item.WindowEndsAt().Before(row.Standing.Item.WindowEndsAt()) {
			return s.Finding.ID
		}
	}
	return ""
}

func (r *Reviews) changed() {
	if r.OnChange != nil {
		r.OnChange()
	}
}
