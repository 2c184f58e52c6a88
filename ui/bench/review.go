package bench

import (
	"strconv"

	"flawmark/app/qc"
	"flawmark/ui/model"
	"flawmark/ui/widgets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"
)

// reviewScreen is the shift lead's: one flag after another, with a word on
// each.
type reviewScreen struct {
	w      *Window
	root   *fyne.Container
	body   *fyne.Container
	list   *keyList
	photo  *widgets.PhotoCanvas
	looks  *looks
	view   *model.View
	insets insets
	thumbs *widgets.Thumbs
	detail *column
	reason *field
	asked  qc.Outcome // what the reason is for; empty: nothing
	ask    *widget.Label
	form   *fyne.Container
	foot   *fyne.Container
	side   *fyne.Container
	acts   []*widget.Button
	shown  qc.PhotoID
	of     qc.FindingID
}

func newReviewScreen(w *Window) *reviewScreen {
	r := &reviewScreen{w: w, root: container.NewStack(), detail: newColumn(), ask: small("")}
	r.list = newKeyList(w, func() int { return len(w.station.Reviews.Rows()) }, newRow, r.row)
	r.list.OnSelected = func(id int) {
		if !r.list.showing {
			w.station.Reviews.Select(id)
		}
	}
	r.photo = newPhoto(w)
	r.looks = newLooks(w, r.photo, w.station.Reviews.Comparables)
	r.view = w.station.Pictures.NewView()
	r.photo.OnProblem = r.view.Problem
	r.thumbs = widgets.NewThumbs()
	r.thumbs.OnSelected = func(key string) {
		if row, _, ok := w.station.Reviews.Selected(); ok {
			for n, p := range row.Standing.Finding.Photos {
				if string(p.ID) == key {
					w.station.Reviews.ShowPhoto(n)
				}
			}
		}
	}
	r.reason = w.entry(w.say("word.reason"))
	r.reason.OnSubmitted = r.submit
	r.reason.passKey = func(ev *fyne.KeyEvent) bool {
		if ev.Name == fyne.KeyEscape {
			r.askReason("")
			return true
		}
		return ev.Name != fyne.KeyUp && ev.Name != fyne.KeyDown && w.onKey(ev)
	}
	send := widget.NewButton(w.say("button.ok")+"  ⏎", func() { r.submit(r.reason.Text) })
	cancel := widget.NewButton(w.say("button.cancel")+"  Esc", func() { r.askReason("") })
	r.form = container.NewVBox(r.ask, r.reason, container.NewGridWithColumns(2, cancel, send))
	confirm := widget.NewButton("", w.station.Reviews.Confirm)
	back := widget.NewButton("", func() { r.askReason(qc.SentBack) })
	dismiss := widget.NewButton("", func() { r.askReason(qc.Dismissed) })
	r.acts = []*widget.Button{confirm, back, dismiss}
	r.relabel()
	r.foot = container.NewVBox(widget.NewSeparator(), r.form, confirm, back, dismiss)
	r.side = container.NewBorder(nil, r.foot, nil, nil, r.detail.scroll)
	middle := container.NewBorder(nil, panel(r.thumbs), nil, nil, r.looks.over())
	r.body = container.NewBorder(nil, nil, ofWidth(280, panel(r.list)), ofWidth(rightWidth, panel(r.side)), middle)
	r.askReason("")
	return r
}

// relabel says the keys in use.
func (r *reviewScreen) relabel() {
	for n, id := range []string{"review.confirm", "review.send_back", "review.dismiss"} {
		if b, ok := r.w.commandOf(id); ok {
			r.acts[n].SetText(r.w.labelled(b.say(r.w), id))
		}
	}
}

func (r *reviewScreen) content() fyne.CanvasObject { return r.root }

func (r *reviewScreen) focus() { r.w.focusOn(r.list) }

func (r *reviewScreen) row(id int, o fyne.CanvasObject) {
	rows := r.w.station.Reviews.Rows()
	if id >= len(rows) {
		return
	}
	row := rows[id]
	importance := widget.MediumImportance
	if row.Standing.Waits {
		importance = widget.DangerImportance
	}
	worst := row.Standing.Finding.Worst()
	setRow(o, string(row.Standing.Finding.Item)+" · "+row.Standing.Item.Title.In(r.w.words.Language()),
		r.w.say("severity."+string(worst)+".letter")+" · "+model.Join(r.w.words, " · ", row.State, row.Window.Text), importance)
}

func (r *reviewScreen) refresh() {
	reviews := r.w.station.Reviews
	row, at, ok := reviews.Selected()
	var o fyne.CanvasObject = r.body
	switch {
	case !reviews.Loaded():
		o = emptyState(r.w.say("station.loading"), "", nil)
	case !ok:
		o = emptyState(r.w.say("station.review.none"), r.w.say("screen.inspect"), func() { r.w.Show(screenInspect) })
	}
	if len(r.root.Objects) != 1 || r.root.Objects[0] != o {
		r.root.Objects = []fyne.CanvasObject{o}
		r.root.Refresh()
	}
	if !ok {
		r.shown, r.of = "", ""
		return
	}
	r.list.Refresh()
	r.list.show(at)
	if id := row.Standing.Finding.ID; id != r.of {
		r.of = id
		r.askReason("")
	}
	r.showDetail(row)
	thumbs := make([]widgets.Thumb, 0, len(row.Standing.Finding.Photos))
	for _, p := range row.Standing.Finding.Photos {
		thumbs = append(thumbs, widgets.Thumb{Key: string(p.ID), Image: r.w.station.Pictures.Small(p.Thumb.Digest)})
	}
	r.thumbs.SetThumbs(thumbs)
	p, marks, has := reviews.Photo()
	r.thumbs.Select(string(p.ID))
	if p.ID != r.shown {
		r.shown = p.ID
		view(r.w, r.view, &r.insets, r.photo, p, reviews.Nearby(), has, func() {
			r.refresh()
			r.photo.InsetsChanged()
		})
		r.looks.another()
	}
	if r.photo.InsetSource = r.view.Source(row.Standing.Finding.Marks); r.photo.InsetSource == nil {
		r.photo.InsetSource = r.insets.of(r.shown, row.Standing.Finding.Marks)
	}
	r.photo.SetMarks(shapes(marks))
}

func (r *reviewScreen) showDetail(row model.ReviewRow) {
	lang := r.w.words.Language()
	item, f := row.Standing.Item, row.Standing.Finding
	box := []fyne.CanvasObject{
		bold(string(f.Item) + " · " + item.Title.In(lang)),
		small(item.Variant.In(lang) + " · " + item.UnitPrice.String() + " ×" + strconv.Itoa(item.Quantity)),
	}
	clock := small("")
	showClock(clock, row.Window, row.Window.Text.In(r.w.words))
	state := small(row.State.In(r.w.words))
	if row.Standing.Waits {
		state.Importance = widget.DangerImportance
	}
	box = append(box, clock, state)
	if row.Standing.Missing > 0 {
		box = append(box, small(r.w.say("station.review.missing", "n", row.Standing.Missing)))
	}
	if f.Unsure {
		box = append(box, small(r.w.say("station.review.unsure")))
	}
	if item.CustomerNote != "" {
		box = append(box, small(r.w.say("word.customer_note")+": "+item.CustomerNote))
	}
	box = append(box, widget.NewSeparator())
	for _, flaw := range row.Flaws {
		name := strconv.Itoa(flaw.Number) + "  " + string(flaw.Flaw.Code) + " " + flaw.Name.In(lang)
		box = append(box, container.NewBorder(nil, nil, nil,
			firstLine(chip(flaw.Flaw.Severity, r.w.say("severity."+string(flaw.Flaw.Severity)+".letter"))), text(name)))
		facts := r.w.say("zone." + string(flaw.Flaw.Zone))
		if flaw.Flaw.SizeMM > 0 {
			facts += " · " + r.w.say("word.size_mm", "size", millimetres(flaw.Flaw.SizeMM))
		}
		if flaw.Flaw.Note != "" {
			facts += " · " + flaw.Flaw.Note
		}
		box = append(box, quiet(facts))
	}
	if !row.Hurdle.IsZero() {
		box = append(box, small(row.Hurdle.In(r.w.words)))
	}
	if row.Decided {
		box = append(box, small(r.w.say("station.review.decided")))
	}
	for n, act := range r.acts {
		enable(act, row.Hurdle.IsZero() && (n == 0 || !row.Decided))
	}
	r.detail.set(box...)
}

// askReason asks why for an outcome; an empty one takes the question back.
func (r *reviewScreen) askReason(outcome qc.Outcome) {
	r.asked = outcome
	if outcome == "" {
		r.form.Hide()
		r.side.Refresh()
		r.reason.set("")
		if r.w.screen == screenReview {
			r.focus()
		}
		return
	}
	r.ask.SetText(r.w.say("station.review.why." + string(outcome)))
	r.form.Show()
	r.foot.Refresh()
	r.side.Refresh()
	r.w.focusOn(r.reason)
}

func (r *reviewScreen) submit(reason string) {
	switch r.asked {
	case qc.SentBack:
		r.w.station.Reviews.SendBack(reason)
	case qc.Dismissed:
		r.w.station.Reviews.Dismiss(reason)
	case qc.Confirmed:
	}
}

// page is a screen with a line on what it is, a list, and a detail.
func page(title, about string, list, detail fyne.CanvasObject) fyne.CanvasObject {
	head := container.NewHBox(bold1(title), quiet1(about), layout.NewSpacer())
	var right fyne.CanvasObject
	if detail != nil {
		right = ofWidth(440, detail)
	}
	return container.NewBorder(panel(head), nil, nil, right, panel(list))
}

// bold1 and quiet1 stay on one line; their texts are short by nature.
func bold1(s string) *widget.Label {
	l := widget.NewLabel(s)
	l.TextStyle.Bold = true
	return l
}

func quiet1(s string) *widget.Label {
	l := widget.NewLabel(s)
	l.Importance = widget.LowImportance
	return l
}
