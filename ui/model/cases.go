package model

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Step is what Enter does to a case at the bench.
type Step string

// The steps.
const (
	StepNone     Step = ""
	StepDispatch Step = "dispatch" // needs carrier and waybill
	StepArrival  Step = "arrival"  // needs the replacement's waybill
	StepInspect  Step = "inspect"  // opens the inspection
)

// CaseRow is a flagged item and what to do with it.
type CaseRow struct {
	Case   refund.Case
	Title  qc.Bilingual
	Pieces Sentence // how many of the item's pieces; nothing: all
	Status Sentence
	Task   qc.Task
	Do     Sentence // what to do with the item now
	Step   Step
	Due    Clock
	Sent   bool // done here; the centre has not answered yet
}

// Cases are the flagged items, those with something to do first.
type Cases struct {
	OnChange func()

	parts   Parts
	notices *Notices
	person  qc.Staff

	rows     []CaseRow
	loaded   bool
	selected string
	done     map[qc.CaseID]int // the version acted on here
}

// releaseShown is how long an ended case stays on the list, so that the item
// is taken off the hold shelf.
const releaseShown = 72 * time.Hour

// Refresh reads cases and sent-back findings again.
func (c *Cases) Refresh() {
	c.parts.Work.Do(LaneRead, func(ctx context.Context) func() {
		cases, err := c.parts.Store.Cases(ctx)
		var standings []qc.Standing
		if err == nil {
			standings, err = c.parts.Store.Standings(ctx)
		}
		items := make(map[qc.ItemID]qc.Item)
		for _, s := range standings {
			items[s.Finding.Item] = s.Item
		}
		for _, one := range cases {
			if _, ok := items[one.Item]; err == nil && !ok {
				item, itemErr := c.parts.Store.Item(ctx, one.Item)
				if itemErr != nil && !errors.Is(itemErr, qc.ErrNotFound) {
					err = itemErr
				}
				items[one.Item] = item
			}
		}
		return func() {
			if err != nil {
				c.notices.fail("read cases", err)
				return
			}
			c.rows, c.loaded = c.build(cases, standings, items), true
			c.changed()
		}
	})
}

func (c *Cases) build(cases []refund.Case, standings []qc.Standing, items map[qc.ItemID]qc.Item) []CaseRow {
	now := c.parts.Now()
	sent := make(map[qc.FindingID]qc.Standing)
	for _, s := range standings {
		if isSentBack(s) {
			sent[s.Finding.ID] = s
		}
	}
	var rows []CaseRow
	for _, one := range cases {
		row := CaseRow{Case: one, Title: items[one.Item].Title, Status: Say("status.desk." + one.Standing()), Task: one.Task()}
		if whole := items[one.Item].Quantity; one.Pieces() > 0 && one.Quantity < whole {
			row.Pieces = Say("station.cases.pieces", "n", one.Quantity, "m", whole)
		}
		if s, ok := sent[one.Finding]; ok && (one.Status == refund.Flagged || one.Status == refund.AwaitingDecision) {
			row.Task.Kind, row.Task.Reason = qc.TaskRetake, s.Review.Reason
		}
		if one.Status.Terminal() && now.Sub(one.ChangedAt) > releaseShown {
			continue
		}
		row.Sent = c.done[one.ID] >= one.Version && c.done[one.ID] > 0
		switch row.Task.Kind {
		case qc.TaskSendBack:
			row.Step = StepDispatch
		case qc.TaskPutAside:
			row.Step = StepArrival
		case qc.TaskReinspect, qc.TaskRetake:
			row.Step = StepInspect
		case qc.TaskHold, qc.TaskRelease, qc.TaskNothing:
		}
		row.Do = Say("station.task."+taskWord(row.Task.Kind), "reason", row.Task.Reason)
		row.Due = clockOf(row.Task.DueAt, now)
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b CaseRow) int {
		return cmp.Or(cmp.Compare(taskRank(a), taskRank(b)), dueFirst(a.Task.DueAt, b.Task.DueAt), cmp.Compare(a.Case.ID, b.Case.ID))
	})
	return rows
}

func taskWord(kind qc.TaskKind) string {
	if kind == qc.TaskNothing {
		return "nothing"
	}
	return string(kind)
}

func taskRank(row CaseRow) int {
	if row.Sent {
		return 5
	}
	switch row.Task.Kind {
	case qc.TaskSendBack, qc.TaskReinspect, qc.TaskRetake:
		return 0
	case qc.TaskPutAside:
		return 1
	case qc.TaskRelease:
		return 2
	case qc.TaskHold:
		return 3
	case qc.TaskNothing:
	}
	return 4
}

// dueFirst puts what has no end last.
func dueFirst(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}

// Rows returns the list.
func (c *Cases) Rows() []CaseRow { return c.rows }

// Loaded reports whether the list has been read.
func (c *Cases) Loaded() bool { return c.loaded }

// Due returns how many rows need somebody at a bench now.
func (c *Cases) Due() int {
	n := 0
	for _, row := range c.rows {
		if taskRank(row) == 0 {
			n++
		}
	}
	return n
}

// Selected returns the row in view and its place, or false when there is none.
func (c *Cases) Selected() (CaseRow, int, bool) {
	if len(c.rows) == 0 {
		return CaseRow{}, -1, false
	}
	at := max(0, slices.IndexFunc(c.rows, func(row CaseRow) bool { return string(row.Case.ID) == c.selected }))
	c.selected = string(c.rows[at].Case.ID)
	return c.rows[at], at, true
}

// Select brings the row at a place into view.
func (c *Cases) Select(at int) {
	if len(c.rows) == 0 {
		return
	}
	id := string(c.rows[max(0, min(at, len(c.rows)-1))].Case.ID)
	if id != c.selected {
		c.selected = id
		c.changed()
	}
}

// Move brings the row by places further into view.
func (c *Cases) Move(by int) {
	if _, at, ok := c.Selected(); ok {
		c.Select(at + by)
	}
}

// Dispatch records that the item in view has left for the seller. It reports
// whether the entries were accepted.
func (c *Cases) Dispatch(carrier, waybill string) bool {
	row, ok := c.may(StepDispatch)
	if !ok {
		return false
	}
	number, err := qc.ParseWaybill(waybill)
	if err != nil {
		c.notices.Warn(Say("error.waybill_invalid"))
		return false
	}
	if carrier = strings.TrimSpace(carrier); carrier == "" {
		c.notices.Warn(Say("station.carrier_needed"))
		return false
	}
	at := c.parts.Now()
	c.record(row, qc.ReturnDispatched, "station.dispatched", at,
		qc.Dispatch{Case: row.Case.ID, Carrier: carrier, Waybill: number, By: c.person.ID, At: at})
	return true
}

// Arrived records that the replacement of the item in view is stocked in.
func (c *Cases) Arrived(waybill string) bool {
	row, ok := c.may(StepArrival)
	if !ok {
		return false
	}
	number, err := qc.ParseWaybill(waybill)
	if err != nil {
		c.notices.Warn(Say("error.waybill_invalid"))
		return false
	}
	at := c.parts.Now()
	c.record(row, qc.ReplacementArrived, "station.arrived", at,
		qc.Arrival{Case: row.Case.ID, Waybill: number, By: c.person.ID, At: at})
	return true
}

func (c *Cases) may(step Step) (CaseRow, bool) {
	row, _, ok := c.Selected()
	switch {
	case !ok:
		return row, false
	case row.Step != step || row.Sent:
		c.notices.Warn(Say("error.case_moved_on"))
		return row, false
	case !c.person.MayInspect():
		c.notices.Warn(Say("station.sign_in_first"))
		return row, false
	}
	return row, true
}

func (c *Cases) record(row CaseRow, kind qc.EventKind, said string, at time.Time, data any) {
	by := c.person.ID
	c.done[row.Case.ID] = row.Case.Version
	c.Refresh()
	c.parts.Work.Do(LaneSave, func(ctx context.Context) func() {
		_, err := c.parts.Store.Record(ctx, kind, by, at, data)
		return func() {
			if err != nil {
				delete(c.done, row.Case.ID)
				c.notices.fail("record "+string(kind), err)
				c.Refresh()
				return
			}
			c.notices.Tell(Say(said, "item", string(row.Case.Item)))
			c.parts.Engine.Kick()
		}
	})
}

func (c *Cases) changed() {
	if c.OnChange != nil {
		c.OnChange()
	}
}
