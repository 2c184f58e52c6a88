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

// Inspection is the item on the bench: its card, the photos, flaws and marks
// so far, and the way to a verdict. Every step is saved as a draft at once.
type Inspection struct {
	OnChange func()
	// OnRecorded is told of each finding that has become durable.
	OnRecorded func(qc.Finding)

	parts    Parts
	notices  *Notices
	pictures *Pictures
	person   qc.Staff

	asked   int // generation: answers to earlier look-ups are dropped
	loading bool
	choices []qc.Item

	item    qc.Item
	draft   qc.Draft
	station qc.StationID
	earlier []qc.Flaw
	before  qc.Finding // of the round before, or none
	origin  Sentence

	past, future []qc.Finding
	lastStep     string // the kind of the last step, so that typing is one step

	photo qc.PhotoID
	flaw  qc.FlawID
	marks []qc.MarkID // selected, the last one last
	ask   qc.MarkID   // a mark just drawn whose flaw is not known yet

	arriving  int   // photos that are being read
	came      int   // photos that have been, since there was none
	early     early // of the one being read
	recording bool
}

// opening is what an item is opened with.
type opening struct {
	item    qc.Item
	draft   qc.Draft
	station qc.StationID
	earlier []qc.Flaw
	before  qc.Finding
	origin  Sentence
}

// Scan opens the item that the text names: an item, order or waybill number.
// Several hits are offered in Choices.
func (i *Inspection) Scan(text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	i.start()
	asked := i.asked
	i.parts.Work.Do(LaneRead, func(ctx context.Context) func() {
		items, err := i.parts.Store.FindItems(ctx, text)
		return func() {
			if asked != i.asked {
				return
			}
			i.loading = false
			switch {
			case err != nil && !errors.Is(err, qc.ErrNotFound):
				i.notices.fail("find item", err)
			case len(items) == 0:
				i.notices.Warn(Say("error.unknown_item", "item", text))
			case len(items) == 1:
				i.Open(items[0].ID)
				return
			default:
				i.choices = items
			}
			i.changed()
		}
	})
}

// Open opens an item: with its draft when there is one, else with what a lead
// sent back, else as the replacement under re-inspection, else with what was
// recorded here before, else new.
func (i *Inspection) Open(id qc.ItemID) {
	i.start()
	asked := i.asked
	// Behind the saves, so that a draft written a moment ago is seen.
	i.parts.Work.Do(LaneSave, func(ctx context.Context) func() {
		o, err := i.prepare(ctx, id)
		if err == nil {
			o.before, err = i.roundBefore(ctx, o.draft.Finding)
		}
		return func() {
			if asked != i.asked {
				return
			}
			i.loading = false
			switch {
			case errors.Is(err, qc.ErrNotFound):
				i.notices.Warn(Say("error.unknown_item", "item", string(id)))
			case err != nil:
				i.notices.fail("open item", err)
			default:
				i.take(o)
			}
			i.changed()
		}
	})
}

// Restore opens the newest draft, so that a restart goes on where it stopped.
func (i *Inspection) Restore() {
	if _, ok := i.Item(); ok || i.loading {
		return
	}
	asked := i.asked
	i.parts.Work.Do(LaneRead, func(ctx context.Context) func() {
		drafts, err := i.parts.Store.Drafts(ctx)
		return func() {
			if err != nil {
				i.notices.fail("read drafts", err)
				return
			}
			if asked != i.asked || len(drafts) == 0 {
				return
			}
			newest := slices.MaxFunc(drafts, func(a, b qc.Draft) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
			i.Open(newest.Finding.Item)
		}
	})
}

// Close puts the item aside; its draft stays.
func (i *Inspection) Close() {
	i.asked++
	i.clear()
	i.changed()
}

func (i *Inspection) start() {
	i.asked++
	i.loading, i.choices = true, nil
	i.notices.Clear()
	i.changed()
}

func (i *Inspection) clear() {
	i.loading, i.choices, i.recording = false, nil, false
	i.item, i.draft, i.earlier, i.origin = qc.Item{}, qc.Draft{}, nil, Sentence{}
	i.past, i.future, i.lastStep = nil, nil, ""
	i.photo, i.flaw, i.marks, i.ask = "", "", nil, ""
	i.arriving, i.came, i.early, i.before = 0, 0, early{}, qc.Finding{}
}

func (i *Inspection) take(o opening) {
	i.clear()
	i.item, i.draft, i.station, i.earlier, i.before, i.origin = o.item, o.draft, o.station, o.earlier, o.before, o.origin
	i.past, i.future = i.draft.History.Unfold(i.draft.Finding)
	i.draft.History = qc.History{}
	i.repairSelection()
}

func (i *Inspection) prepare(ctx context.Context, id qc.ItemID) (opening, error) {
	var o opening
	item, err := i.parts.Store.Item(ctx, id)
	if err != nil {
		return o, err
	}
	o.item = item
	if identity, ok, err := i.parts.Store.Identity(ctx); err != nil {
		return o, err
	} else if ok {
		o.station = identity.Station
	}
	cases, err := i.parts.Store.Cases(ctx)
	if err != nil {
		return o, err
	}
	standings, err := i.parts.Store.Standings(ctx)
	if err != nil {
		return o, err
	}
	waiting, waits := caseInWait(cases, id)
	recheck := waits && waiting.Status == refund.Rechecking
	if recheck {
		o.earlier = flawsBefore(standings, waiting)
		o.origin = Say("station.origin.recheck", "n", waiting.Round)
	}
	draft, err := i.parts.Store.Draft(ctx, id)
	if err == nil {
		o.draft = draft
		return o, nil
	}
	if !errors.Is(err, qc.ErrNotFound) {
		return o, err
	}
	o.draft.Finding = qc.Finding{
		ID: qc.FindingID(i.parts.NewID()), Revision: 1, Item: item.ID, Order: item.Order, Round: max(1, item.Round),
	}
	if waits {
		o.draft.Finding.Round, o.draft.Finding.Case = waiting.Round, waiting.ID
	}
	if recheck {
		o.draft.Sequel = waiting.ID
		return o, nil
	}
	if standing, ok := sentBack(standings, id); ok {
		o.draft.Finding = again(standing.Finding)
		o.origin = Say("station.origin.sent_back", "reason", standing.Review.Reason)
		return o, nil
	}
	recorded, err := i.parts.Store.Recorded(ctx, 500)
	if err != nil {
		return o, err
	}
	for _, r := range recorded { // newest first
		if r.Finding != nil && r.Item == id && r.Finding.Round >= o.draft.Finding.Round {
			o.draft.Finding = again(*r.Finding)
			o.origin = Say("station.origin.recorded", "verdict", Say("verdict."+string(r.Finding.Verdict)), "time", clockText(r.At, i.parts.Now()))
			return o, nil
		}
	}
	return o, nil
}

// again is a finding opened for its next revision.
func again(f qc.Finding) qc.Finding {
	f.Revision++
	f.Verdict, f.RecordedAt = "", time.Time{}
	return f
}

// sentBack returns the newest standing of the item if a lead sent exactly that
// revision back.
func sentBack(standings []qc.Standing, id qc.ItemID) (qc.Standing, bool) {
	for _, s := range standings { // newest first
		if s.Finding.Item == id {
			return s, isSentBack(s)
		}
	}
	return qc.Standing{}, false
}

func isSentBack(s qc.Standing) bool {
	return s.Review != nil && s.Review.Outcome == qc.SentBack && s.Review.Revision == s.Finding.Revision
}

// caseInWait returns the case of the item that an inspection is made for: that
// of a replacement to be rechecked, else that of a customer who asked for more
// photos; of several, as after a split, the one that has waited longest.
func caseInWait(cases []refund.Case, id qc.ItemID) (refund.Case, bool) {
	for _, status := range []refund.Status{refund.Rechecking, refund.PhotosRequested} {
		var first refund.Case
		for _, c := range cases {
			if c.Item == id && c.Status == status && (first.ID == "" || c.ChangedAt.Before(first.ChangedAt)) {
				first = c
			}
		}
		if first.ID != "" {
			return first, true
		}
	}
	return refund.Case{}, false
}

// flawsBefore returns what was wrong with the pieces of the rounds before, the
// last round first: each kind of flaw once.
func flawsBefore(standings []qc.Standing, recheck refund.Case) []qc.Flaw {
	var rounds []qc.Finding
	for _, s := range standings {
		f := s.Finding
		dismissed := s.Review != nil && s.Review.Outcome == qc.Dismissed && s.Review.Revision == f.Revision
		if f.Item == recheck.Item && f.Verdict != qc.Pass && f.Round < recheck.Round && !dismissed {
			rounds = append(rounds, f)
		}
	}
	slices.SortStableFunc(rounds, func(a, b qc.Finding) int { return cmp.Compare(b.Round, a.Round) })
	var flaws []qc.Flaw
	for _, f := range rounds {
		for _, flaw := range f.Flaws {
			if !slices.ContainsFunc(flaws, func(known qc.Flaw) bool { return known.Code == flaw.Code && known.Zone == flaw.Zone }) {
				flaws = append(flaws, flaw)
			}
		}
	}
	return flaws
}

// Item returns the item on the bench, if any.
func (i *Inspection) Item() (qc.Item, bool) { return i.item, i.item.ID != "" }

// Loading reports whether an item is being looked up.
func (i *Inspection) Loading() bool { return i.loading }

// Choices returns the items of a scan that named several.
func (i *Inspection) Choices() []qc.Item { return i.choices }

// Finding returns the finding so far, without a verdict. It is not to be
// changed.
func (i *Inspection) Finding() qc.Finding { return i.draft.Finding }

// Earlier returns the flaws of the round before, to be looked at first.
func (i *Inspection) Earlier() []qc.Flaw { return i.earlier }

// Origin says why the item opened with something in it, or nothing.
func (i *Inspection) Origin() Sentence { return i.origin }

// Window returns the clock of the seller's return window.
func (i *Inspection) Window() Clock { return clockOf(i.item.WindowEndsAt(), i.parts.Now()) }

// Unsure reports whether the inspector asks for a second look.
func (i *Inspection) Unsure() bool { return i.draft.Finding.Unsure }

// SetUnsure asks for a second look, or not.
func (i *Inspection) SetUnsure(unsure bool) {
	if unsure != i.draft.Finding.Unsure {
		i.step("", func(f *qc.Finding) { f.Unsure = unsure })
	}
}

// step changes the finding, keeps the way back, and saves. Steps of the same
// non-empty kind in a row are undone together.
func (i *Inspection) step(kind string, change func(*qc.Finding)) {
	if i.item.ID == "" || i.recording {
		return
	}
	before := i.draft.Finding
	after := before
	after.Photos, after.Flaws, after.Marks = slices.Clone(before.Photos), slices.Clone(before.Flaws), slices.Clone(before.Marks)
	change(&after)
	if kind == "" || kind != i.lastStep {
		i.past = append(i.past, before)
		i.past = i.past[max(0, len(i.past)-qc.MaxSteps):]
	}
	i.future, i.lastStep = nil, kind
	i.draft.Finding = after
	i.save()
}

// Undo takes the last step back; it reports whether there was one.
func (i *Inspection) Undo() bool { return i.travel(&i.past, &i.future) }

// Redo makes the last step taken back again.
func (i *Inspection) Redo() bool { return i.travel(&i.future, &i.past) }

// CanUndo and CanRedo report whether there is a step to take.
func (i *Inspection) CanUndo() bool { return len(i.past) > 0 }

// CanRedo reports whether a step was taken back.
func (i *Inspection) CanRedo() bool { return len(i.future) > 0 }

func (i *Inspection) travel(from, to *[]qc.Finding) bool {
	if len(*from) == 0 || i.recording {
		return false
	}
	last := len(*from) - 1
	*to = append(*to, i.draft.Finding)
	i.draft.Finding = (*from)[last]
	*from = (*from)[:last]
	i.lastStep = ""
	i.save()
	return true
}

// save repairs the selection, queues the draft and tells the screen.
func (i *Inspection) save() {
	i.repairSelection()
	i.draft.UpdatedAt = i.parts.Now()
	draft, past, future := i.draft, slices.Clone(i.past), slices.Clone(i.future)
	i.parts.Work.Do(LaneSave, func(ctx context.Context) func() {
		draft.History = qc.FoldHistory(past, future)
		if err := i.parts.Store.SaveDraft(ctx, draft); err != nil {
			return func() { i.notices.fail("save draft", err) }
		}
		return nil
	})
	i.changed()
}

func (i *Inspection) repairSelection() {
	f := i.draft.Finding
	if _, ok := f.Photo(i.photo); !ok {
		i.photo = ""
		if len(f.Photos) > 0 {
			i.photo = f.Photos[0].ID
		}
	}
	if f.Number(i.flaw) == 0 {
		i.flaw = ""
	}
	i.marks = slices.DeleteFunc(slices.Clone(i.marks), func(id qc.MarkID) bool { return !i.hasMark(id) })
	if !i.hasMark(i.ask) {
		i.ask = ""
	}
}

func (i *Inspection) hasMark(id qc.MarkID) bool {
	return slices.ContainsFunc(i.draft.Finding.Marks, func(m qc.Mark) bool { return m.ID == id })
}

func (i *Inspection) changed() {
	if i.OnChange != nil {
		i.OnChange()
	}
}
