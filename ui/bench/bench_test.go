package bench

import (
	"context"
	"fmt"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
	"flawmark/ui/model"
	"flawmark/ui/model/modeltest"
	"flawmark/ui/widgets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// rig is a window whose work is done when settled.
type rig struct {
	*Window
	t      *testing.T
	store  *modeltest.Store
	engine *modeltest.Engine
	work   *model.Work
	now    time.Time
}

var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func newRig(t *testing.T, language string, width, height float32) *rig {
	t.Helper()
	catalogue, err := qc.ParseCatalogue(assets.FlawCatalogue())
	if err != nil {
		t.Fatal(err)
	}
	words, err := assets.LoadWords(language)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: &modeltest.Store{}, now: monday}
	r.engine = &modeltest.Engine{Now: model.Link{State: "online", EventsWaiting: 2, PhotosWaiting: 4, PhotosTotal: 9, BytesPerSecond: 3.2e6}}
	blobs := &modeltest.Blobs{}
	listing, err := blobs.PutBytes(t.Context(), samplePhoto(t, "xavier"))
	if err != nil {
		t.Fatal(err)
	}
	r.store.Who = &qc.Identity{Station: "bench-3", Name: "Bench 3", Centre: "https://centre.example"}
	r.store.People = []qc.Staff{
		{ID: "lead7", Name: "陈伟", Latin: "Chen Wei", Role: qc.Lead, Badge: qc.HashBadge("B0007"), Active: true},
		{ID: "u12", Name: "王芳", Latin: "Wang Fang", Role: qc.Inspector, Badge: qc.HashBadge("B0012"), PIN: qc.HashSecret("2580", make([]byte, 16)), Active: true},
	}
	for n := 1; n <= 3; n++ {
		r.store.Goods = append(r.store.Goods, qc.Item{
			ID: qc.ItemID(fmt.Sprintf("20481-%d", n)), Order: "20481", Category: "shoes", Quantity: 1, Round: 1,
			Title:   qc.Bilingual{EN: "White high-tops", ZH: "白色高帮运动鞋"},
			Variant: qc.Bilingual{EN: "EU 42, white", ZH: "42码 白色"}, UnitPrice: money.Fen(38900),
			Waybill: qc.Waybill(fmt.Sprintf("SF123456789012%d", n)), Seller: "潮流前线鞋店",
			CustomerNote: "Please check the soles", ListingPhoto: listing, StockedInAt: monday.Add(-49 * time.Hour),
		})
	}
	r.work = model.NewWork(func(f func()) { f() })
	ids := 0
	station := model.New(model.Parts{
		Store: r.store, Blobs: blobs, Engine: r.engine, Catalogue: catalogue, Work: r.work,
		Now: func() time.Time { return r.now },
		NewID: func() string {
			ids++
			return fmt.Sprintf("id-%06d", ids)
		},
		Settings: model.Settings{Name: "Bench 3", Centre: "https://centre.example", Language: language, Scale: 1},
	})
	r.Window = New(Config{
		App: test.NewTempApp(t), Station: station, Words: words, Now: func() time.Time { return r.now },
		After: func(_ time.Duration, f func()) { f() },
		Prepare: func(c *widgets.PhotoCanvas) {
			c.Dispatch = func(f func()) { f() }
			c.Background = func(f func()) { f() }
		},
	})
	r.window.Resize(fyne.NewSize(width, height))
	station.Refresh()
	r.settle()
	return r
}

func samplePhoto(t *testing.T, name string) []byte {
	t.Helper()
	files, err := fs.Glob(assets.Photos(), name+"*.jpg")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample photo %s: %v", name, err)
	}
	data, err := fs.ReadFile(assets.Photos(), files[0])
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (r *rig) settle() {
	r.work.Settle(context.Background())
	// Twice a little apart, because wrapped texts ask for their height only
	// after they have been given their width.
	size := r.window.Canvas().Size()
	r.window.Resize(size.AddWidthHeight(1, 0))
	r.window.Resize(size)
}

func (r *rig) signIn(badge string) {
	r.station.SignIn.Enter(badge)
	r.settle()
}

// key types a plain key where the focus is, as the driver would.
func (r *rig) key(name fyne.KeyName) {
	ev := &fyne.KeyEvent{Name: name}
	if f := r.focused(); f != nil {
		f.TypedKey(ev)
	} else if on := r.window.Canvas().OnTypedKey(); on != nil {
		on(ev)
	}
	r.settle()
}

// choose takes an item of the menu.
func (r *rig) choose(words string) {
	r.t.Helper()
	for _, menu := range r.window.MainMenu().Items {
		for _, item := range menu.Items {
			if item.Label == r.say(words) {
				item.Action()
				r.settle()
				return
			}
		}
	}
	r.t.Fatalf("no menu item %s", words)
}

// stroke presses and releases a key with others held, as the driver does: what
// has the focus hears of it going down, then the menu, then what has the focus,
// else the window.
func (r *rig) stroke(text string) {
	r.t.Helper()
	s, err := parseStroke(text)
	if err != nil {
		r.t.Fatal(err)
	}
	held := fyne.KeyModifier(0)
	if s.ctrl {
		held |= fyne.KeyModifierShortcutDefault
	}
	if s.shift {
		held |= fyne.KeyModifierShift
	}
	r.modifiers = func() fyne.KeyModifier { return held }
	defer func() { r.modifiers = func() fyne.KeyModifier { return 0 } }()
	ev := &fyne.KeyEvent{Name: s.key}
	if s.keypad {
		for code, key := range r.keyboard.pad {
			if key == s.key {
				ev.Physical.ScanCode = code
			}
		}
	}
	keyable, _ := r.focused().(desktop.Keyable)
	if keyable != nil {
		keyable.KeyDown(ev)
	}
	shortcut := s.shortcut()
	if shortcut == nil {
		if f := r.focused(); f != nil {
			f.TypedKey(ev)
		} else {
			r.window.Canvas().OnTypedKey()(ev)
		}
	} else if !r.menuTakes(shortcut) {
		if f, ok := r.focused().(fyne.Shortcutable); ok {
			f.TypedShortcut(shortcut)
		} else {
			r.window.Canvas().(fyne.Shortcutable).TypedShortcut(shortcut)
		}
	}
	if keyable != nil {
		keyable.KeyUp(ev)
	}
	r.settle()
}

func (r *rig) menuTakes(s fyne.Shortcut) bool {
	for _, menu := range r.window.MainMenu().Items {
		for _, item := range menu.Items {
			if item.Shortcut != nil && item.Shortcut.ShortcutName() == s.ShortcutName() {
				item.Action()
				return true
			}
		}
	}
	return false
}

func (r *rig) flawed() {
	r.station.Inspection.Scan("20481-2")
	r.settle()
	r.station.Inspection.AddPhoto("shoe.jpg", samplePhoto(r.t, "xavier"))
	r.station.Inspection.AddPhoto("sole.jpg", samplePhoto(r.t, "imani"))
	r.settle()
	photos := r.station.Inspection.Finding().Photos
	r.station.Inspection.ShowPhoto(photos[0].ID)
	r.station.Inspection.Preset(1)
	w, h := float64(photos[0].Width), float64(photos[0].Height)
	r.station.Inspection.Draw(qc.Box, []qc.Point{{X: w * .3, Y: h * .4}, {X: w * .5, Y: h * .6}})
	r.station.Inspection.SetSize(r.station.Inspection.ActiveFlaw(), 6)
	r.station.Inspection.Preset(2)
	r.station.Inspection.Draw(qc.Arrow, []qc.Point{{X: w * .8, Y: h * .2}, {X: w * .6, Y: h * .5}})
	r.settle()
}

// lists fills the lists of review, queue and cases.
func (r *rig) lists() {
	var f qc.Finding
	for _, d := range r.store.Saved {
		f = d.Finding
	}
	f.Verdict, f.Inspector = qc.Flag, "u12"
	own := f
	own.ID, own.Inspector, own.Item = "own", "lead7", "20481-1"
	item := r.store.Goods[1]
	r.store.AllFlags = []qc.Standing{
		{Finding: f, Item: item, Case: "C1", Waits: true, Missing: 1}, {Finding: own, Item: item, Case: "C2"},
	}
	r.store.History = []qc.Recorded{
		{Seq: 4, Kind: qc.FindingRecorded, At: r.now, By: "u12", Item: "20481-2", Finding: &f, Delivery: qc.Sending, Photos: 5, PhotosSent: 3, Bytes: 100, BytesSent: 60},
		{Seq: 3, Kind: qc.FindingRecorded, At: r.now, By: "u12", Item: "20481-1", Finding: &f, Delivery: qc.OnlyHere, Photos: 2},
		{Seq: 2, Kind: qc.FindingRecorded, At: r.now, By: "u12", Item: "20481-3", Finding: &f, Delivery: qc.Accepted, AcceptedAt: r.now},
		{Seq: 1, Kind: qc.ReturnDispatched, At: r.now, By: "u12", Item: "20481-3", Delivery: qc.Attention, Problem: "error.case_moved_on"},
	}
	entry := []refund.Entry{{At: r.now.Add(-time.Hour), Event: "flag", To: refund.AwaitingDecision}, {At: r.now, Event: refund.AgreedReturn, To: refund.ReturnApproved}}
	r.store.AllCases = []refund.Case{
		{ID: "C1", Item: "20481-3", Seller: "潮流前线鞋店", Status: refund.ReturnApproved, Version: 3, ChangedAt: r.now, Timeline: entry},
		{ID: "C2", Item: "20481-2", Seller: "潮流前线鞋店", Status: refund.Exchanging, Version: 3, ChangedAt: r.now},
		{ID: "C3", Item: "20481-1", Seller: "潮流前线鞋店", Status: refund.Negotiating, Version: 3, ChangedAt: r.now, WindowEndsAt: r.now.Add(5 * time.Hour)},
	}
	r.station.Refresh()
	r.settle()
}

// capture leaves a picture of the window beside the other artifacts.
func (r *rig) capture(name string) {
	r.t.Helper()
	dir := os.Getenv("FLAWMARK_SCREENS")
	if dir == "" {
		dir = r.t.ArtifactDir()
	}
	file, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, r.window.Canvas().Capture()); err != nil {
		r.t.Fatal(err)
	}
}

// checkTexts fails for texts that are wider or higher than their place.
func (r *rig) checkTexts(screen string) {
	r.t.Helper()
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if !o.Visible() {
			return
		}
		switch o := o.(type) {
		case *widget.Label:
			if least := o.MinSize(); o.Size().Height > 0 && (least.Width > o.Size().Width+1 || least.Height > o.Size().Height+1) {
				r.t.Errorf("%s: %q needs %v and has %v", screen, o.Text, least, o.Size())
			}
			return
		case *widget.Button:
			if least := o.MinSize(); o.Size().Width > 0 && least.Width > o.Size().Width+1 {
				r.t.Errorf("%s: button %q needs %v and has %v", screen, o.Text, least, o.Size())
			}
			return
		case *fyne.Container:
			for _, child := range o.Objects {
				walk(child)
			}
			return
		case *canvas.Text:
			return
		case *container.Scroll:
			if least := o.Content.MinSize(); o.Direction == container.ScrollVerticalOnly && least.Width > o.Size().Width+1 {
				r.t.Errorf("%s: a column needs %v and has %v", screen, least.Width, o.Size().Width)
			}
			walk(o.Content)
			return
		case fyne.Widget:
			for _, child := range test.WidgetRenderer(o).Objects() {
				walk(child)
			}
		}
	}
	walk(r.window.Content())
	if least := r.window.Content().MinSize(); least.Width > r.window.Canvas().Size().Width || least.Height > r.window.Canvas().Size().Height {
		r.t.Errorf("%s: the content needs %v and the window has %v", screen, least, r.window.Canvas().Size())
	}
}

func TestScreens_NothingIsCutInBothLanguages(t *testing.T) {
	for _, language := range assets.Languages() {
		for _, size := range []fyne.Size{fyne.NewSize(1366, 740), fyne.NewSize(2560, 1412)} {
			name := func(s string) string { return fmt.Sprintf("%s-%s-%.0f", s, language, size.Width) }
			r := newRig(t, language, size.Width, size.Height)
			shoot := func(s string) {
				t.Helper()
				r.settle()
				r.checkTexts(name(s))
				if size.Width < 2000 {
					r.capture(name(s))
				}
			}
			shoot("signin")
			r.SignInAs("u12")
			shoot("signin-pin")
			r.signIn("B0007")
			shoot("inspect-empty")
			r.Show(screenReview)
			shoot("review-empty")
			r.Show(screenInspect)
			r.station.Inspection.Scan("20481")
			shoot("inspect-choices")
			r.flawed()
			shoot("inspect")
			r.station.Inspection.Activate("")
			r.station.Inspection.AddPhoto("notes.txt", []byte("not a photo, clearly"))
			shoot("inspect-notice")
			r.station.Notices.Clear()
			r.lists()
			r.Show(screenReview)
			shoot("review")
			r.Show(screenQueue)
			shoot("queue")
			r.Show(screenCases)
			shoot("cases")
			r.Show(screenSettings)
			shoot("settings")
		}
	}
}

// SignInAs asks for the PIN of somebody.
func (r *rig) SignInAs(id qc.StaffID) { r.station.SignIn.Ask(id); r.settle() }

func TestWindow_AFlagByKeysAlone(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	test.Type(r.signin.badge, "u12")
	r.key(fyne.KeyReturn)
	test.Type(r.signin.pin, "2580")
	r.key(fyne.KeyReturn)
	if r.screen != screenInspect {
		t.Fatalf("after signing in the screen is %s", r.screen)
	}
	test.Type(r.inspect.scan, "20481-2")
	r.key(fyne.KeyReturn)
	r.station.Inspection.AddPhoto("shoe.jpg", samplePhoto(t, "xavier"))
	r.settle()
	r.key(fyne.Key2)
	if flaws := r.station.Inspection.Flaws(); len(flaws) != 1 || flaws[0].Flaw.Code != "F04" || r.inspect.photo.Tool() != qc.Box {
		t.Fatalf("after the digit: flaws %+v, tool %q", flaws, r.inspect.photo.Tool())
	}
	r.choose("button.undo")
	r.choose("button.redo")
	r.choose("button.flag")
	if len(r.store.Events) != 1 {
		t.Fatalf("nothing recorded: %v", r.station.Notices.Current())
	}
	if r.focused() != fyne.Focusable(r.inspect.scan) {
		t.Error("the next scan has nowhere to go")
	}
}

func TestWindow_ReviewByKeysAlone(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	r.signIn("B0012")
	r.flawed()
	r.lists()
	r.choose("button.sign_out")
	r.signIn("B0007")
	r.choose("screen.review")
	r.key(fyne.KeyJ)
	r.key(fyne.KeyK)
	r.key(fyne.KeyB)
	test.Type(r.review.reason, "show the sole")
	r.key(fyne.KeyReturn)
	review, ok := r.store.Events[len(r.store.Events)-1].(qc.Review)
	if !ok || review.Outcome != qc.SentBack || review.Reason != "show the sole" {
		t.Errorf("recorded %+v", r.store.Events)
	}
}

func TestWindow_DispatchByKeysAlone(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	r.signIn("B0012")
	r.lists()
	r.choose("screen.cases")
	r.key(fyne.KeyReturn)
	test.Type(r.cases.waybill, "SF9988776655443")
	r.key(fyne.KeyReturn)
	if len(r.store.Events) != 1 || r.store.Events[0].(qc.Dispatch).Waybill != "SF9988776655443" {
		t.Errorf("recorded %+v, notice %v", r.store.Events, r.station.Notices.Current())
	}
}

func TestWindow_AWaybillIsScannedStraightIntoTheCase(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	r.signIn("B0012")
	r.lists()
	r.choose("screen.cases")
	scan := func(text string) { // what has the focus receives it, as from the driver
		for _, c := range text {
			r.focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyName(c)})
			r.focused().TypedRune(c)
		}
		r.focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		r.settle()
	}
	row, _, _ := r.station.Cases.Selected()
	scan(string(row.Case.Item)) // its own number: the row stays
	if now, _, _ := r.station.Cases.Selected(); now.Case.ID != row.Case.ID || r.screen != screenCases {
		t.Errorf("case %s on screen %s, want %s on cases", now.Case.ID, r.screen, row.Case.ID)
	}
	scan("SF9988776655443")
	if len(r.store.Events) != 1 || r.store.Events[0].(qc.Dispatch).Waybill != "SF9988776655443" {
		t.Errorf("recorded %+v, notice %v", r.store.Events, r.station.Notices.Current())
	}
}

// Enter begins no scan: what is typed right behind it belongs to the entry that
// it has focused.
func TestWindow_EnterActsAtOnce(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	r.burst.after = func(time.Duration, func()) {} // a held key never acts
	r.signIn("B0012")
	r.lists()
	r.choose("screen.cases")
	r.key(fyne.KeyReturn)
	if r.focused() != r.cases.waybill {
		t.Errorf("the focus is on %T", r.focused())
	}
}

func TestWindow_AScanOverThePhotoIsNoCommand(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	var later []func()
	r.burst.after = func(_ time.Duration, f func()) { later = append(later, f) }
	r.signIn("B0012")
	r.flawed()
	flaws := len(r.station.Inspection.Flaws())
	r.focusOn(r.inspect.photo)
	for _, c := range "20481-3" {
		r.focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyName(c)})
		r.focused().TypedRune(c)
	}
	for _, f := range later {
		f()
	}
	r.onKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	r.settle()
	if got := len(r.station.Inspection.Finding().Flaws); got != 0 {
		t.Errorf("the new item has %d flaws", got)
	}
	if item, _ := r.station.Inspection.Item(); item.ID != "20481-3" {
		t.Errorf("%s is open, want the scanned item", item.ID)
	}
	if got := len(r.store.Saved["20481-2"].Finding.Flaws); got != flaws {
		t.Errorf("the scan made %d flaws of %d", got, flaws)
	}
}
