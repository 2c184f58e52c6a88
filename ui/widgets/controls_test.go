package widgets

import (
	"image/color"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

func TestScanEntry_TheNextScanReplacesTheLast(t *testing.T) {
	test.NewTempApp(t)
	e := NewScanEntry()
	var got []string
	e.OnSubmitted = func(text string) { got = append(got, text) }
	w := test.NewTempWindow(t, e)
	w.Canvas().Focus(e)
	for _, scan := range []string{"SF123", "20481-2", ""} {
		test.Type(e, scan)
		e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		if scan != "" && e.SelectedText() != scan {
			t.Errorf("selected %q after scanning %q", e.SelectedText(), scan)
		}
	}
	// An empty scan submits what is there once more: Enter twice is a repeat.
	if want := []string{"SF123", "20481-2", "20481-2"}; !slices.Equal(got, want) {
		t.Errorf("submitted %q, want %q", got, want)
	}
	if w.Canvas().Focused() != e {
		t.Error("the entry lost the focus")
	}
	e.SetText("")
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEnter})
	if len(got) != 3 {
		t.Error("nothing was submitted as something")
	}
}

func TestToggle_OneAtATimeAndLargeEnough(t *testing.T) {
	test.NewTempApp(t)
	g := NewToggle(Option{Key: "a", Letter: "A"}, Option{Key: "b", Letter: "B", Label: "both"}, Option{Key: "c", Letter: "C"})
	var got []string
	g.OnChanged = func(key string) { got = append(got, key) }
	w := test.NewTempWindow(t, g)
	w.Resize(fyne.NewSize(300, 60))
	for _, item := range g.items {
		if s := item.Size(); s.Height < 44 || s.Width < 44 {
			t.Errorf("%q is %v", item.option.Key, s)
		}
	}
	test.Tap(g.items[1])
	test.Tap(g.items[2])
	g.Select("a")
	g.Optional = true
	test.Tap(g.items[0])
	g.SetEnabled(false)
	test.Tap(g.items[1])
	if want := []string{"b", "c", ""}; !slices.Equal(got, want) || g.Selected() != "" {
		t.Errorf("changed %q, want %q; chosen %q", got, want, g.Selected())
	}
	g.SetEnabled(true)
	g.Select("b")
	g.SetOptions(Option{Key: "b"}, Option{Key: "d"})
	if g.Selected() != "b" {
		t.Error("what is chosen stays where its key does")
	}
	g.SetOptions(Option{Key: "d"})
	if g.Selected() != "" {
		t.Error("what is gone is not chosen")
	}
}

func TestThumbs_SelectAddRemove(t *testing.T) {
	test.NewTempApp(t)
	s := NewThumbs()
	var chosen, removed []string
	added := 0
	s.OnSelected = func(key string) { chosen = append(chosen, key) }
	s.OnAdd = func() { added++ }
	s.OnRemove = func(key string) { removed = append(removed, key) }
	w := test.NewTempWindow(t, s)
	w.Resize(fyne.NewSize(400, 90))
	s.SetThumbs([]Thumb{{Key: "a", Image: slope(40, 30)}, {Key: "b", Badge: "2"}, {Key: "c"}})
	test.Tap(s.items[1])
	for _, key := range []fyne.KeyName{fyne.KeyRight, fyne.KeyRight, fyne.KeyHome, fyne.KeyDelete} {
		s.TypedKey(&fyne.KeyEvent{Name: key})
	}
	test.TapAt(s.items[0], fyne.NewPos(s.items[0].Size().Width-5, 5))
	test.TapAt(s.items[2], fyne.NewPos(s.items[2].Size().Width-5, 5)) // not selected: no cross there
	test.Tap(s.add)
	if want := []string{"b", "c", "a", "c"}; !slices.Equal(chosen, want) {
		t.Errorf("chosen %q, want %q", chosen, want)
	}
	if want := []string{"a", "a"}; !slices.Equal(removed, want) || added != 1 {
		t.Errorf("removed %q, want %q; added %d", removed, want, added)
	}
	first := s.items[1]
	s.SetThumbs([]Thumb{{Key: "b"}, {Key: "c"}})
	if s.Selected() != "c" || s.items[0] != first {
		t.Error("what stays is kept")
	}
	s.SetThumbs(nil)
	s.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
	if s.Selected() != "" {
		t.Error("nothing can be selected of nothing")
	}
}

func TestDot_EveryFormIsDifferent(t *testing.T) {
	seen := map[string]Form{}
	for form := Disc; form <= Diamond; form++ {
		img := drawForm(form, color.Black, 16, 16)
		var alpha []byte
		for y := range 16 {
			for x := range 16 {
				_, _, _, a := img.At(x, y).RGBA()
				alpha = append(alpha, byte(a>>8))
			}
		}
		if other, ok := seen[string(alpha)]; ok {
			t.Errorf("forms %d and %d look alike", form, other)
		}
		seen[string(alpha)] = form
		if slices.Max(alpha) == 0 {
			t.Errorf("form %d is empty", form)
		}
	}
}

func TestDot_ShowsWhatItIsSet(t *testing.T) {
	test.NewTempApp(t)
	d := NewDot(Ring, nil, "offline")
	test.NewTempWindow(t, d)
	before := d.MinSize()
	d.Set(Disc, color.Black, "online, and much longer")
	if d.MinSize().Width <= before.Width {
		t.Error("the status has room for its text")
	}
}
