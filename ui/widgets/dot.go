package widgets

import (
	"image"
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
	"golang.org/x/image/vector"
)

// Form is the form of a status sign. Each status has its own, because colour
// alone is not seen by everybody.
type Form int

// The forms.
const (
	Disc     Form = iota // full: all is well
	Ring                 // hollow: nothing, off
	Half                 // half full: under way
	Triangle             // look here
	Square               // stopped
	Diamond              // news
)

// Dot is a status: a coloured form and a text.
type Dot struct {
	widget.BaseWidget

	form   Form
	colour color.Color
	text   string
}

// NewDot returns a status. A nil colour is that of text.
func NewDot(form Form, colour color.Color, text string) *Dot {
	d := &Dot{form: form, colour: colour, text: text}
	d.ExtendBaseWidget(d)
	return d
}

// Set changes the status.
func (d *Dot) Set(form Form, colour color.Color, text string) {
	if d.form == form && d.colour == colour && d.text == text {
		return
	}
	d.form, d.colour, d.text = form, colour, text
	d.Refresh()
}

// CreateRenderer is called by Fyne.
func (d *Dot) CreateRenderer() fyne.WidgetRenderer {
	d.ExtendBaseWidget(d)
	r := &dotRenderer{dot: d, text: canvas.NewText("", color.Black)}
	r.sign = canvas.NewRaster(func(w, h int) image.Image { return drawForm(d.form, r.colour, w, h) })
	r.Refresh()
	return r
}

type dotRenderer struct {
	dot    *Dot
	sign   *canvas.Raster
	text   *canvas.Text
	colour color.Color
}

func (r *dotRenderer) side() float32 { return r.dot.Theme().Size(theme.SizeNameText) * 0.9 }

func (r *dotRenderer) MinSize() fyne.Size {
	size := fyne.NewSize(r.side(), r.text.MinSize().Height)
	if r.text.Text != "" {
		size.Width += r.gap() + r.text.MinSize().Width
	}
	return size
}

func (r *dotRenderer) gap() float32 { return r.side() / 2 }

func (r *dotRenderer) Layout(size fyne.Size) {
	side := r.side()
	r.sign.Resize(fyne.NewSquareSize(side))
	r.sign.Move(fyne.NewPos(0, (size.Height-side)/2))
	r.text.Resize(fyne.NewSize(max(size.Width-side-r.gap(), 0), r.text.MinSize().Height))
	r.text.Move(fyne.NewPos(side+r.gap(), (size.Height-r.text.MinSize().Height)/2))
}

func (r *dotRenderer) Refresh() {
	d := r.dot
	foreground := themeColour(d, theme.ColorNameForeground)
	r.colour = d.colour
	if r.colour == nil {
		r.colour = foreground
	}
	r.text.Text, r.text.Color, r.text.TextSize = d.text, foreground, d.Theme().Size(theme.SizeNameText)
	r.Layout(d.Size())
	r.sign.Refresh()
	r.text.Refresh()
}

func (r *dotRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.sign, r.text} }

func (r *dotRenderer) Destroy() {}

// themeColour returns a colour of a widget's theme in the variant that is on.
func themeColour(w interface{ Theme() fyne.Theme }, name fyne.ThemeColorName) color.Color {
	return w.Theme().Color(name, fyne.CurrentApp().Settings().ThemeVariant())
}

// drawForm fills a form of w×h device pixels.
func drawForm(form Form, colour color.Color, w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	if w <= 0 || h <= 0 {
		return img
	}
	z := vector.NewRasterizer(w, h)
	cx, cy, r := float64(w)/2, float64(h)/2, float64(min(w, h))/2-0.5
	polygon := func(radius float64, corners int, turn float64, inward bool) {
		for i := range corners + 1 {
			angle := turn + 2*math.Pi*float64(i)/float64(corners)
			if inward {
				angle = turn - 2*math.Pi*float64(i)/float64(corners)
			}
			x, y := float32(cx+radius*math.Cos(angle)), float32(cy+radius*math.Sin(angle))
			if i == 0 {
				z.MoveTo(x, y)
			} else {
				z.LineTo(x, y)
			}
		}
		z.ClosePath()
	}
	const round = 48
	switch form {
	case Disc:
		polygon(r, round, 0, false)
	case Ring, Half:
		polygon(r, round, 0, false)
		polygon(r*0.68, round, 0, true)
		if form == Half { // the right half, closed along the diameter
			for i := range round/2 + 1 {
				angle := -math.Pi/2 + math.Pi*float64(i)/(round/2)
				x, y := float32(cx+r*0.7*math.Cos(angle)), float32(cy+r*0.7*math.Sin(angle))
				if i == 0 {
					z.MoveTo(x, y)
				} else {
					z.LineTo(x, y)
				}
			}
			z.ClosePath()
		}
	case Triangle:
		cy += r * 0.2
		polygon(r*1.1, 3, -math.Pi/2, false)
	case Square:
		polygon(r*1.2, 4, math.Pi/4, false)
	case Diamond:
		polygon(r*1.05, 4, 0, false)
	}
	z.Draw(img, img.Rect, image.NewUniform(colour), image.Point{})
	return img
}
