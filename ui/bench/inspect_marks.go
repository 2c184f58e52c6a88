package bench

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/ui/model"
	"flawmark/ui/widgets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// markPanel changes what the selected marks say, beside what a hand changes
// about them on the photo. Nothing of it comes between a person and the next
// stroke.
type markPanel struct {
	w   *Window
	box *fyne.Container
	id  qc.MarkID // the one shown; empty: none or several

	words   *wordsField
	phrases *fyne.Container
	zoom    *widgets.Toggle
	length  *widget.Label
	known   *field
	several *widget.Label
	order   fyne.CanvasObject

	languages map[string]assets.Words
}

func newMarkPanel(w *Window) *markPanel {
	p := &markPanel{w: w, box: container.NewVBox(), phrases: container.NewVBox(), length: text(""), several: bold("")}
	p.languages = make(map[string]assets.Words)
	for _, tag := range assets.Languages() {
		if words, err := assets.LoadWords(tag); err == nil { // those of the program, which tests load
			p.languages[tag] = words
		}
	}
	in := w.station.Inspection
	p.words = newWordsField(w.say("station.mark.words_hint"), p.commit, w.typing)
	p.words.OnChanged = func(typed string) {
		if kept := firstRunes(typed, qc.MaxText); kept != typed {
			p.words.set(kept)
			typed = kept
		}
		in.SetText(p.id, typed)
	}
	var zooms []widgets.Option
	for _, times := range []string{"2", "3", "4"} {
		zooms = append(zooms, widgets.Option{Key: times, Letter: times + "×"})
	}
	p.zoom = widgets.NewToggle(zooms...)
	p.zoom.OnChanged = func(key string) {
		times, _ := strconv.ParseFloat(key, 64)
		in.SetZoom(p.id, times)
	}
	p.known = w.entry("85.6")
	p.known.OnSubmitted = func(typed string) {
		mm, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(typed), ",", "."), 64)
		switch {
		case strings.TrimSpace(typed) == "":
			in.SetLength(p.id, 0)
		case err != nil || mm <= 0:
			w.station.Notices.Warn(model.Say("error." + qc.ErrScale.Error()))
			return
		default:
			in.SetLength(p.id, mm)
		}
		p.known.set("")
		w.focusOn(w.inspect.photo)
	}
	button := func(words, id string) fyne.CanvasObject {
		b := widget.NewButton(w.say(words), func() {
			if b, ok := w.commandOf(id); ok {
				w.run(b)
			}
		})
		b.Importance = widget.LowImportance
		return b
	}
	p.order = container.NewVBox(
		container.NewGridWithColumns(2, button("station.mark.duplicate", "mark.duplicate"), button("button.delete", "mark.delete")),
		container.NewGridWithColumns(2, button("station.mark.raise", "mark.raise"), button("station.mark.lower", "mark.lower")))
	return p
}

// show returns what there is to say of the selected marks; nil: nothing.
func (p *markPanel) show() fyne.CanvasObject {
	in := p.w.station.Inspection
	ids := in.SelectedMarks()
	other := p.id
	p.id = ""
	if len(ids) == 0 {
		return nil
	}
	if len(ids) > 1 {
		p.several.SetText(p.w.say("station.mark.several", "n", len(ids)))
		p.box.Objects = []fyne.CanvasObject{p.several, p.order, widget.NewSeparator()}
		return p.box
	}
	view, ok := p.view(ids[0])
	if !ok {
		return nil
	}
	p.id = ids[0]
	var objects []fyne.CanvasObject
	switch view.Mark.Tool {
	case qc.Text:
		if other != p.id || p.words.Text != view.Mark.Text {
			p.words.set(view.Mark.Text)
		}
		p.showPhrases()
		objects = []fyne.CanvasObject{p.words, quiet(p.w.say("station.mark.words_about")), p.phrases}
	case qc.Inset:
		zoom := view.Mark.Zoom
		if zoom == 0 {
			zoom = qc.DefaultZoom
		}
		p.zoom.Select(strconv.FormatFloat(zoom, 'f', -1, 64))
		objects = []fyne.CanvasObject{quiet(p.w.say("station.mark.inset_about")), p.zoom}
	case qc.Measure:
		p.length.SetText(p.w.say("station.mark.length", "length", view.Label))
		objects = []fyne.CanvasObject{
			p.length, quiet(p.w.say("station.mark.known_about")),
			container.NewBorder(nil, nil, nil, widget.NewLabel("mm  ⏎"), p.known),
		}
		if about := p.scaleAbout(); about != "" {
			objects = append(objects, quiet(about))
		}
	case qc.Redaction:
		objects = []fyne.CanvasObject{small(p.w.say("station.mark.redact_about"))}
	case qc.Spotlight:
		objects = []fyne.CanvasObject{small(p.w.say("station.mark.spotlight_about"))}
	default:
		return nil
	}
	name := bold(p.w.say("tool." + string(view.Mark.Tool)))
	p.box.Objects = append(append([]fyne.CanvasObject{name}, objects...), widget.NewSeparator())
	return p.box
}

func (p *markPanel) view(id qc.MarkID) (model.MarkView, bool) {
	for _, v := range p.w.station.Inspection.Marks() {
		if v.Mark.ID == id {
			return v, true
		}
	}
	return model.MarkView{}, false
}

// state is what the panel shows, but for what is being typed.
func (p *markPanel) state() string {
	in := p.w.station.Inspection
	ids := in.SelectedMarks()
	state := strconv.Itoa(len(ids))
	if len(ids) == 1 {
		if v, ok := p.view(ids[0]); ok {
			state += string(ids[0]) + v.Label + v.Mark.Text + strconv.FormatFloat(v.Mark.Zoom, 'f', -1, 64)
		}
	}
	return state
}

func (p *markPanel) scaleAbout() string {
	photo, ok := p.w.station.Inspection.Photo()
	if !ok || photo.Scale == (qc.Scale{}) {
		return p.w.say("station.mark.no_scale")
	}
	return p.w.say("station.mark.scale." + string(photo.Scale.Source))
}

// showPhrases offers what is usually written, so that nobody need type: the
// names of the usual flaws and some fixed words, in both languages, because
// the words on the photo are not translated.
func (p *markPanel) showPhrases() {
	var list []qc.Bilingual
	for _, kind := range p.w.station.Inspection.Presets() {
		list = append(list, kind.Name())
	}
	for _, key := range []string{"here", "expected", "normal", "label", "missing"} {
		list = append(list, qc.Bilingual{EN: p.languages["en"].Text("station.phrase." + key), ZH: p.languages["zh"].Text("station.phrase." + key)})
	}
	p.phrases.Objects = nil
	for _, phrase := range list {
		both := phrase.EN + " " + phrase.ZH
		p.phrases.Add(newTile(small(both), false, func() {
			p.words.SetText(both)
			p.commit()
		}))
	}
	p.phrases.Refresh()
}

// write puts the focus where the words of a text are typed.
func (p *markPanel) write(id qc.MarkID) {
	if v, ok := p.view(id); ok && v.Mark.Tool == qc.Text {
		p.w.station.Inspection.SelectMark(id)
		p.w.inspect.panel.refresh()
		p.w.inspect.panel.body.scroll.ScrollToTop()
		p.w.focusOn(p.words)
	}
}

// commit ends the typing of words.
func (p *markPanel) commit() { p.w.focusOn(p.w.inspect.photo) }

// typing reports whether words are being typed.
func (p *markPanel) typing() bool { return p.w.focused() == fyne.Focusable(p.words) }

func firstRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// wordsField is an entry of several lines. Enter belongs to the input method
// and to new lines; Esc and Ctrl+Enter end it.
type wordsField struct {
	widget.Entry
	done   func()
	typing func(bool) // the focus came or went
}

// FocusGained is called by Fyne.
func (f *wordsField) FocusGained() {
	f.Entry.FocusGained()
	f.typing(true)
}

// FocusLost is called by Fyne.
func (f *wordsField) FocusLost() {
	f.Entry.FocusLost()
	f.typing(false)
}

func newWordsField(hint string, done func(), typing func(bool)) *wordsField {
	f := &wordsField{done: done, typing: typing}
	f.MultiLine, f.Wrapping = true, fyne.TextWrapWord
	f.ExtendBaseWidget(f)
	f.SetMinRowsVisible(3)
	f.SetPlaceHolder(hint)
	return f
}

func (f *wordsField) TypedKey(ev *fyne.KeyEvent) {
	if ev.Name == fyne.KeyEscape {
		f.done()
		return
	}
	f.Entry.TypedKey(ev)
}

// set changes the text without telling OnChanged.
func (f *wordsField) set(s string) {
	changed := f.OnChanged
	f.OnChanged = nil
	f.SetText(s)
	f.OnChanged = changed
}
