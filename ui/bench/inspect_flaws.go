package bench

import (
	"fmt"
	"strconv"
	"strings"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/ui/model"
	"flawmark/ui/widgets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// flawPanel lists the flaws, edits the active one, adds new ones, and gives
// the verdict.
type flawPanel struct {
	w    *Window
	box  *fyne.Container
	body *column

	search  *field
	results *fyne.Container
	editor  *flawEditor
	marks   *markPanel
	unsure  *widget.Check
	pass    *widget.Button
	flag    *widget.Button
	hint    *widget.Label
	state   string // what the body was built from
}

// shownResults is how many hits of a search are offered.
const shownResults = 8

func newFlawPanel(w *Window) *flawPanel {
	p := &flawPanel{w: w, body: newColumn(), results: container.NewVBox(), hint: quiet("")}
	p.editor, p.marks = newFlawEditor(w), newMarkPanel(w)
	p.search = w.entry(w.say("station.find_flaw_hint"))
	p.search.OnChanged = func(string) { p.showResults() }
	p.search.OnSubmitted = func(query string) {
		if hits := w.station.Inspection.Search(query); strings.TrimSpace(query) != "" && len(hits) > 0 {
			p.add(hits[0].Code)
		}
	}
	p.unsure = widget.NewCheck(w.say("station.do.unsure"), func(on bool) { w.station.Inspection.SetUnsure(on) })
	p.pass = widget.NewButton("", w.station.Inspection.Pass)
	p.flag = widget.NewButton("", w.station.Inspection.Flag)
	p.relabel()
	foot := container.NewVBox(widget.NewSeparator(), p.hint, p.unsure, p.pass, p.flag)
	p.box = panel(container.NewBorder(nil, foot, nil, nil, p.body.scroll))
	return p
}

// relabel says the keys in use.
func (p *flawPanel) relabel() {
	p.pass.SetText(p.w.labelled(p.w.say("button.pass"), "item.pass"))
	p.flag.SetText(p.w.labelled(p.w.say("button.flag"), "item.flag"))
}

func (p *flawPanel) focusSearch() {
	p.w.focusOn(p.search)
	p.body.scroll.ScrollToBottom()
}

func (p *flawPanel) add(code qc.FlawCode) {
	p.search.set("")
	p.w.station.Inspection.AddFlaw(code)
	p.w.inspect.armBox()
}

func (p *flawPanel) refresh() {
	in := p.w.station.Inspection
	item, open := in.Item()
	p.showVerdict(open)
	// Built anew only when something in it changed: a row that has the focus
	// would lose it.
	state := fmt.Sprint(item.ID, in.Flaws(), in.Asking(), in.Origin(), p.search.Text, p.marks.state())
	if state == p.state {
		return
	}
	p.state = state
	var body []fyne.CanvasObject
	if marks := p.marks.show(); marks != nil {
		body = append(body, marks)
	}
	if origin := in.Origin(); !origin.IsZero() {
		body = append(body, small(origin.In(p.w.words)))
	}
	if earlier := in.Earlier(); len(earlier) > 0 {
		body = append(body, p.checklist(earlier))
	}
	if in.Asking() {
		ask := small(p.w.say("station.which_flaw"))
		ask.Importance = widget.DangerImportance
		body = append(body, ask)
	}
	rows := in.Flaws()
	for _, row := range rows {
		body = append(body, p.row(row))
		if row.Active {
			p.editor.show(row)
			body = append(body, p.editor.box)
		}
	}
	if open {
		if len(rows) == 0 && !in.Asking() {
			body = append(body, quiet(p.w.say("station.no_flaws")))
		}
		body = append(body, p.search, p.results)
		p.showResults()
	}
	p.body.set(body...)
}

func (p *flawPanel) checklist(earlier []qc.Flaw) fyne.CanvasObject {
	box := container.New(tight{}, small(p.w.say("station.look_first")))
	for _, flaw := range earlier {
		name := string(flaw.Code)
		if kinds := p.w.station.Inspection.Search(name); len(kinds) > 0 {
			name += " " + kinds[0].Name().In(p.w.words.Language())
		}
		box.Add(widget.NewCheck(name, nil))
	}
	return box
}

func (p *flawPanel) row(row model.FlawRow) fyne.CanvasObject {
	number := widget.NewLabel(strconv.Itoa(row.Number))
	number.TextStyle.Bold = true
	name := text(string(row.Flaw.Code) + " " + row.Name.In(p.w.words.Language()))
	var facts []string
	if row.Flaw.SizeMM > 0 {
		facts = append(facts, p.w.say("word.size_mm", "size", millimetres(row.Flaw.SizeMM)))
	}
	if row.Flaw.Quantity > 1 {
		facts = append(facts, "×"+strconv.Itoa(row.Flaw.Quantity))
	}
	if row.Marks == 0 {
		facts = append(facts, p.w.say("station.flaw_unmarked"))
	}
	if row.Flaw.Note != "" {
		facts = append(facts, row.Flaw.Note)
	}
	var words fyne.CanvasObject = name
	if len(facts) > 0 && !row.Active {
		words = container.New(tight{}, name, quiet(strings.Join(facts, " · ")))
	}
	letters := firstLine(chip(row.Flaw.Severity, p.w.say("severity."+string(row.Flaw.Severity)+".letter")))
	return newTile(container.NewBorder(nil, nil, container.NewVBox(number), letters, words), row.Active, func() {
		if row.Active {
			p.w.station.Inspection.Activate("")
		} else {
			p.w.station.Inspection.Activate(row.Flaw.ID)
		}
		p.w.focusOn(p.w.inspect.photo) // the row itself has been built anew
	})
}

func millimetres(mm float64) string { return strconv.FormatFloat(mm, 'f', -1, 64) }

// showResults offers the hits of the search, or the presets without one.
func (p *flawPanel) showResults() {
	in := p.w.station.Inspection
	query := strings.TrimSpace(p.search.Text)
	kinds := in.Presets()
	if query != "" {
		kinds = in.Search(query)
		kinds = kinds[:min(len(kinds), shownResults)]
	}
	p.results.Objects = nil
	for n, kind := range kinds {
		sign := string(kind.Code)
		if query == "" {
			sign = strconv.Itoa(n + 1)
		}
		label := widget.NewLabel(sign)
		label.TextStyle.Bold = true
		name := small(kind.Name().In(p.w.words.Language()))
		letters := container.NewCenter(chip(kind.SeverityIn(qc.ZoneB), p.w.say("severity."+string(kind.SeverityIn(qc.ZoneB))+".letter")))
		p.results.Add(newTile(container.NewBorder(nil, nil, label, container.NewPadded(letters), name), false, func() { p.add(kind.Code) }))
	}
	if query != "" && len(kinds) == 0 {
		p.results.Add(quiet(p.w.say("station.flaw_not_found", "query", query)))
	}
	p.results.Refresh()
}

func (p *flawPanel) showVerdict(open bool) {
	in := p.w.station.Inspection
	p.unsure.OnChanged = nil
	p.unsure.SetChecked(in.Unsure())
	p.unsure.OnChanged = in.SetUnsure
	pass, flag := in.Obstacle(qc.Pass), in.Obstacle(qc.Flag)
	// Flagging is the thing to do once there is a flaw, passing before.
	p.pass.Importance, p.flag.Importance = widget.MediumImportance, widget.MediumImportance
	enable(p.pass, pass.IsZero())
	enable(p.flag, flag.IsZero())
	p.hint.SetText("")
	switch {
	case !open:
		p.unsure.Disable()
		return
	case len(in.Flaws()) > 0:
		p.hint.SetText(flag.In(p.w.words))
		if flag.IsZero() {
			p.flag.Importance = widget.HighImportance
		}
	default:
		p.hint.SetText(pass.In(p.w.words))
		if pass.IsZero() {
			p.pass.Importance = widget.HighImportance
		}
	}
	p.unsure.Enable()
	p.pass.Refresh()
	p.flag.Refresh()
}

func enable(o fyne.Disableable, on bool) {
	if on {
		o.Enable()
		return
	}
	o.Disable()
}

// flawEditor changes the active flaw.
type flawEditor struct {
	w        *Window
	box      *fyne.Container
	flaw     qc.FlawID
	severity *widgets.Toggle
	zone     *widgets.Toggle
	size     *field
	quantity *field
	note     *field
}

func newFlawEditor(w *Window) *flawEditor {
	e := &flawEditor{w: w}
	in := w.station.Inspection
	var grades, zones []widgets.Option
	for _, s := range qc.Severities() {
		grades = append(grades, widgets.Option{Key: string(s), Letter: w.say("severity." + string(s) + ".letter"), Colour: severityColour(s), Ink: annotate.Ink(s)})
	}
	for _, z := range []qc.Zone{qc.ZoneA, qc.ZoneB, qc.ZoneC} {
		zones = append(zones, widgets.Option{Key: string(z), Letter: string(z)})
	}
	e.severity, e.zone = widgets.NewToggle(grades...), widgets.NewToggle(zones...)
	e.severity.OnChanged = func(key string) { in.SetSeverity(e.flaw, qc.Severity(key)) }
	e.zone.OnChanged = func(key string) { in.SetZone(e.flaw, qc.Zone(key)) }
	e.size, e.quantity, e.note = w.entry("0"), w.entry("1"), w.entry(w.say("word.note"))
	e.size.OnChanged = func(typed string) {
		mm, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(typed), ",", "."), 64)
		if err == nil || strings.TrimSpace(typed) == "" {
			in.SetSize(e.flaw, mm)
		}
	}
	e.quantity.OnChanged = func(typed string) {
		if n, err := strconv.Atoi(strings.TrimSpace(typed)); err == nil {
			in.SetQuantity(e.flaw, n)
		}
	}
	e.note.OnChanged = func(typed string) { in.SetNote(e.flaw, typed) }
	back := func(string) { w.focusOn(w.inspect.photo) }
	e.size.OnSubmitted, e.quantity.OnSubmitted, e.note.OnSubmitted = back, back, back
	remove := widget.NewButtonWithIcon(w.say("button.remove"), theme.DeleteIcon(), func() { in.RemoveFlaw(e.flaw) })
	remove.Importance = widget.LowImportance
	measures := container.NewGridWithColumns(2,
		container.NewBorder(nil, nil, nil, widget.NewLabel("mm"), e.size),
		container.NewBorder(nil, nil, widget.NewLabel("×"), nil, e.quantity))
	e.box = container.NewVBox(e.severity, container.NewBorder(nil, nil, widget.NewLabel(w.say("zone.heading")), nil, e.zone), measures, e.note, remove)
	return e
}

func (e *flawEditor) show(row model.FlawRow) {
	other := e.flaw != row.Flaw.ID
	e.flaw = row.Flaw.ID
	e.severity.Select(string(row.Flaw.Severity))
	e.zone.Select(string(row.Flaw.Zone))
	e.note.set(row.Flaw.Note)
	// What is being typed, such as "6." on the way to 6.5, is left alone.
	focused := e.w.focused()
	if other || focused != fyne.Focusable(e.size) {
		size := ""
		if row.Flaw.SizeMM > 0 {
			size = millimetres(row.Flaw.SizeMM)
		}
		e.size.set(size)
	}
	if other || focused != fyne.Focusable(e.quantity) {
		e.quantity.set(strconv.Itoa(row.Flaw.Quantity))
	}
}
