package bench

import (
	"cmp"
	"image"
	"math"
	"slices"
	"strconv"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/ui/look"
	"flawmark/ui/model"
	"flawmark/ui/widgets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// inspectScreen is the bench itself: the card on the left, tools and photo in
// the middle, flaws and verdict on the right.
type inspectScreen struct {
	w    *Window
	root *fyne.Container

	scan     *scanField
	headline *widget.Label
	clock    *widget.Label

	card   *itemCard
	panel  *flawPanel
	tools  *widgets.Toggle
	photo  *widgets.PhotoCanvas
	looks  *looks
	thumbs *widgets.Thumbs
	view   *model.View
	insets insets
	zoom   *widget.Label
	word   *widget.Label   // on the photo in view, or on those being read
	stage  *fyne.Container // the photo, or what to do without one
	desk   *fyne.Container // the photo with its tools and strip

	choices *keyList
	chosen  int

	item    qc.ItemID  // last shown
	shown   qc.PhotoID // in the canvas
	offered int        // choices shown
}

func newInspectScreen(w *Window) *inspectScreen {
	s := &inspectScreen{w: w, scan: newScanField(w.say("station.scan_hint"), w.onKey), headline: line(""), clock: widget.NewLabel("")}
	s.scan.OnSubmitted = func(scanned string) {
		w.burst.runes = nil
		w.station.Inspection.Scan(scanned)
	}
	s.headline.TextStyle.Bold, s.clock.TextStyle.Bold = true, true
	s.card, s.panel = newItemCard(w), newFlawPanel(w)
	s.photo = newPhoto(w)
	s.looks = newLooks(w, s.photo, w.station.Inspection.Comparables)
	s.tools = widgets.NewToggle()
	s.tools.Vertical = true
	s.tools.OnChanged = func(key string) { s.setTool(qc.Tool(key)) }
	s.thumbs = widgets.NewThumbs()
	s.thumbs.AddLabel = w.say("button.add_photo")
	s.thumbs.OnAdd = w.choosePhoto
	s.thumbs.OnSelected = func(key string) { w.station.Inspection.ShowPhoto(qc.PhotoID(key)) }
	s.thumbs.OnRemove = func(key string) { w.station.Inspection.RemovePhoto(qc.PhotoID(key)) }
	s.restyle()
	s.view = w.station.Pictures.NewView()
	s.photo.OnProblem = s.view.Problem
	s.zoom = widget.NewLabel("")
	s.zoom.SizeName = theme.SizeNameCaptionText
	s.word = line("")
	s.word.SizeName = theme.SizeNameCaptionText
	s.word.Hide()
	s.wirePhoto()
	s.build()
	s.setTool("")
	return s
}

// restyle sets what depends on the theme and the size.
func (s *inspectScreen) restyle() {
	rail := toolRail()
	options := make([]widgets.Option, len(rail))
	for i, t := range rail {
		options[i] = widgets.Option{Key: string(t.tool), Icon: t.icon.Resource(), Hint: s.w.keyOf(t.id)}
	}
	s.tools.Columns, s.tools.Side = 2, s.w.target()
	s.tools.SetOptions(options...)
	s.thumbs.Side = 72 * scale()
	s.thumbs.Refresh()
	s.photo.SetGloves(s.w.station.Settings.Values().Gloves)
	s.photo.Surround = theme.Color(look.ColourSurround)
	s.photo.Refresh()
	s.looks.refresh()
	s.panel.state = "" // its chips are made anew
}

// newPhoto returns a canvas for photos whose spare keys go to the window.
func newPhoto(w *Window) *widgets.PhotoCanvas {
	p := widgets.NewPhotoCanvas()
	p.Surround = theme.Color(look.ColourSurround)
	p.OnTypedKey = func(ev *fyne.KeyEvent) { w.onKey(ev) }
	p.OnHeld, p.OnPress = w.onHeld, w.burst.act
	p.OnTypedRune = func(r rune) { w.burst.typed(r) }
	w.prepare(p)
	return p
}

func (s *inspectScreen) wirePhoto() {
	in := s.w.station.Inspection
	s.photo.OnDrawn = s.drawn
	s.photo.OnEditedAll = in.EditMarks
	s.photo.OnNudged = in.NudgeMarks
	s.photo.OnSelected = in.SelectMarks
	s.photo.OnDuplicate = func(ids []qc.MarkID) { in.DuplicateMarks(ids...) }
	s.photo.OnCopyOn = func(ids []qc.MarkID) { in.CopyMarksToNextPhoto(ids...) }
	s.photo.OnReorder = func(to widgets.Order, ids []qc.MarkID) {
		orders := map[widgets.Order]model.Order{
			widgets.Raise: model.Raise, widgets.Lower: model.Lower, widgets.ToFront: model.ToFront, widgets.ToBack: model.ToBack,
		}
		in.ReorderMarks(orders[to], ids...)
	}
	s.photo.OnWords = func(id qc.MarkID) { s.panel.marks.write(id) }
	s.photo.OnInsetZoom = in.SetZoom
	s.photo.OnTool = func(t qc.Tool) { s.tools.Select(string(t)) }
	s.photo.OnZoomed = func(percent float64, fit bool) {
		key := "station.zoom"
		if fit {
			key = "station.zoom_fit"
		}
		s.zoom.SetText(s.w.say(key, "n", strconv.Itoa(int(percent+0.5))))
	}
}

func (s *inspectScreen) build() {
	w := s.w
	fit := widget.NewButton(w.say("station.do.fit"), func() { s.photo.Fit() })
	actual := widget.NewButton("100 %", func() { s.photo.ActualSize() })
	compare := widget.NewButton(w.say("station.compare.button"), func() { s.looks.nextMode() })
	fit.Importance, actual.Importance, compare.Importance = widget.LowImportance, widget.LowImportance, widget.LowImportance
	strip := container.NewBorder(nil, nil, nil, container.NewVBox(
		container.NewHBox(layout.NewSpacer(), fit, actual), container.NewHBox(layout.NewSpacer(), s.zoom, compare)), s.thumbs)
	s.desk = container.NewBorder(nil, panel(container.NewBorder(s.word, nil, nil, nil, strip)), container.NewStack(newGround(look.ColourPanel), container.NewVScroll(container.NewPadded(s.tools))), nil, s.looks.over())
	s.choices = newKeyList(w,
		func() int { return len(w.station.Inspection.Choices()) }, newRow,
		func(id int, o fyne.CanvasObject) {
			if items := w.station.Inspection.Choices(); id < len(items) {
				item := items[id]
				setRow(o, string(item.ID)+" · "+item.Title.In(w.words.Language()),
					item.Variant.In(w.words.Language())+" · "+item.Seller, widget.MediumImportance)
			}
		})
	s.choices.OnSelected = func(id int) {
		if !s.choices.showing {
			s.choose(id)
		}
	}
	s.choices.onKey = s.choiceKey
	s.stage = container.NewStack()
	top := container.NewBorder(nil, nil, ofWidth(300, s.scan), s.clock, s.headline)
	s.root = container.NewBorder(panel(top), nil, ofWidth(leftWidth, s.card.box), ofWidth(rightWidth, s.panel.box), s.stage)
}

func (s *inspectScreen) content() fyne.CanvasObject { return s.root }

func (s *inspectScreen) focus() {
	in := s.w.station.Inspection
	if _, ok := in.Item(); ok && len(in.Finding().Photos) > 0 {
		s.w.focusOn(s.photo)
		return
	}
	if len(in.Choices()) > 0 {
		s.w.focusOn(s.choices)
		return
	}
	s.w.focusOn(s.scan)
}

func (s *inspectScreen) choiceKey(ev *fyne.KeyEvent) bool {
	n := len(s.w.station.Inspection.Choices())
	switch ev.Name {
	case fyne.KeyDown:
		s.chosen = min(s.chosen+1, n-1)
	case fyne.KeyUp:
		s.chosen = max(s.chosen-1, 0)
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		s.choose(s.chosen)
		return true
	default:
		return s.w.onKey(ev)
	}
	s.choices.show(s.chosen)
	return true
}

func (s *inspectScreen) choose(id int) {
	if items := s.w.station.Inspection.Choices(); id >= 0 && id < len(items) {
		s.w.station.Inspection.Open(items[id].ID)
	}
}

func (s *inspectScreen) refresh() {
	in, lang := s.w.station.Inspection, s.w.words.Language()
	item, open := in.Item()
	window := in.Window()
	s.headline.SetText("")
	showClock(s.clock, window, "")
	if open {
		s.headline.SetText(string(item.ID) + " · " + item.Title.In(lang) + " · " + item.Variant.In(lang) + " · " + item.UnitPrice.String())
		if !window.Text.IsZero() {
			showClock(s.clock, window, "⏱ "+window.Text.In(s.w.words))
		}
	}
	s.card.refresh()
	s.panel.refresh()
	s.showStage(open)
	s.showThumbs()
	s.showPhoto()
	if item.ID != s.item || len(in.Choices()) != s.offered {
		s.item, s.offered = item.ID, len(in.Choices())
		if s.offered > 0 {
			s.chosen = 0
			s.choices.Refresh()
			s.choices.show(0)
		}
		if open || s.offered > 0 {
			s.focusWork(open)
		}
	}
}

// focusWork puts the focus where the next step is: the photo takes the keys of
// tools and presets.
func (s *inspectScreen) focusWork(open bool) {
	if open {
		s.w.window.Canvas().Unfocus()
		s.w.focusOn(s.photo)
		return
	}
	s.w.focusOn(s.choices)
}

func (s *inspectScreen) showStage(open bool) {
	in := s.w.station.Inspection
	var o fyne.CanvasObject
	switch {
	case in.Loading() && !open: // else the item stays in view, so that nothing flickers
		o = emptyState(s.w.say("station.item_loading"), "", nil)
	case len(in.Choices()) > 0:
		o = container.NewBorder(bold(s.w.say("station.choose_item", "n", len(in.Choices()))), nil, nil, nil, s.choices)
	case !open:
		o = emptyState(s.w.say("station.no_item"), s.w.say("station.do.scan")+"  Ctrl+L", s.w.FocusScan)
	default:
		o = s.desk
	}
	if open {
		s.photo.SetPlaceholder(s.w.say("station.no_photo"))
		if in.Arriving() > 0 {
			s.photo.SetPlaceholder(s.w.say("station.photos_arriving", "n", in.Arriving()))
		}
	}
	if len(s.stage.Objects) == 1 && s.stage.Objects[0] == o {
		return
	}
	s.stage.Objects = []fyne.CanvasObject{o}
	s.stage.Refresh()
}

// pictures shows small pictures that have arrived.
func (s *inspectScreen) pictures() {
	s.card.refresh()
	s.showThumbs()
	s.showWord()
}

func (s *inspectScreen) showThumbs() {
	in := s.w.station.Inspection
	f := in.Finding()
	thumbs := make([]widgets.Thumb, 0, len(f.Photos))
	for _, p := range f.Photos {
		thumb := widgets.Thumb{Key: string(p.ID), Image: s.w.station.Pictures.Small(p.Thumb.Digest)}
		n := 0
		for _, m := range f.Marks {
			if m.Photo == p.ID {
				n++
			}
		}
		if n > 0 {
			thumb.Badge = strconv.Itoa(n)
		}
		thumbs = append(thumbs, thumb)
	}
	s.thumbs.SetThumbs(thumbs)
	p, _ := in.Photo()
	s.thumbs.Select(string(p.ID))
}

func (s *inspectScreen) showPhoto() {
	in := s.w.station.Inspection
	p, ok := in.Photo()
	early, pixels := in.Early()
	switch {
	case !ok && pixels != nil:
		s.shown = ""
		s.view.Close()
		s.photo.SetPhoto(string(early), pixels.Rect.Dx(), pixels.Rect.Dy(), pixels)
	case p.ID != s.shown || !ok:
		s.shown = p.ID
		view(s.w, s.view, &s.insets, s.photo, p, in.Nearby(), ok, func() {
			s.showMarks()
			s.photo.InsetsChanged()
		})
		s.looks.another()
	}
	s.showMarks()
	s.showWord()
}

// showWord says which photo is being read, or what makes the one in view poor
// evidence.
func (s *inspectScreen) showWord() {
	in := s.w.station.Inspection
	p, ok := in.Photo()
	words := ""
	s.word.Importance = widget.MediumImportance
	if n, of := in.Reading(); of > 0 {
		words = s.w.say("station.photo_reading", "n", n, "m", of)
	} else if warnings := s.w.station.Pictures.Warnings(p); ok && len(warnings) > 0 {
		words = "⚠ " + model.Join(s.w.words, " ", warnings...)
		s.word.Importance = widget.WarningImportance
	}
	s.word.SetText(words)
	if shown := words != ""; shown != s.word.Visible() {
		s.word.Hidden = !shown
		s.desk.Refresh()
	}
}

func (s *inspectScreen) showMarks() {
	in := s.w.station.Inspection
	if p, ok := in.Photo(); ok {
		s.photo.SetScale(p.Scale)
	}
	marks := in.Finding().Marks
	if s.photo.InsetSource = s.view.Source(marks); s.photo.InsetSource == nil {
		s.photo.InsetSource = s.insets.of(s.shown, marks)
	}
	s.photo.SetMarks(shapes(in.Marks()))
	s.photo.Select(in.SelectedMarks()...)
	s.photo.Severity = qc.Minor
	for _, row := range in.Flaws() {
		if row.Active {
			s.photo.Severity = row.Flaw.Severity
		}
	}
}

// view brings a photo into a canvas: its size at once, its pixels as they come.
// opened is told when the original's are to be had.
func view(w *Window, v *model.View, parts *insets, into *widgets.PhotoCanvas, p qc.Photo, nearby []qc.Photo, ok bool, opened func()) {
	parts.take(p, nil)
	if !ok {
		v.Close()
		into.SetPhoto("", 0, 0)
		return
	}
	key := string(p.ID)
	var levels []*image.RGBA
	if img := w.station.Pictures.Small(p.Thumb.Digest); img != nil {
		levels = append(levels, img)
	}
	into.SetPhoto(key, p.Width, p.Height, levels...)
	v.Show(p, nearby, model.Sight{
		Level: func(img *image.RGBA) {
			into.AddLevel(key, img)
			if parts.take(p, img); parts.level != nil {
				opened()
			}
		},
		Tiles: func(t *model.Tiles) {
			into.SetTiles(key, t)
			opened()
		},
		Missing: func() {
			into.SetPlaceholder(w.say("station.photo_not_here"))
			into.SetPhoto("", 0, 0)
		},
	})
}

func shapes(views []model.MarkView) []annotate.Shape {
	out := make([]annotate.Shape, 0, len(views))
	for _, v := range views {
		out = append(out, annotate.Shape{Mark: v.Mark, Number: v.Number, Severity: v.Severity, Label: v.Label})
	}
	return out
}

// drawn takes a mark that was drawn. A text is nothing without words, so that
// the next thing is to write them.
func (s *inspectScreen) drawn(tool qc.Tool, points []qc.Point) {
	in := s.w.station.Inspection
	before := in.Mark()
	in.Draw(tool, points)
	if id := in.Mark(); tool == qc.Text && id != before {
		s.panel.marks.write(id)
	}
}

func (s *inspectScreen) selectAll() {
	in := s.w.station.Inspection
	var ids []qc.MarkID
	for _, v := range in.Marks() {
		ids = append(ids, v.Mark.ID)
	}
	in.SelectMarks(ids...)
}

// resizeMarks makes the selected marks a step larger or smaller about their
// middle; an inset enlarges more or less.
func (s *inspectScreen) resizeMarks(way float64) {
	const step = 1.1
	in := s.w.station.Inspection
	edits := make(map[qc.MarkID][]qc.Point)
	for _, v := range in.Marks() {
		m := v.Mark
		switch {
		case !slices.Contains(in.SelectedMarks(), m.ID):
		case m.Tool == qc.Inset:
			if s.w.focused() != fyne.Focusable(s.photo) { // the photo has done it
				in.SetZoom(m.ID, cmp.Or(m.Zoom, qc.DefaultZoom)+way/2)
			}
		case len(m.Points) > 1:
			edits[m.ID] = aboutMiddle(m.Points, math.Pow(step, way))
		}
	}
	in.NudgeMarks(edits)
}

// aboutMiddle scales points about the middle of the box around them.
func aboutMiddle(points []qc.Point, by float64) []qc.Point {
	low, high := points[0], points[0]
	for _, p := range points {
		low = qc.Point{X: min(low.X, p.X), Y: min(low.Y, p.Y)}
		high = qc.Point{X: max(high.X, p.X), Y: max(high.Y, p.Y)}
	}
	x, y := (low.X+high.X)/2, (low.Y+high.Y)/2
	scaled := make([]qc.Point, len(points))
	for n, p := range points {
		scaled[n] = qc.Point{X: x + (p.X-x)*by, Y: y + (p.Y-y)*by}
	}
	return scaled
}

func (s *inspectScreen) setTool(t qc.Tool) {
	s.photo.SetTool(t)
	s.tools.Select(string(t))
}

// preset adds the flaw of a digit and arms the box, because the next thing is
// to show where it is.
func (s *inspectScreen) preset(n int) {
	s.w.station.Inspection.Preset(n)
	s.armBox()
}

func (s *inspectScreen) armBox() {
	if s.photo.Tool() == "" {
		s.setTool(qc.Box)
	}
	s.w.focusOn(s.photo)
}
