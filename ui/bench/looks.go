package bench

import (
	"image"
	"slices"

	"flawmark/ui/look"
	"flawmark/ui/model"
	"flawmark/ui/widgets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// looks are the ways to look at a photo that change nothing about it: what to
// compare it with, its light, its turn. They float over the photo's corner and
// say what is not as it is, so that nobody judges by it unawares.
type looks struct {
	w      *Window
	photo  *widgets.PhotoCanvas
	others func() []model.Comparable
	box    *fyne.Container
	frame  *fyne.Container // the photo below the bar

	bar      *fyne.Container
	modes    *widgets.Toggle
	caption  *widget.Label
	light    *fyne.Container
	sliders  [2]*widget.Slider
	chips    *fyne.Container
	lit      *widget.Button
	turned   *widget.Button
	kept     *widget.Button
	hidden   *widget.Label
	seen     *widget.Label // what is seen while a key is held
	with     int           // which of the others
	set      string        // what the canvas compares with, or is waiting for
	asked    int           // an answer to an earlier question is dropped
	missing  bool          // it cannot be had now
	blinking bool
}

// lightStep is what a key changes of brightness or contrast.
const lightStep = 0.1

func newLooks(w *Window, photo *widgets.PhotoCanvas, others func() []model.Comparable) *looks {
	l := &looks{w: w, photo: photo, others: others, caption: small("")}
	l.modes = widgets.NewToggle(
		widgets.Option{Key: modeKey(widgets.CompareSide), Label: w.say("station.compare.side")},
		widgets.Option{Key: modeKey(widgets.CompareSwipe), Label: w.say("station.compare.swipe")},
		widgets.Option{Key: modeKey(widgets.CompareBlink), Label: w.say("station.compare.blink")},
	)
	l.modes.OnChanged = func(key string) { l.setMode(widgets.CompareMode(key[0] - '0')) }
	closing := func(do func()) *widget.Button {
		b := widget.NewButtonWithIcon("", theme.CancelIcon(), do)
		b.Importance = widget.LowImportance
		return b
	}
	other := widget.NewButtonWithIcon("", theme.ViewRefreshIcon(), l.nextOther)
	other.Importance = widget.LowImportance
	l.caption.Wrapping = fyne.TextWrapWord
	l.bar = panel(container.NewVBox(
		container.NewHBox(l.modes, container.NewCenter(other), container.NewCenter(closing(func() { l.setMode(widgets.CompareOff) }))),
		l.caption))
	l.light = container.NewHBox(onPanel(l.lightPanel(closing(l.showLight))))
	chip := func(do func()) *widget.Button {
		b := widget.NewButtonWithIcon("", theme.CancelIcon(), do)
		b.IconPlacement, b.Importance = widget.ButtonIconTrailingText, widget.WarningImportance
		return b
	}
	l.lit = chip(func() { photo.SetLight(0, 0) })
	l.turned = chip(func() { photo.SetTurn(0) })
	l.kept = chip(l.toggleKeep)
	l.kept.Importance = widget.MediumImportance
	l.hidden, l.seen = widget.NewLabel(""), widget.NewLabel("")
	l.chips = container.NewHBox(l.lit, l.turned, l.kept, onPanel(l.hidden), onPanel(l.seen))
	l.box = container.New(corner{}, container.NewVBox(l.light, l.chips))
	photo.OnLook = l.refresh
	l.light.Hide()
	l.refresh()
	return l
}

func modeKey(m widgets.CompareMode) string { return string(rune('0' + int(m))) }

// onPanel is an object on its own ground over a photo.
func onPanel(o fyne.CanvasObject) *fyne.Container {
	return container.NewStack(newGround(look.ColourPanel), container.NewPadded(o))
}

// over lays the looks over their photo.
func (l *looks) over() fyne.CanvasObject {
	l.frame = container.NewBorder(l.bar, nil, nil, nil, container.NewStack(l.photo, l.box))
	return l.frame
}

func (l *looks) lightPanel(closing fyne.CanvasObject) fyne.CanvasObject {
	rows := container.NewVBox(container.NewBorder(nil, nil, nil, closing, bold1(l.w.say("station.light.heading"))))
	for n, key := range []string{"station.light.brightness", "station.light.contrast"} {
		s := widget.NewSlider(-1, 1)
		s.Step = 0.05
		s.OnChanged = func(float64) { l.photo.SetLight(l.sliders[0].Value, l.sliders[1].Value) }
		l.sliders[n] = s
		rows.Add(container.NewBorder(nil, nil, ofWidth(96, quiet(l.w.say(key))), nil, ofWidth(220, s)))
	}
	rows.Add(container.NewBorder(nil, nil, nil,
		widget.NewButton(l.w.say("station.light.reset"), func() { l.photo.SetLight(0, 0) }), quiet(l.w.say("station.look.only"))))
	return rows
}

// showLight opens or closes the sliders.
func (l *looks) showLight() {
	if l.light.Visible() {
		l.light.Hide()
	} else {
		l.light.Show()
	}
	l.refresh()
}

func (l *looks) toggleKeep() {
	l.photo.KeepZoom = !l.photo.KeepZoom
	l.refresh()
}

// refresh says how the photo is looked at.
func (l *looks) refresh() {
	show := func(o fyne.CanvasObject, on bool) {
		if on {
			o.Show()
		} else {
			o.Hide()
		}
	}
	brightness, contrast := l.photo.Light()
	for n, value := range []float64{brightness, contrast} {
		l.sliders[n].Value = value
		l.sliders[n].Refresh()
	}
	l.lit.SetText(l.w.say("station.look.light"))
	show(l.lit, brightness != 0 || contrast != 0)
	l.turned.SetText(l.w.say("station.look.turned", "n", 90*l.photo.Turn()))
	show(l.turned, l.photo.Turn() != 0)
	l.kept.SetText(l.w.say("station.look.kept"))
	show(l.kept, l.photo.KeepZoom)
	l.hidden.SetText(l.w.say("station.look.hidden"))
	show(l.chips.Objects[3], l.photo.MarksHidden())

	mode := l.photo.CompareMode()
	l.modes.Select(modeKey(mode))
	l.caption.SetText(l.sayCompare(mode))
	show(l.bar, mode != widgets.CompareOff)
	l.seen.SetText(l.sayCompare(mode))
	show(l.chips.Objects[4], l.blinking)
	show(l.chips, slices.ContainsFunc(l.chips.Objects, fyne.CanvasObject.Visible))
	l.box.Refresh()
	if l.frame != nil {
		l.frame.Refresh()
	}
}

// sayCompare says which picture is which.
func (l *looks) sayCompare(mode widgets.CompareMode) string {
	others := l.others()
	if len(others) == 0 {
		return l.w.say("station.compare.nothing")
	}
	other := others[min(l.with, len(others)-1)].Label.In(l.w.words)
	ours := l.w.say("station.compare.ours")
	switch {
	case l.missing:
		return l.w.say("station.compare.missing", "other", other)
	case mode == widgets.CompareSide || mode == widgets.CompareSwipe && !l.blinking:
		return l.w.say("station.compare.sides", "left", ours, "right", other)
	case mode == widgets.CompareBlink && l.blinking:
		return l.w.say("station.compare.shown", "one", ours)
	case mode == widgets.CompareBlink:
		return l.w.say("station.compare.shown", "one", other) + "  ·  " + l.w.say("station.compare.hold", "key", l.w.keyOf("compare.blink"))
	default:
		return l.w.say("station.compare.shown", "one", other)
	}
}

func (l *looks) setMode(mode widgets.CompareMode) {
	if mode != widgets.CompareOff {
		l.fetch()
	}
	l.photo.SetCompareMode(mode)
	l.refresh()
	l.w.focusOn(l.photo)
}

// nextMode goes from one way to compare to the next, and at last to none.
func (l *looks) nextMode() {
	order := []widgets.CompareMode{widgets.CompareOff, widgets.CompareSide, widgets.CompareSwipe, widgets.CompareBlink}
	l.setMode(order[(slices.Index(order, l.photo.CompareMode())+1)%len(order)])
}

// nextOther compares with the next of the pictures that there are.
func (l *looks) nextOther() {
	if n := len(l.others()); n > 0 {
		l.with = (l.with + 1) % n
		if l.photo.CompareMode() != widgets.CompareOff {
			l.fetch()
		}
		l.refresh()
	}
}

func (l *looks) blink(on bool) {
	l.blinking = on
	if on {
		l.fetch()
	}
	l.photo.Blink(on)
	l.refresh()
}

// another is told that another photo is in view.
func (l *looks) another() {
	l.set, l.missing = "", false
	l.asked++
	l.photo.SetCompare("", 0, 0)
	if l.photo.CompareMode() != widgets.CompareOff {
		l.fetch()
	}
	l.refresh()
}

// fetch brings the picture to compare with to the canvas.
func (l *looks) fetch() {
	others := l.others()
	if len(others) == 0 {
		l.set = ""
		l.asked++
		l.photo.SetCompare("", 0, 0)
		return
	}
	l.with = min(l.with, len(others)-1)
	other := others[l.with]
	if other.Key == l.set && !l.missing {
		return
	}
	l.set, l.missing = other.Key, false
	l.asked++
	asked := l.asked
	l.photo.SetCompare("", 0, 0)
	l.w.station.Pictures.Compare(other,
		func(img *image.RGBA) {
			if l.asked == asked {
				l.photo.SetCompare(other.Key, img.Rect.Dx(), img.Rect.Dy(), img)
			}
		},
		func() {
			if l.asked == asked {
				l.missing = true
				l.refresh()
			}
		})
}

// corner lays its object out in the upper left corner without asking for room.
type corner struct{}

func (corner) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

func (corner) Layout(objects []fyne.CanvasObject, _ fyne.Size) {
	for _, o := range objects {
		o.Resize(o.MinSize())
		o.Move(fyne.NewSquareOffsetPos(look.Space))
	}
}
