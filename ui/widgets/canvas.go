package widgets

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// PhotoCanvas shows one photo with its marks, pans and zooms it, and lets a
// person draw and change marks. It keeps no marks of its own: it reports what
// was done and shows what it is given by [PhotoCanvas.SetMarks].
//
// All methods are called and all callbacks are made on the UI goroutine.
type PhotoCanvas struct {
	widget.BaseWidget

	// OnDrawn receives a finished new mark's points, image pixels.
	OnDrawn func(tool qc.Tool, points []qc.Point)
	// OnEdited receives a mark that was moved or resized, at the gesture's
	// end. No points: the person deletes the mark.
	OnEdited func(id qc.MarkID, points []qc.Point)
	// OnSelected receives the selected mark, "" when nothing is.
	OnSelected func(id qc.MarkID)
	// OnZoomed receives the zoom; 100 is one image pixel a device pixel.
	OnZoomed func(percent float64, fit bool)
	// OnTool receives the tool when Esc puts it away.
	OnTool func(t qc.Tool)
	// OnTypedKey and OnTypedRune receive what the canvas does not use itself.
	OnTypedKey  func(*fyne.KeyEvent)
	OnTypedRune func(rune)

	// Surround is the colour around the photo; nil stands for neutral grey.
	Surround color.Color
	// KeepZoom keeps zoom and place when another photo of equal size is set.
	KeepZoom bool
	// Severity colours a mark while it is being drawn.
	Severity qc.Severity
	// Dispatch runs a function on the UI goroutine; nil stands for fyne.Do.
	Dispatch func(func())
	// Background runs a function off the UI goroutine; nil stands for go.
	Background func(func())
}

// NewPhotoCanvas returns an empty canvas.
func NewPhotoCanvas() *PhotoCanvas {
	c := &PhotoCanvas{}
	c.ExtendBaseWidget(c)
	return c
}

// SetPhoto shows the photo of w×h image pixels that key identifies. levels are
// pictures of it in any sizes. The same key keeps the view; another one is
// fitted. An empty key or size shows the placeholder.
func (c *PhotoCanvas) SetPhoto(key string, w, h int, levels ...*image.RGBA) {}

// AddLevel adds a sharper picture; it is ignored when key is not shown.
func (c *PhotoCanvas) AddLevel(key string, img *image.RGBA) {}

// SetPlaceholder sets the text that is shown where there is no photo.
func (c *PhotoCanvas) SetPlaceholder(text string) {}

// SetMarks shows these marks.
func (c *PhotoCanvas) SetMarks(shapes []annotate.Shape) {}

// Select selects a mark, "" none, without a callback.
func (c *PhotoCanvas) Select(id qc.MarkID) {}

// Selected returns the selected mark, "" none.
func (c *PhotoCanvas) Selected() qc.MarkID { return "" }

// SetTool arms a tool; "" is the select tool.
func (c *PhotoCanvas) SetTool(t qc.Tool) {}

// Tool returns the armed tool; "" is the select tool.
func (c *PhotoCanvas) Tool() qc.Tool { return "" }

// Fit shows the whole photo and keeps doing so when the canvas is resized.
func (c *PhotoCanvas) Fit() {}

// ActualSize shows one image pixel a device pixel.
func (c *PhotoCanvas) ActualSize() {}

// ZoomBy multiplies the zoom about the middle of the canvas.
func (c *PhotoCanvas) ZoomBy(f float64) {}

// Zoom returns the zoom; 100 is one image pixel a device pixel.
func (c *PhotoCanvas) Zoom() (percent float64, fit bool) { return 100, true }

// ImageToWidget returns where on the widget an image point is.
func (c *PhotoCanvas) ImageToWidget(p qc.Point) fyne.Position { return fyne.Position{} }

// WidgetToImage returns the image point at a place of the widget.
func (c *PhotoCanvas) WidgetToImage(p fyne.Position) qc.Point { return qc.Point{} }

// CreateRenderer is called by Fyne.
func (c *PhotoCanvas) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(widget.NewLabel(""))
}
