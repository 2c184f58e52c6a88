package bench

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"flawmark/app/qc"
)

func TestTools_TheRailOffersEveryTool(t *testing.T) {
	rail := toolRail()
	for _, form := range qc.Forms() {
		n := 0
		for _, offered := range rail {
			if offered.tool == form.Tool {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is offered %d times", form.Tool, n)
		}
	}
}

func TestTools_ByTheirLetters(t *testing.T) {
	r := newRig(t, "en", 1366, 700)
	r.signIn("B0012")
	r.flawed()
	for _, offered := range toolRail() {
		other := qc.Box
		if offered.tool == other {
			other = qc.Line
		}
		arm := func(by string) {
			if r.inspect.photo.Tool() != offered.tool || r.inspect.tools.Selected() != string(offered.tool) {
				t.Errorf("%s by %s arms %q", offered.id, by, r.inspect.photo.Tool())
			}
			r.inspect.setTool(other)
			r.focusOn(r.inspect.photo)
		}
		r.inspect.setTool(other)
		r.focusOn(r.inspect.photo)
		for keys := range strings.FieldsSeq(offered.keys) {
			r.stroke(keys)
			arm(keys)
		}
		r.choose(offered.words)
		arm("the menu")
	}
	// All of it is in view on the smallest screen.
	if have := r.inspect.tools.Size().Height; have > r.inspect.desk.Size().Height-96 {
		t.Errorf("the rail is %g high, the desk %g", have, r.inspect.desk.Size().Height)
	}
}

func TestTools_ZoomKeysMovedAside(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	r.signIn("B0012")
	r.flawed()
	r.focusOn(r.inspect.photo)
	r.inspect.photo.ZoomTo(300)
	flaws := len(r.station.Inspection.Flaws())
	r.key(fyne.Key0)
	if _, fit := r.inspect.photo.Zoom(); !fit || len(r.station.Inspection.Flaws()) != flaws {
		t.Error("0 does not show the whole photo")
	}
	r.choose("station.do.actual")
	if percent, _ := r.inspect.photo.Zoom(); percent != 100 {
		t.Errorf("actual size is %g %%", percent)
	}
}

func TestTools_HelpShowsEveryKeyAtOnce(t *testing.T) {
	for _, language := range []string{"en", "zh"} {
		r := newRig(t, language, 1366, 740)
		r.signIn("B0012")
		r.showHelp()
		r.settle()
		r.capture("help-" + language)
		if r.popup == nil {
			t.Error("no help")
		}
		r.escape()
	}
}
