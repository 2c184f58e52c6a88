package bench

import (
	"image/color"

	"flawmark/app/qc"
	"flawmark/ui/look"
	"flawmark/ui/model"
	"flawmark/ui/widgets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// text is a label that wraps, so that nothing is cut.
func text(s string) *widget.Label {
	l := widget.NewLabel(s)
	l.Wrapping = fyne.TextWrapWord
	return l
}

// small is text in the smallest size.
func small(s string) *widget.Label {
	l := text(s)
	l.SizeName = theme.SizeNameCaptionText
	return l
}

// quiet is small text of second rank.
func quiet(s string) *widget.Label {
	l := small(s)
	l.Importance = widget.LowImportance
	return l
}

func bold(s string) *widget.Label {
	l := text(s)
	l.TextStyle.Bold = true
	return l
}

func heading(s string) *widget.Label {
	l := bold(s)
	l.SizeName = theme.SizeNameHeadingText
	return l
}

// line is a label on one line that ends in an ellipsis; the full text is on
// the detail beside the list.
func line(s string) *widget.Label {
	l := widget.NewLabel(s)
	l.Truncation = fyne.TextTruncateEllipsis
	return l
}

// wide lays its object out at least w wide (before scaling by the theme).
type wide struct{ w float32 }

func (l wide) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(l.w*scale(), 0)
	for _, o := range objects {
		if o.Visible() {
			size.Height = max(size.Height, o.MinSize().Height)
		}
	}
	return size
}

func (l wide) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(size)
		o.Move(fyne.NewPos(0, 0))
	}
}

func ofWidth(w float32, o fyne.CanvasObject) *fyne.Container { return container.New(wide{w}, o) }

// scale is how much larger than normal the person wants everything.
func scale() float32 { return theme.TextSize() / 14 }

// panel puts an object on the ground of side panels.
func panel(o fyne.CanvasObject) *fyne.Container {
	return container.NewStack(newGround(look.ColourPanel), container.NewPadded(o))
}

// ground is a rectangle that follows the theme.
type ground struct {
	widget.BaseWidget
	colour fyne.ThemeColorName
	rect   *canvas.Rectangle
}

func newGround(colour fyne.ThemeColorName) *ground {
	g := &ground{colour: colour, rect: canvas.NewRectangle(theme.Color(colour))}
	g.ExtendBaseWidget(g)
	return g
}

func (g *ground) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(g.rect) }

func (g *ground) Refresh() {
	g.rect.FillColor = theme.Color(g.colour)
	g.rect.Refresh()
}

// chip shows a severity: its letters on its colour.
func chip(s qc.Severity, letters string) fyne.CanvasObject {
	colour, ink := look.Severity(s)
	rect := canvas.NewRectangle(colour)
	rect.CornerRadius = 4
	rect.SetMinSize(fyne.NewSize(36*scale(), 20*scale()))
	label := canvas.NewText(letters, ink)
	label.TextSize, label.TextStyle.Bold = theme.CaptionTextSize(), true
	return container.NewCenter(container.NewStack(rect, container.NewCenter(label)))
}

// firstLine puts a chip beside the first line of a text.
func firstLine(o fyne.CanvasObject) fyne.CanvasObject {
	return container.NewVBox(container.New(layout.NewCustomPaddedLayout(7*scale(), 0, 4, 8), o))
}

// showClock shows a clock in the importance of its urgency.
func showClock(l *widget.Label, c model.Clock, words string) {
	l.Importance = widget.MediumImportance
	switch c.Urgency {
	case model.Urgent, model.Passed:
		l.Importance = widget.DangerImportance
	case model.Soon:
		l.Importance = widget.WarningImportance
	case model.NoClock, model.Calm:
	}
	l.SetText(words)
}

// column is a scrolling column of texts.
type column struct {
	box    *fyne.Container
	scroll *container.Scroll
}

func newColumn() *column {
	c := &column{box: container.NewVBox()}
	c.scroll = container.NewVScroll(c.box)
	return c
}

// set replaces what is in the column. It is laid out twice, because wrapped
// texts know their height only after they have been given their width.
func (c *column) set(objects ...fyne.CanvasObject) {
	c.box.Objects = objects
	for range 2 {
		c.box.Refresh()
		c.scroll.Refresh()
	}
}

// tile is a box that can be chosen by a tap, or by Space or Enter.
type tile struct {
	widget.BaseWidget

	content  fyne.CanvasObject
	chosen   bool
	onTapped func()
	back     *canvas.Rectangle
}

var (
	_ fyne.Tappable  = (*tile)(nil)
	_ fyne.Focusable = (*tile)(nil)
)

func newTile(content fyne.CanvasObject, chosen bool, tapped func()) *tile {
	t := &tile{content: content, chosen: chosen, onTapped: tapped, back: canvas.NewRectangle(nil)}
	t.back.CornerRadius = 4
	t.ExtendBaseWidget(t)
	t.paint(false)
	return t
}

func (t *tile) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(t.back, t.content))
}

func (t *tile) paint(focused bool) {
	t.back.FillColor = theme.Color(theme.ColorNameInputBackground)
	t.back.StrokeWidth, t.back.StrokeColor = 1, theme.Color(theme.ColorNameSeparator)
	if t.chosen {
		t.back.FillColor = theme.Color(theme.ColorNameSelection)
	}
	if focused {
		t.back.StrokeWidth, t.back.StrokeColor = 2, theme.Color(theme.ColorNamePrimary)
	}
	t.back.Refresh()
}

func (t *tile) Tapped(*fyne.PointEvent) { t.onTapped() }
func (t *tile) FocusGained()            { t.paint(true) }
func (t *tile) FocusLost()              { t.paint(false) }
func (t *tile) TypedRune(rune)          {}
func (t *tile) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		t.onTapped()
	}
}

// keyList is a list that is moved through and acted on by keys; its screen
// keeps the selection.
type keyList struct {
	widget.List
	onKey func(*fyne.KeyEvent) bool // reports whether the key was used
	// onRune takes what is typed: a scan while the list has the focus.
	onRune func(rune)
	// showing is true while the screen selects a row, so that this is not
	// taken for a choice of the person.
	showing bool
}

func newKeyList(w *Window, length func() int, create func() fyne.CanvasObject, update func(int, fyne.CanvasObject)) *keyList {
	l := &keyList{onKey: w.onKey, onRune: w.burst.typed}
	l.Length = length
	l.CreateItem = create
	l.UpdateItem = update
	l.ExtendBaseWidget(l)
	return l
}

func (l *keyList) TypedKey(ev *fyne.KeyEvent) {
	if !l.onKey(ev) {
		l.List.TypedKey(ev)
	}
}

func (l *keyList) TypedRune(r rune) { l.onRune(r) }

// show selects the row at a place without telling the screen; below 0 none.
func (l *keyList) show(at int) {
	l.showing = true
	if at < 0 {
		l.UnselectAll()
	} else {
		l.Select(at)
	}
	l.showing = false
}

// field is an entry that lets function keys and Esc through to the window.
type field struct {
	widget.Entry
	passKey func(*fyne.KeyEvent) bool
	typing  func(bool) // the focus came or went; nil: nobody minds
}

// FocusGained is called by Fyne.
func (f *field) FocusGained() {
	f.Entry.FocusGained()
	if f.typing != nil {
		f.typing(true)
	}
}

// FocusLost is called by Fyne.
func (f *field) FocusLost() {
	f.Entry.FocusLost()
	if f.typing != nil {
		f.typing(false)
	}
}

func newField(hint string, pass func(*fyne.KeyEvent) bool) *field {
	f := &field{passKey: pass}
	f.ExtendBaseWidget(f)
	f.SetPlaceHolder(hint)
	return f
}

func (f *field) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyEscape, fyne.KeyF1, fyne.KeyF3, fyne.KeyUp, fyne.KeyDown:
		if f.passKey != nil && f.passKey(ev) {
			return
		}
	}
	f.Entry.TypedKey(ev)
}

// set changes the text without telling OnChanged.
func (f *field) set(s string) {
	if f.Text != s {
		changed := f.OnChanged
		f.OnChanged = nil
		f.SetText(s)
		f.OnChanged = changed
	}
}

// scanField is a scan entry that lets function keys and Esc through to the
// window.
type scanField struct {
	widgets.ScanEntry
	passKey func(*fyne.KeyEvent) bool
}

func newScanField(hint string, pass func(*fyne.KeyEvent) bool) *scanField {
	f := &scanField{passKey: pass}
	f.ExtendBaseWidget(f)
	f.SetPlaceHolder(hint)
	return f
}

func (f *scanField) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyEscape, fyne.KeyF1, fyne.KeyF3:
		if f.passKey(ev) {
			return
		}
	}
	f.ScanEntry.TypedKey(ev)
}

// emptyState is one sentence and one thing to do.
func emptyState(sentence, action string, do func()) fyne.CanvasObject {
	l := text(sentence)
	l.Alignment = fyne.TextAlignCenter
	box := container.NewVBox(ofWidth(320, l)) // fits beside the panels at 150 % on 1366 pixels
	if action != "" {
		box.Add(container.NewHBox(layout.NewSpacer(), widget.NewButton(action, do), layout.NewSpacer()))
	}
	return container.NewCenter(box)
}

func severityColour(s qc.Severity) color.Color {
	ground, _ := look.Severity(s)
	return ground
}
