package widgets

import (
	"image"
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

var (
	_ fyne.Widget         = (*PhotoCanvas)(nil)
	_ fyne.Focusable      = (*PhotoCanvas)(nil)
	_ fyne.Tabbable       = (*PhotoCanvas)(nil)
	_ fyne.Draggable      = (*PhotoCanvas)(nil)
	_ fyne.Scrollable     = (*PhotoCanvas)(nil)
	_ fyne.Shortcutable   = (*PhotoCanvas)(nil)
	_ fyne.DoubleTappable = (*PhotoCanvas)(nil)
	_ desktop.Mouseable   = (*PhotoCanvas)(nil)
	_ desktop.Hoverable   = (*PhotoCanvas)(nil)
	_ desktop.Cursorable  = (*PhotoCanvas)(nil)
	_ desktop.Keyable     = (*PhotoCanvas)(nil)
)

// PhotoCanvas shows one photo with its marks, pans and zooms it, and lets a
// person draw and change marks. It keeps no marks of its own: it reports what
// was done and shows what it is given by [PhotoCanvas.SetMarks].
//
// All methods are called and all callbacks are made on the UI goroutine. The
// fields are set before the canvas is shown. The canvas starts no goroutine
// but for one picture of each kind at a time and for a few tiles; it stops them
// when it goes away.
//
// The toolkit delivers one finger at a time, as a drag, and on the desktop no
// touches at all; two fingers that pinch are never told apart. So there is no
// zooming by pinching here: on a touch pad the system sends it as scrolling.
type PhotoCanvas struct {
	widget.BaseWidget

	// OnDrawn receives a finished new mark's points, image pixels.
	OnDrawn func(tool qc.Tool, points []qc.Point)
	// OnEditedAll receives marks that were moved or reshaped, at the gesture's
	// end, with their points. No points: the person deletes the mark.
	OnEditedAll func(edits map[qc.MarkID][]qc.Point)
	// OnNudged receives the same for a step of the keyboard.
	OnNudged func(edits map[qc.MarkID][]qc.Point)
	// OnSelected receives the selected marks in the order of their selection;
	// none when nothing is.
	OnSelected func(ids ...qc.MarkID)
	// OnDuplicate and OnCopyOn receive marks that are to be copied on this
	// photo and to the next one.
	OnDuplicate, OnCopyOn func(ids []qc.MarkID)
	// OnReorder receives marks that are to lie elsewhere among the others.
	OnReorder func(to Order, ids []qc.MarkID)
	// OnWords receives a text whose words a person wants to write.
	OnWords func(id qc.MarkID)
	// OnInsetZoom receives how much an inset shall enlarge.
	OnInsetZoom func(id qc.MarkID, zoom float64)
	// OnZoomed receives the zoom; 100 is one image pixel a device pixel.
	OnZoomed func(percent float64, fit bool)
	// OnTool receives "" when Esc puts the tool away.
	OnTool func(t qc.Tool)
	// OnPress hears that a mouse button goes down, before the canvas acts on
	// it.
	OnPress func()
	// OnTypedKey and OnTypedRune receive what the canvas does not use itself.
	OnTypedKey  func(*fyne.KeyEvent)
	OnTypedRune func(rune)
	// OnShortcut receives the shortcuts that the canvas does not use itself;
	// nil hands them to the window, as if nothing had the focus.
	OnShortcut func(fyne.Shortcut)

	// Surround is the colour around the photo; nil stands for neutral grey.
	Surround color.Color
	// OnLook hears that the turn, the light, the comparing or what is hidden
	// has changed.
	OnLook func()
	// OnHeld receives each key that goes down and up while the canvas has the
	// focus, so that something can be done while it is held. A key that is held
	// when the focus goes is reported up.
	OnHeld func(key *fyne.KeyEvent, down bool)
	// OnProblem receives why a tile cannot be had, once for each source.
	OnProblem func(error)

	// KeepZoom keeps zoom, place, turn and light when another photo of the same
	// proportions is set.
	KeepZoom bool
	// Severity colours a mark while it is being drawn.
	Severity qc.Severity
	// InsetSource is where insets take their pixels from, and redactions their
	// colour: see [annotate.Source]. It is called off the UI goroutine, by
	// whatever Background runs. nil: insets show their frame only.
	InsetSource annotate.Source
	// Dispatch runs a function on the UI goroutine; nil stands for fyne.Do.
	Dispatch func(func())
	// Background runs a function off the UI goroutine; nil stands for go.
	// Tests run it at once, because the test driver has no UI goroutine that
	// fyne.Do could wait for.
	Background func(func())

	subject
	other       other
	cache       tileCache
	flying      int  // tiles under way
	pumping     bool // tiles are being sent for
	came        bool // tiles came while they were sent for
	light       lighting
	placeholder string
	shapes      []annotate.Shape
	selected    []qc.MarkID     // in the order of selection
	corner      annotate.Handle // of the one selected mark, taken last; Body: none
	tool        qc.Tool
	scale       qc.Scale
	gloves      bool
	laid        laid

	port   viewport
	device float64 // device pixels per unit of the canvas
	scaled bool    // a new scale was seen and is about to be taken over
	told   struct {
		percent float64
		fit     bool
	}

	gesture *gesture
	grip    func(at fyne.Position) // follows the pointer instead of a gesture
	pointer *fyne.Position         // nil: elsewhere
	held    map[fyne.KeyName]*fyne.KeyEvent
	clicked *fyne.Position // where the last click was; nil: it was a drag
	twice   bool           // so was the one before it
	cursor  desktop.Cursor
	cursors cursors
	mods    fyne.KeyModifier
	altUsed bool // Alt was held for the mouse, and no key was pressed since
	space   bool
	focused bool
	pressed bool // a mouse button is down

	marksVersion int // grows with whatever changes how marks look
	marksHidden  bool
	photoVersion int // grows with whatever changes how photos look
	photo, under sheet
	photoLane    lane
	turning      turning

	ground *canvas.Rectangle // the first of the four around the photo
	around surround
	words  []*canvas.Text
	draft  draft

	layers   layers
	divider  divider
	overview overview
}

// NewPhotoCanvas returns an empty canvas.
func NewPhotoCanvas() *PhotoCanvas {
	c := &PhotoCanvas{
		device: 1,
		cursor: desktop.DefaultCursor,
		ground: canvas.NewRectangle(neutral),
		cache:  tileCache{limit: cacheBytes},
		layers: newLayers(),
		held:   map[fyne.KeyName]*fyne.KeyEvent{},
	}
	c.divider.share = 0.5
	c.around = newSurround(c.ground)
	c.ExtendBaseWidget(c)
	return c
}

// SetPhoto shows the photo of w×h image pixels that key identifies. levels are
// pictures of it in any sizes, which are not changed afterwards. The same key
// keeps the view and the levels there are; another one is fitted. An empty key
// or size shows the placeholder.
func (c *PhotoCanvas) SetPhoto(key string, w, h int, levels ...*image.RGBA) {
	if key == "" || w <= 0 || h <= 0 {
		key, w, h, levels = "", 0, 0, nil
	}
	if key != c.key || w != c.port.w || h != c.port.h {
		c.cancelGesture()
		c.photoLane.reset()
		c.subject.clear(&c.cache)
		c.key = key
		c.showAnother(w, h)
		c.photo.show(picture{})
		c.under.show(picture{})
		c.forgetOther()
		c.marksVersion++
	}
	for _, img := range levels {
		c.addLevel(img)
	}
	c.update()
}

// AddLevel adds a sharper picture; it is ignored when key is not shown.
func (c *PhotoCanvas) AddLevel(key string, img *image.RGBA) {
	if key != "" && key == c.key {
		c.addLevel(img)
		c.update()
	}
}

// SetPlaceholder sets the text that is shown where there is no photo; lines
// are separated by \n.
func (c *PhotoCanvas) SetPlaceholder(text string) {
	if c.placeholder != text {
		c.placeholder = text
		c.update()
	}
}

// SetMarks shows these marks. Selected ones that are gone are unselected
// without a callback.
func (c *PhotoCanvas) SetMarks(shapes []annotate.Shape) {
	if slices.EqualFunc(c.shapes, shapes, sameShape) {
		return
	}
	c.shapes = make([]annotate.Shape, len(shapes))
	for i, s := range shapes {
		s.Mark.Points = slices.Clone(s.Mark.Points)
		c.shapes[i] = s
	}
	c.setSelected(c.selected)
	if g := c.gesture; g != nil && g.kind == editing && slices.ContainsFunc(g.shapes, func(s annotate.Shape) bool { return c.find(s.Mark.ID) < 0 }) {
		c.cancelGesture()
	}
	c.marksVersion++
	c.update()
}

// Shapes returns the marks that are shown. They are not to be changed.
func (c *PhotoCanvas) Shapes() []annotate.Shape { return c.shapes }

func sameShape(a, b annotate.Shape) bool {
	return a.Number == b.Number && a.Severity == b.Severity && a.Label == b.Label &&
		a.Mark.ID == b.Mark.ID && a.Mark.Tool == b.Mark.Tool && a.Mark.Photo == b.Mark.Photo && a.Mark.Flaw == b.Mark.Flaw &&
		a.Mark.Text == b.Mark.Text && a.Mark.Zoom == b.Mark.Zoom && slices.Equal(a.Mark.Points, b.Mark.Points)
}

// find returns the place of a mark among the shapes, or -1.
func (c *PhotoCanvas) find(id qc.MarkID) int {
	if id == "" {
		return -1
	}
	return slices.IndexFunc(c.shapes, func(s annotate.Shape) bool { return s.Mark.ID == id })
}

// SetTool arms a tool, which stays armed; "" is the select tool.
func (c *PhotoCanvas) SetTool(t qc.Tool) {
	if c.tool != t {
		c.cancelGesture()
		c.tool = t
		c.setCorner(annotate.Body)
		c.cursor = c.idleCursor()
	}
}

// Tool returns the armed tool; "" is the select tool.
func (c *PhotoCanvas) Tool() qc.Tool { return c.tool }

// ImageToWidget returns where on the widget an image point is.
func (c *PhotoCanvas) ImageToWidget(p qc.Point) fyne.Position {
	q := c.port.view.ToScreen(p)
	return fyne.NewPos(float32(q.X/c.device), float32(q.Y/c.device))
}

// WidgetToImage returns the image point at a place of the widget. It may be
// outside the image.
func (c *PhotoCanvas) WidgetToImage(p fyne.Position) qc.Point {
	if c.port.view.Scale == 0 {
		return qc.Point{}
	}
	return c.port.view.ToImage(qc.Point{X: float64(p.X) * c.device, Y: float64(p.Y) * c.device})
}

// MinSize is called by Fyne.
func (c *PhotoCanvas) MinSize() fyne.Size {
	c.ExtendBaseWidget(c)
	return fyne.NewSize(200, 150)
}
