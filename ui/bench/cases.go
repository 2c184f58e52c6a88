package bench

import (
	"slices"
	"strings"

	"flawmark/app/qc"
	"flawmark/ui/model"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// casesScreen is what happens to flagged items, and what the bench does about
// it.
type casesScreen struct {
	w       *Window
	root    *fyne.Container
	body    fyne.CanvasObject
	list    *keyList
	detail  *column
	carrier *widget.SelectEntry
	waybill *field
	form    *fyne.Container
	side    *fyne.Container
	do      *widget.Button
	of      qc.CaseID
	step    model.Step
}

func newCasesScreen(w *Window) *casesScreen {
	c := &casesScreen{w: w, root: container.NewStack(), detail: newColumn(), form: container.NewVBox()}
	c.list = newKeyList(w, func() int { return len(w.station.Cases.Rows()) }, newRow, c.row)
	c.list.OnSelected = func(id int) {
		if !c.list.showing {
			w.station.Cases.Select(id)
		}
	}
	c.carrier = widget.NewSelectEntry([]string{"SF Express", "ZTO", "YTO", "STO", "Yunda", "JD Logistics", "EMS"})
	c.carrier.SetText("SF Express")
	c.carrier.OnSubmitted = func(string) { w.focusOn(c.waybill) }
	c.waybill = w.entry(w.say("station.cases.waybill_hint"))
	c.waybill.OnSubmitted = func(string) { c.submit() }
	c.waybill.passKey = func(ev *fyne.KeyEvent) bool {
		if ev.Name == fyne.KeyEscape {
			c.focus()
			return true
		}
		return w.onKey(ev)
	}
	c.do = widget.NewButton("", c.submit)
	c.side = container.NewBorder(nil, c.form, nil, nil, c.detail.scroll)
	c.body = page(w.say("screen.cases"), w.say("station.cases.about"), c.list, panel(c.side))
	return c
}

func (c *casesScreen) content() fyne.CanvasObject { return c.root }

func (c *casesScreen) focus() { c.w.focusOn(c.list) }

func (c *casesScreen) row(id int, o fyne.CanvasObject) {
	rows := c.w.station.Cases.Rows()
	if id >= len(rows) {
		return
	}
	row := rows[id]
	importance := widget.MediumImportance
	if row.Step != model.StepNone && row.Step != model.StepArrival && !row.Sent {
		importance = widget.DangerImportance
	}
	second := model.Join(c.w.words, " · ", row.Pieces, row.Status, row.Do, row.Due.Text)
	if row.Sent {
		second = c.w.say("station.cases.sent")
	}
	setRow(o, string(row.Case.Item)+" · "+row.Title.In(c.w.words.Language()), second, importance)
}

func (c *casesScreen) refresh() {
	cases := c.w.station.Cases
	row, at, ok := cases.Selected()
	o := c.body
	switch {
	case !cases.Loaded():
		o = emptyState(c.w.say("station.loading"), "", nil)
	case !ok:
		o = emptyState(c.w.say("station.cases.none"), c.w.say("screen.inspect"), func() { c.w.Show(screenInspect) })
	}
	if len(c.root.Objects) != 1 || c.root.Objects[0] != o {
		c.root.Objects = []fyne.CanvasObject{o}
		c.root.Refresh()
	}
	if !ok {
		return
	}
	c.list.Refresh()
	c.list.show(at)
	c.showDetail(row)
	c.showForm(row)
}

func (c *casesScreen) showDetail(row model.CaseRow) {
	one, words := row.Case, c.w.words
	box := []fyne.CanvasObject{bold(string(one.Item) + " · " + row.Title.In(words.Language())), text(row.Status.In(words))}
	do := text(row.Do.In(words))
	do.TextStyle.Bold = true
	if row.Sent {
		do.SetText(c.w.say("station.cases.sent"))
	}
	box = append(box, do)
	if !row.Pieces.IsZero() {
		box = append(box, small(row.Pieces.In(words)))
	}
	if !row.Due.Text.IsZero() {
		due := small("")
		showClock(due, row.Due, row.Due.Text.In(words))
		box = append(box, due)
	}
	if one.ReturnWaybill != "" {
		box = append(box, small(c.w.say("word.waybill")+": "+one.Carrier+" "+string(one.ReturnWaybill)))
	}
	if one.ReplacementWaybill != "" {
		box = append(box, small(c.w.say("station.cases.replacement")+": "+string(one.ReplacementWaybill)))
	}
	box = append(box, small(c.w.say("role.seller")+": "+one.Seller), widget.NewSeparator())
	for _, entry := range slices.Backward(one.Timeline) {
		said := entry.At.Local().Format("01-02 15:04") + "  " + c.w.say("status.desk."+string(entry.To))
		if entry.Note != "" {
			said += " · " + entry.Note
		}
		box = append(box, quiet(said))
	}
	c.detail.set(box...)
}

// showForm shows what the step needs; what is being typed stays.
func (c *casesScreen) showForm(row model.CaseRow) {
	step := row.Step
	if row.Sent {
		step = model.StepNone
	}
	if c.of == row.Case.ID && c.step == step {
		return
	}
	c.of, c.step = row.Case.ID, step
	c.waybill.set("")
	var objects []fyne.CanvasObject
	c.do.Importance = widget.HighImportance
	switch step {
	case model.StepDispatch:
		c.do.SetText(c.w.say("station.cases.dispatch"))
		objects = []fyne.CanvasObject{quiet(c.w.say("station.cases.carrier")), c.carrier, quiet(c.w.say("word.waybill")), c.waybill, c.do}
	case model.StepArrival:
		c.do.SetText(c.w.say("station.cases.arrived"))
		objects = []fyne.CanvasObject{quiet(c.w.say("word.waybill")), c.waybill, c.do}
	case model.StepInspect:
		c.do.SetText(c.w.say("station.cases.inspect") + "   ⏎")
		objects = []fyne.CanvasObject{c.do}
	case model.StepNone:
	}
	c.do.SetIcon(theme.ConfirmIcon())
	c.form.Objects = objects
	c.form.Refresh()
	c.side.Refresh()
}

// act begins the step of the case in view: its form, or its inspection.
func (c *casesScreen) act() {
	switch c.step {
	case model.StepDispatch, model.StepArrival:
		c.w.focusOn(c.waybill)
	case model.StepInspect:
		c.submit()
	case model.StepNone:
	}
}

// scanned takes a scan that came while no entry had the focus: the number of an
// item on the list goes to its row, and a parcel's number is what the step of
// the case in view waits for. It reports whether the scan was either.
func (c *casesScreen) scanned(text string) bool {
	for at, row := range c.w.station.Cases.Rows() {
		if strings.EqualFold(string(row.Case.Item), text) {
			c.w.station.Cases.Select(at)
			return true
		}
	}
	if c.step != model.StepDispatch && c.step != model.StepArrival {
		return false
	}
	if _, err := qc.ParseWaybill(text); err != nil {
		return false
	}
	c.waybill.SetText(text)
	c.submit()
	return true
}

func (c *casesScreen) submit() {
	cases := c.w.station.Cases
	row, _, ok := cases.Selected()
	if !ok {
		return
	}
	done := false
	switch c.step {
	case model.StepDispatch:
		done = cases.Dispatch(c.carrier.Text, c.waybill.Text)
	case model.StepArrival:
		done = cases.Arrived(c.waybill.Text)
	case model.StepInspect:
		c.w.Show(screenInspect)
		c.w.station.Inspection.Open(row.Case.Item)
		return
	case model.StepNone:
	}
	if done {
		c.waybill.set("")
		c.focus()
	}
}
