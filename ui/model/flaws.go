package model

import (
	"slices"

	"flawmark/app/qc"
)

// FlawRow is a flaw as the panel shows it.
type FlawRow struct {
	Flaw   qc.Flaw
	Number int
	Name   qc.Bilingual
	Active bool
	Marks  int // on all photos
}

// Flaws returns the rows of the panel.
func (i *Inspection) Flaws() []FlawRow {
	f := i.draft.Finding
	rows := make([]FlawRow, 0, len(f.Flaws))
	for n, flaw := range f.Flaws {
		row := FlawRow{Flaw: flaw, Number: n + 1, Name: i.flawName(flaw.Code), Active: flaw.ID == i.flaw}
		for _, m := range f.Marks {
			if m.Flaw == flaw.ID {
				row.Marks++
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func (i *Inspection) flawName(code qc.FlawCode) qc.Bilingual {
	if kind, ok := i.parts.Catalogue.Flaw(code); ok {
		return kind.Name()
	}
	return qc.Bilingual{EN: string(code), ZH: string(code)}
}

// ActiveFlaw returns the flaw that new marks belong to, or "".
func (i *Inspection) ActiveFlaw() qc.FlawID { return i.flaw }

// Asking reports whether a mark was drawn whose flaw must still be named.
func (i *Inspection) Asking() bool { return i.ask != "" }

// Presets returns the most usual kinds for the item's category, at most nine,
// in the order of the digit keys.
func (i *Inspection) Presets() []qc.FlawKind {
	var kinds []qc.FlawKind
	for _, code := range presetCodes(i.item.Category) {
		if kind, ok := i.parts.Catalogue.Flaw(code); ok {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// Search returns the kinds of the catalogue for a query.
func (i *Inspection) Search(query string) []qc.FlawKind { return i.parts.Catalogue.Search(query) }

// Preset adds the flaw of digit key n, from 1.
func (i *Inspection) Preset(n int) {
	if kinds := i.Presets(); n >= 1 && n <= len(kinds) {
		i.AddFlaw(kinds[n-1].Code)
	}
}

// AddFlaw adds a flaw of that kind, which new marks then belong to. A mark
// that waits for its flaw gets it.
func (i *Inspection) AddFlaw(code qc.FlawCode) {
	kind, ok := i.parts.Catalogue.Flaw(code)
	if !ok || i.item.ID == "" || i.recording {
		return
	}
	flaw := qc.Flaw{
		ID: qc.FlawID(i.parts.NewID()), Code: code, Zone: qc.ZoneB, Severity: kind.SeverityIn(qc.ZoneB), Quantity: 1,
	}
	waiting := i.ask
	i.ask, i.flaw = "", flaw.ID
	i.step("", func(f *qc.Finding) {
		f.Flaws = append(f.Flaws, flaw)
		assign(f, waiting, flaw.ID)
	})
}

// Activate makes new marks belong to a flaw, or to none for "". A mark that
// waits for its flaw gets it.
func (i *Inspection) Activate(id qc.FlawID) {
	if id != "" && i.draft.Finding.Number(id) == 0 {
		return
	}
	i.flaw = id
	if waiting := i.ask; waiting != "" && id != "" {
		i.ask = ""
		i.step("", func(f *qc.Finding) { assign(f, waiting, id) })
		return
	}
	i.changed()
}

func assign(f *qc.Finding, mark qc.MarkID, flaw qc.FlawID) {
	for n := range f.Marks {
		if mark != "" && f.Marks[n].ID == mark {
			f.Marks[n].Flaw = flaw
		}
	}
}

// SetSeverity grades a flaw.
func (i *Inspection) SetSeverity(id qc.FlawID, s qc.Severity) {
	if !slices.Contains(qc.Severities(), s) {
		return
	}
	i.changeFlaw(id, "", func(flaw *qc.Flaw) { flaw.Severity = s })
}

// SetZone places a flaw. A severity that the inspector has not changed follows
// the zone.
func (i *Inspection) SetZone(id qc.FlawID, zone qc.Zone) {
	i.changeFlaw(id, "", func(flaw *qc.Flaw) {
		kind, ok := i.parts.Catalogue.Flaw(flaw.Code)
		if ok && flaw.Severity == kind.SeverityIn(flaw.Zone) {
			flaw.Severity = kind.SeverityIn(zone)
		}
		flaw.Zone = zone
	})
}

// SetQuantity says how many pieces have the flaw, kept between one and the
// line's quantity.
func (i *Inspection) SetQuantity(id qc.FlawID, n int) {
	n = max(1, min(n, i.item.Quantity))
	i.changeFlaw(id, "", func(flaw *qc.Flaw) { flaw.Quantity = n })
}

// SetNote keeps the inspector's words on a flaw. Typing is one step.
func (i *Inspection) SetNote(id qc.FlawID, note string) {
	i.changeFlaw(id, "note "+string(id), func(flaw *qc.Flaw) { flaw.Note = note })
}

// SetSize keeps a measured size in millimetres; 0 means not measured.
func (i *Inspection) SetSize(id qc.FlawID, mm float64) {
	if mm >= 0 && mm < 100000 { // false for NaN, too
		i.changeFlaw(id, "size "+string(id), func(flaw *qc.Flaw) { flaw.SizeMM = mm })
	}
}

// RemoveFlaw takes a flaw and its marks out of the finding.
func (i *Inspection) RemoveFlaw(id qc.FlawID) {
	if i.draft.Finding.Number(id) == 0 {
		return
	}
	i.step("", func(f *qc.Finding) {
		f.Flaws = slices.DeleteFunc(f.Flaws, func(flaw qc.Flaw) bool { return flaw.ID == id })
		f.Marks = slices.DeleteFunc(f.Marks, func(m qc.Mark) bool { return m.Flaw == id })
	})
}

func (i *Inspection) changeFlaw(id qc.FlawID, kind string, change func(*qc.Flaw)) {
	n := i.draft.Finding.Number(id)
	if n == 0 {
		return
	}
	changed := i.draft.Finding.Flaws[n-1]
	change(&changed)
	if changed == i.draft.Finding.Flaws[n-1] {
		return
	}
	i.step(kind, func(f *qc.Finding) { f.Flaws[n-1] = changed })
}
