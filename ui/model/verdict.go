package model

import (
	"context"
	"slices"
	"strings"

	"flawmark/app/qc"
)

// Obstacle says what keeps the verdict from being given now, or nothing.
func (i *Inspection) Obstacle(verdict qc.Verdict) Sentence {
	switch {
	case i.item.ID == "":
		return Say("station.no_item")
	case i.person.ID == "" || !i.person.MayInspect():
		return Say("station.sign_in_first")
	case i.recording:
		return Say("station.recording")
	case i.arriving > 0:
		return Say("station.photos_arriving", "n", i.arriving)
	}
	f := concluded(i.draft.Finding)
	f.Verdict = verdict
	f.Photos = slices.Clone(f.Photos)
	for n, p := range f.Photos { // made when it is recorded
		f.Photos[n].Redactions = f.Redactions(p.ID)
	}
	if err := f.Check(i.item, i.parts.Catalogue); err != nil {
		return Say(errorKey(err))
	}
	if verdict == qc.Pass && slices.ContainsFunc(f.Marks, func(m qc.Mark) bool { return m.Flaw == "" && m.Tool.Shows() }) {
		return Say("station.mark_on_pass")
	}
	return Sentence{}
}

// Pass records that the item is good.
func (i *Inspection) Pass() { i.record(qc.Pass) }

// Flag records that the item is flawed.
func (i *Inspection) Flag() { i.record(qc.Flag) }

// concluded returns f without what was begun and left: a text without words.
func concluded(f qc.Finding) qc.Finding {
	f.Marks = slices.DeleteFunc(slices.Clone(f.Marks), func(m qc.Mark) bool {
		return m.Tool == qc.Text && strings.TrimSpace(m.Text) == ""
	})
	return f
}

// Recording reports whether a verdict is being written.
func (i *Inspection) Recording() bool { return i.recording }

func (i *Inspection) record(verdict qc.Verdict) {
	if obstacle := i.Obstacle(verdict); !obstacle.IsZero() {
		i.notices.Warn(obstacle)
		return
	}
	at := i.parts.Now()
	f := concluded(i.draft.Finding)
	f.Verdict, f.Inspector, f.Station, f.RecordedAt = verdict, i.person.ID, i.station, at
	i.recording = true
	i.changed()
	// In the lane of the drafts: a draft saved after its record would come back.
	i.parts.Work.Do(LaneSave, func(ctx context.Context) func() {
		f, err := Redact(ctx, i.parts.Blobs, f)
		if err == nil {
			_, err = i.parts.Store.Record(ctx, qc.FindingRecorded, f.Inspector, at, f)
		}
		return func() {
			i.recording = false
			if err != nil {
				i.notices.fail("record finding", err)
				i.changed()
				return
			}
			if i.draft.Finding.ID == f.ID {
				i.asked++
				i.clear()
			}
			i.notices.Tell(Say("station.recorded."+string(verdict), "item", string(f.Item)))
			i.parts.Engine.Kick()
			i.changed()
			if i.OnRecorded != nil {
				i.OnRecorded(f)
			}
		}
	})
}
