package bench

import (
	"flawmark/app/qc"

	"fyne.io/fyne/v2"
)

// Description says what the window shows, for support and tests. It holds
// nothing that the window does not show.
type Description struct {
	Screen string     `json:"screen"`
	Person qc.StaffID `json:"person,omitempty"`
	Notice string     `json:"notice,omitempty"`
	Bad    bool       `json:"bad,omitempty"`    // the notice is about a failure
	Status []string   `json:"status"`           // pieces of the line at the bottom
	Saving bool       `json:"saving,omitempty"` // what is shown is not all on the disk yet
	Item   qc.ItemID  `json:"item,omitempty"`
	Photos int        `json:"photos"`
	Photo  qc.PhotoID `json:"photo,omitempty"` // in view
	Tool   qc.Tool    `json:"tool,omitempty"`
	Marks  []qc.Mark  `json:"marks,omitempty"`
	Flaws  []qc.Flaw  `json:"flaws,omitempty"`
	// Shown are the marks that the photo is shown with.
	Shown []qc.Mark `json:"shown,omitempty"`
	// Selected is the item of the row in view on Review and Cases.
	Selected qc.ItemID `json:"selected,omitempty"`
	// Canvas is where the photo lies in the window, in pixels of the screen,
	// and Image how it lies in there: pixels of the screen for one of the photo
	// and the place of the photo's corner.
	Canvas Rect    `json:"canvas"`
	Zoom   float64 `json:"zoom"`
	Corner Rect    `json:"corner"`
}

// Rect is a place in the window in pixels of the screen.
type Rect struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w,omitempty"`
	H float64 `json:"h,omitempty"`
}

// Describe returns what the window shows now.
func (w *Window) Describe() Description {
	d := Description{Screen: string(w.screen), Saving: w.station.Saving()}
	if person, in := w.station.SignIn.Person(); in {
		d.Person = person.ID
	}
	if notice := w.station.Notices.Current(); !notice.Sentence.IsZero() {
		d.Notice, d.Bad = notice.Sentence.In(w.words), notice.Bad
	}
	for _, part := range w.station.Status.Parts() {
		d.Status = append(d.Status, part.In(w.words))
	}
	in := w.station.Inspection
	if item, ok := in.Item(); ok {
		d.Item = item.ID
		d.Photos, d.Marks, d.Flaws = len(in.Finding().Photos), in.Finding().Marks, in.Finding().Flaws
		if p, ok := in.Photo(); ok {
			d.Photo = p.ID
		}
	}
	switch w.screen {
	case screenReview:
		if row, _, ok := w.station.Reviews.Selected(); ok {
			d.Selected = row.Standing.Item.ID
		}
	case screenCases:
		if row, _, ok := w.station.Cases.Selected(); ok {
			d.Selected = row.Case.Item
		}
	}
	d.Tool = qc.Tool(w.inspect.tools.Selected())
	w.describePhoto(&d)
	return d
}

func (w *Window) describePhoto(d *Description) {
	canvas := w.photoInView()
	for _, shape := range canvas.Shapes() {
		d.Shown = append(d.Shown, shape.Mark)
	}
	scale := float64(w.window.Canvas().Scale())
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(canvas)
	d.Canvas = Rect{
		X: float64(at.X) * scale, Y: float64(at.Y) * scale,
		W: float64(canvas.Size().Width) * scale, H: float64(canvas.Size().Height) * scale,
	}
	corner, far := canvas.ImageToWidget(qc.Point{}), canvas.ImageToWidget(qc.Point{X: 1000})
	d.Zoom = float64(far.X-corner.X) * scale / 1000
	d.Corner = Rect{X: float64(at.X+corner.X) * scale, Y: float64(at.Y+corner.Y) * scale}
}
