// Package bench is the station's window: the screens of inspector and shift
// lead, built on Fyne.
//
// The promise: the screens decide nothing. They show what the models of
// package model say and hand every intent to them, so nothing here waits for a
// disk, a network or a decoder. Everything can be done by keys; one table of
// bindings makes the menus, the plain keys and the help. Every method belongs
// to the UI goroutine.
package bench

import (
	"path/filepath"
	"time"

	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/ui/look"
	"flawmark/ui/model"
	"flawmark/ui/widgets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Config is what the window is made of. App, Station and Words are needed.
type Config struct {
	App     fyne.App
	Station *model.Station
	Words   assets.Words
	Now     func() time.Time
	// Started is called on the UI goroutine once the app runs: the time to
	// start what dispatches to it. Nil: nothing.
	Started func()
	// After runs a function on the UI goroutine later; nil: time.AfterFunc and
	// fyne.Do.
	After func(time.Duration, func())
	// Prepare sets up each photo canvas, for tests; nil: nothing.
	Prepare func(*widgets.PhotoCanvas)
}

// screenName names a screen.
type screenName string

const (
	screenSignIn   screenName = "signin"
	screenInspect  screenName = "inspect"
	screenReview   screenName = "review"
	screenQueue    screenName = "queue"
	screenCases    screenName = "cases"
	screenSettings screenName = "settings"
)

// screen is one page of the window.
type screen interface {
	content() fyne.CanvasObject
	refresh()
	// focus puts the focus where work on the screen begins.
	focus()
}

// Window is the station's window.
type Window struct {
	app     fyne.App
	window  fyne.Window
	station *model.Station
	words   assets.Words
	now     func() time.Time
	prepare func(*widgets.PhotoCanvas)

	screen   screenName
	screens  map[screenName]screen
	signin   *signinScreen
	inspect  *inspectScreen
	review   *reviewScreen
	queue    *queueScreen
	cases    *casesScreen
	settings *settingsScreen

	bar      *topBar
	status   *statusBar
	notice   *noticeStrip
	page     *fyne.Container
	table    []binding
	spare    []fyne.Shortcut // beside those of the menu
	keyboard keyboard
	// modifiers returns which keys are held that change others.
	modifiers func() fyne.KeyModifier
	held      map[fyne.KeyName]*holding
	zooming   zooming
	catching  *keyButton // what the next key is chosen for; nil: keys act
	burst     *burst
	popup     dialog.Dialog // what Esc closes first
	signed    bool
	photos    fyne.ListableURI // where the last photo was chosen
}

// New builds the window; nothing is shown before [Window.ShowAndRun] or
// Show on [Window.Fyne].
func New(cfg Config) *Window {
	w := &Window{
		app: cfg.App, station: cfg.Station, words: cfg.Words, now: cfg.Now, prepare: cfg.Prepare,
		keyboard: thisKeyboard(), modifiers: modifiersNow, held: make(map[fyne.KeyName]*holding),
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.prepare == nil {
		w.prepare = func(*widgets.PhotoCanvas) {}
	}
	after := cfg.After
	if after == nil {
		after = func(d time.Duration, f func()) { time.AfterFunc(d, func() { fyne.Do(f) }) }
	}
	w.burst = &burst{now: w.now, after: after, scan: w.scanned}
	w.applyTheme()
	// Fyne 2.7.1 bug 6056: a theme that extends another is incomplete unless
	// it is set again once the app has started.
	w.app.Lifecycle().SetOnStarted(func() {
		w.applyTheme()
		w.typing(false)
		if cfg.Started != nil {
			cfg.Started()
		}
	})

	w.window = w.app.NewWindow(w.say("app.name"))
	w.window.SetMaster()
	w.window.SetPadded(false)
	w.build()
	w.wire()
	w.window.Resize(fyne.NewSize(1366, 768))
	w.Show(screenInspect)
	return w
}

// Fyne returns the window of the toolkit.
func (w *Window) Fyne() fyne.Window { return w.window }

// ShowAndRun shows the window and returns when it is closed.
func (w *Window) ShowAndRun() { w.window.ShowAndRun() }

// say returns a text in the person's language.
func (w *Window) say(key string, pairs ...any) string { return model.Say(key, pairs...).In(w.words) }

func (w *Window) applyTheme() {
	values := w.station.Settings.Values()
	w.app.Settings().SetTheme(look.New(values.Dark, values.Scale))
}

// restyle takes what was made for another theme or size up again.
func (w *Window) restyle() {
	w.applyTheme()
	w.inspect.restyle()
	w.review.photo.Surround = theme.Color(look.ColourSurround)
	w.review.photo.Refresh()
	w.review.looks.refresh()
	w.status.refresh()
	w.window.Content().Refresh()
}

func (w *Window) build() {
	w.bar, w.status, w.notice = newTopBar(w), newStatusBar(w), newNoticeStrip(w)
	w.bindFirst()
	w.signin, w.inspect, w.review = newSigninScreen(w), newInspectScreen(w), newReviewScreen(w)
	w.queue, w.cases, w.settings = newQueueScreen(w), newCasesScreen(w), newSettingsScreen(w)
	w.screens = map[screenName]screen{
		screenSignIn: w.signin, screenInspect: w.inspect, screenReview: w.review,
		screenQueue: w.queue, screenCases: w.cases, screenSettings: w.settings,
	}
	w.page = container.NewStack()
	middle := container.NewStack(w.page, container.New(overTop{w}, w.notice.box))
	w.window.SetContent(container.NewStack(newGround(theme.ColorNameBackground),
		container.NewBorder(w.bar.box, w.status.box, nil, nil, middle)))
	w.window.SetCloseIntercept(w.close)
	w.window.Canvas().SetOnTypedKey(func(ev *fyne.KeyEvent) { w.onKey(ev) })
	w.window.Canvas().SetOnTypedRune(w.burst.typed)
	if keys, ok := w.window.Canvas().(desktop.Canvas); ok {
		keys.SetOnKeyDown(func(ev *fyne.KeyEvent) { w.onHeld(ev, true) })
		keys.SetOnKeyUp(func(ev *fyne.KeyEvent) { w.onHeld(ev, false) })
	}
	w.window.SetOnDropped(func(_ fyne.Position, files []fyne.URI) {
		paths := make([]string, 0, len(files))
		for _, file := range files {
			paths = append(paths, file.Path())
		}
		w.AddFiles(paths...)
	})
}

// bindFirst takes the keys of the settings into use. Keys that cannot be used
// are refused before a window is made; should some get here all the same, the
// commands have their own.
func (w *Window) bindFirst() {
	if err := w.rebind(); err != nil {
		values := w.station.Settings.Values()
		values.Keys = nil
		w.station.Settings.Set(values)
		_ = w.rebind() // a test binds the table as it is
	}
}

// relabel says the keys in use wherever they are shown.
func (w *Window) relabel() {
	w.inspect.restyle()
	w.inspect.panel.relabel()
	w.review.relabel()
}

// target is the least side of what is hit by hand.
func (w *Window) target() float32 {
	if w.station.Settings.Values().Gloves {
		return look.TouchGloves
	}
	return look.Touch
}

// wire makes the models' news reach the screens.
func (w *Window) wire() {
	s := w.station
	s.SignIn.OnChange = w.personChanged
	s.Inspection.OnChange = func() { w.news(screenInspect) }
	s.Inspection.OnRecorded = func(qc.Finding) {
		if w.screen == screenInspect {
			w.FocusScan()
		}
	}
	s.Pictures.OnChange = func() {
		switch w.screen {
		case screenInspect:
			w.inspect.pictures()
		case screenReview:
			w.review.refresh()
		}
	}
	s.Queue.OnChange = func() { w.news(screenQueue) }
	s.Reviews.OnChange = func() { w.news(screenReview) }
	s.Cases.OnChange = func() { w.news(screenCases) }
	s.Settings.OnChange = func() { w.news(screenSettings) }
	s.Status.OnChange = w.status.refresh
	s.Notices.OnChange = w.notice.refresh
}

func (w *Window) news(of screenName) {
	w.bar.refresh()
	if w.screen == of {
		w.screens[of].refresh()
	}
}

func (w *Window) personChanged() {
	_, in := w.station.SignIn.Person()
	if in != w.signed {
		w.signed = in
		w.Show(screenInspect)
		return
	}
	w.bar.refresh()
	if w.screen == screenSignIn {
		w.signin.refresh()
	}
}

// close closes the window, after a question where something has not been sent.
func (w *Window) close() {
	remains := w.station.Status.Remains()
	if remains.IsZero() {
		w.window.Close()
		return
	}
	words := widget.NewLabel(remains.In(w.words))
	words.Wrapping = fyne.TextWrapWord
	question := dialog.NewCustomConfirm(w.say("station.close.title"), w.say("station.close.close"), w.say("station.close.leave_open"),
		words, func(yes bool) {
			w.popup = nil
			if yes {
				w.window.Close()
			}
		}, w.window)
	question.Resize(fyne.NewSize(560, 0))
	w.popup = question
	question.Show()
}

// Show brings a screen into view; without anybody signed in, all but the
// settings are the sign-in.
func (w *Window) Show(name screenName) {
	if _, in := w.station.SignIn.Person(); !in && name != screenSettings {
		name = screenSignIn
	}
	if name == screenReview && !w.station.Reviews.Allowed() {
		name = screenInspect
	}
	if name != w.screen && !w.station.Notices.Current().Bad {
		w.station.Notices.Clear() // what went well there is no news here
	}
	w.screen = name
	s := w.screens[name]
	w.page.Objects = []fyne.CanvasObject{s.content()}
	w.page.Refresh()
	w.bar.refresh()
	w.notice.place()
	s.refresh()
	w.window.Canvas().Unfocus()
	s.focus()
}

// FocusScan brings the scan entry into view and puts the focus there.
func (w *Window) FocusScan() {
	if w.screen != screenInspect && w.screen != screenSignIn {
		w.Show(screenInspect)
	}
	if w.screen == screenInspect {
		w.focusOn(w.inspect.scan)
		w.inspect.scan.SelectAll()
		return
	}
	w.signin.focus()
}

// AddFiles adds photo files, dropped or from the watched folder, to the open
// item.
func (w *Window) AddFiles(paths ...string) {
	if _, in := w.station.SignIn.Person(); !in {
		w.station.Notices.Warn(model.Say("station.sign_in_first"))
		return
	}
	w.station.AddFiles(paths...)
}

// scanned takes a scan that came while no entry had the focus.
func (w *Window) scanned(text string) {
	if w.screen == screenSignIn {
		w.station.SignIn.Enter(text)
		return
	}
	if w.screen == screenCases && w.cases.scanned(text) {
		return
	}
	w.Show(screenInspect)
	w.inspect.scan.SetText(text)
	w.station.Inspection.Scan(text)
}

func (w *Window) focusOn(o any) {
	if f, ok := o.(fyne.Focusable); ok {
		w.window.Canvas().Focus(f)
	}
}

// escape takes away the notice, else the focus from an entry.
func (w *Window) escape() {
	switch {
	case w.popup != nil:
		w.popup.Hide()
	case !w.station.Notices.Current().Sentence.IsZero():
		w.station.Notices.Clear()
	default:
		w.window.Canvas().Unfocus()
		w.screens[w.screen].focus()
	}
}

// photoInView is the canvas of the screen; on screens without one, the
// inspection's.
func (w *Window) photoInView() *widgets.PhotoCanvas {
	if w.screen == screenReview {
		return w.review.photo
	}
	return w.inspect.photo
}

// looksInView are the ways to look at the photo in view.
func (w *Window) looksInView() *looks {
	if w.screen == screenReview {
		return w.review.looks
	}
	return w.inspect.looks
}

func (w *Window) nextPhoto(by int) {
	switch w.screen {
	case screenReview:
		w.station.Reviews.NextPhoto(by)
	case screenInspect:
		w.station.Inspection.NextPhoto(by)
	}
}

// flag gives the verdict; while words are typed, the same key ends them.
func (w *Window) flag() {
	if marks := w.inspect.panel.marks; marks.typing() {
		marks.commit()
		return
	}
	w.station.Inspection.Flag()
}

func (w *Window) moveInList(by int) {
	switch w.screen {
	case screenReview:
		w.station.Reviews.Move(by)
	case screenCases:
		w.station.Cases.Move(by)
	case screenQueue:
		w.queue.move(by)
	}
}

func (w *Window) choosePhoto() {
	if _, ok := w.station.Inspection.Item(); !ok {
		w.station.Notices.Warn(model.Say("station.photo_without_item"))
		return
	}
	open := dialog.NewFileOpen(func(file fyne.URIReadCloser, err error) {
		if err != nil || file == nil {
			return // closed without a choice
		}
		path := file.URI().Path()
		if parent, err := storage.Parent(file.URI()); err == nil {
			w.photos, _ = storage.ListerForURI(parent) // nil: the dialog begins at home
		}
		_ = file.Close() // read again, within limits, off this goroutine
		w.AddFiles(path)
	}, w.window)
	if folder := w.photosAt(); folder != nil {
		open.SetLocation(folder)
	}
	open.SetFilter(storage.NewExtensionFileFilter([]string{
		".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".JPG", ".JPEG", ".PNG", ".WEBP", ".HEIC", ".HEIF",
	}))
	w.pop(open, 900, 600)
}

// photosAt returns where photos are chosen from: where the last one was, else
// the folder that the program was started in.
func (w *Window) photosAt() fyne.ListableURI {
	if w.photos != nil {
		return w.photos
	}
	working, err := filepath.Abs(".")
	if err != nil {
		return nil
	}
	list, err := storage.ListerForURI(storage.NewFileURI(working))
	if err != nil {
		return nil // the dialog begins at home
	}
	return list
}

func (w *Window) removePhoto() {
	if p, ok := w.station.Inspection.Photo(); ok {
		w.station.Inspection.RemovePhoto(p.ID)
	}
}

// entry returns a field whose function keys reach the window.
func (w *Window) entry(hint string) *field {
	f := newField(hint, w.onKey)
	f.typing = w.typing
	return f
}

// typing lets the input method have the keys while words are typed, and only
// then: it would keep those of the tools, and a scanner's, to itself.
func (w *Window) typing(words bool) { inputMethod(w.window, words) }

// focused returns what has the focus.
func (w *Window) focused() fyne.Focusable { return w.window.Canvas().Focused() }

// The widths of the side panels, before scaling.
const (
	leftWidth  float32 = 232
	rightWidth float32 = 328
)

// overTop floats its object below the top of the page, so that nothing moves
// when a notice comes.
type overTop struct{ w *Window }

func (overTop) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

func (l overTop) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		// Between the side panels, so that neither the flaws nor the verdict are hidden.
		width := min(max(size.Width-(leftWidth+rightWidth+80)*scale(), 480*scale()), 900*scale(), size.Width-32)
		o.Resize(fyne.NewSize(width, o.MinSize().Height))
		o.Resize(fyne.NewSize(width, o.MinSize().Height)) // its text has wrapped now
		// On the line that says what a list is, or on the photo's upper edge.
		y, x := 2*scale(), (size.Width-width)/2
		if l.w.screen == screenInspect || l.w.screen == screenReview {
			x += (leftWidth - rightWidth + 48) * scale() / 2
		}
		if l.w.screen == screenInspect {
			y = 52 * scale()
		}
		o.Move(fyne.NewPos(x, y))
	}
}

// list rows have two lines: what it is, and how it stands.
func newRow() fyne.CanvasObject {
	first, second := line("x"), line("x")
	first.TextStyle.Bold = true
	second.SizeName = theme.SizeNameCaptionText
	return container.New(tight{}, first, second)
}

func setRow(o fyne.CanvasObject, first, second string, importance widget.Importance) {
	labels := o.(*fyne.Container).Objects
	one, two := labels[0].(*widget.Label), labels[1].(*widget.Label)
	two.Importance = importance
	one.SetText(first)
	two.SetText(second)
}

// tight stacks lines with less air than a VBox.
type tight struct{}

func (tight) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		least := o.MinSize()
		size.Width = max(size.Width, least.Width)
		size.Height += least.Height - look.Space
	}
	size.Height += look.Space
	return size
}

func (tight) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		h := o.MinSize().Height
		o.Resize(fyne.NewSize(size.Width, h))
		o.Move(fyne.NewPos(0, y))
		y += h - look.Space
	}
}
