package bench

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/assets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

func TestBindings_NoKeyMeansTwoThings(t *testing.T) {
	table, err := bind(nil)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, b := range table {
		if names[b.ID] {
			t.Errorf("%s is there twice", b.ID)
		}
		names[b.ID] = true
		if len(b.strokes) == 0 {
			t.Errorf("%s has no key", b.ID)
		}
		if !slices.Contains(groups(), b.Group) {
			t.Errorf("%s is in no group", b.ID)
		}
		for _, s := range b.strokes {
			if other, taken := clash(table, b, s); taken {
				t.Errorf("%s is %s and %s", s, b.ID, other.ID)
			}
			// Entries need these themselves.
			if n := b.inMenu(); n >= 0 && b.strokes[n] == s && s.ctrl && !s.shift && strings.Contains("ACVX", string(s.key)) {
				t.Errorf("%s takes %s from entries", b.ID, s)
			}
		}
	}
}

func TestStroke_IsReadAsItIsWritten(t *testing.T) {
	table, err := bind(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range table {
		for _, s := range b.strokes {
			again, err := parseStroke(s.String())
			if err != nil || again != s {
				t.Errorf("%s is read as %+v, %v", s, again, err)
			}
		}
	}
	for _, wrong := range []string{"", "Ctrl+", "Q+R", "KPx", "Ctrl+KP1", "return", "ä", "RR"} {
		if s, err := parseStroke(wrong); !errors.Is(err, errStroke) {
			t.Errorf("%q is read as %v, %v", wrong, s, err)
		}
	}
}

func TestCheckKeys(t *testing.T) {
	for name, test := range map[string]struct {
		chosen map[string]string
		about  string // the command that the error names; empty: none
	}{
		"none":              {nil, ""},
		"another letter":    {map[string]string{"tool.box": "U KP1"}, ""},
		"no key":            {map[string]string{"tool.box": ""}, ""},
		"swapped":           {map[string]string{"tool.box": "E", "tool.ellipse": "R"}, ""},
		"its own arrow":     {map[string]string{"list.next": "Down"}, ""},
		"free elsewhere":    {map[string]string{"review.confirm": "R"}, ""},
		"unknown command":   {map[string]string{"tool.hammer": "U"}, "tool.hammer"},
		"unknown key":       {map[string]string{"tool.box": "Banana"}, "tool.box"},
		"taken":             {map[string]string{"tool.line": "R"}, "tool.line"},
		"taken everywhere":  {map[string]string{"queue.pause": "Ctrl+P"}, "queue.pause"},
		"belongs to photos": {map[string]string{"tool.box": "Left"}, "tool.box"},
		"belongs to texts":  {map[string]string{"tool.box": "Ctrl+V"}, "tool.box"},
		"cannot be held":    {map[string]string{"compare.blink": "Ctrl+T"}, "compare.blink"},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckKeys(test.chosen)
			problem, ok := errors.AsType[*KeyError](err)
			if test.about == "" && err != nil || test.about != "" && (!ok || problem.Command != test.about || problem.Want == "") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What GLFW calls the keys of the keypad and of letters on each system.
func TestKeyboard_ScanCodes(t *testing.T) {
	for system, want := range map[string]map[int]string{
		"linux":   {87: "KP1", 88: "KP2", 89: "KP3", 83: "KP4", 84: "KP5", 85: "KP6", 79: "KP7", 80: "KP8", 81: "KP9", 90: "KP0", 91: "KP.", 106: "KP/", 27: "R", 38: "A", 52: "Z", 58: "M"},
		"windows": {0x4F: "KP1", 0x4C: "KP5", 0x49: "KP9", 0x52: "KP0", 0x53: "KP.", 0x135: "KP/", 0x13: "R", 0x1E: "A", 0x2C: "Z", 0x32: "M"},
		"darwin":  {83: "KP1", 87: "KP5", 92: "KP9", 82: "KP0", 65: "KP.", 75: "KP/", 15: "R", 0: "A", 6: "Z", 46: "M"},
	} {
		board := keyboardOf(system)
		for code, stroke := range want {
			typed := board.typed(&fyne.KeyEvent{Physical: fyne.HardwareKey{ScanCode: code}}, 0)
			if typed.String() != stroke {
				t.Errorf("%s: %#x is %s, want %s", system, code, typed, stroke)
			}
		}
		if len(board.pad) != 13 {
			t.Errorf("%s: the keypad has %d keys", system, len(board.pad))
		}
	}
}

func TestKeys_KeypadChoosesToolsAndTheTopRowFlaws(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	r.signIn("B0012")
	r.flawed()
	r.focusOn(r.inspect.photo)
	flaws := len(r.station.Inspection.Flaws())
	r.stroke("KP2")
	if r.inspect.photo.Tool() != qc.Ellipse || len(r.station.Inspection.Flaws()) != flaws {
		t.Errorf("the keypad's 2 arms %q with %d flaws", r.inspect.photo.Tool(), len(r.station.Inspection.Flaws()))
	}
	r.stroke("2")
	if len(r.station.Inspection.Flaws()) != flaws+1 || r.inspect.photo.Tool() != qc.Ellipse {
		t.Errorf("the top row's 2 makes %d flaws and arms %q", len(r.station.Inspection.Flaws()), r.inspect.photo.Tool())
	}
	// A letter of a layout that is not Latin has a place and no name.
	for code, key := range r.keyboard.letters {
		if key == fyne.KeyG {
			r.focused().TypedKey(&fyne.KeyEvent{Physical: fyne.HardwareKey{ScanCode: code}})
		}
	}
	if r.inspect.photo.Tool() != qc.Polygon {
		t.Errorf("the key at G's place arms %q", r.inspect.photo.Tool())
	}
}

func TestKeys_HeldKeysActWhileTheyAreHeld(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	r.signIn("B0012")
	r.flawed()
	photo := r.inspect.photo
	r.focusOn(photo)
	down := func(key fyne.KeyName) {
		photo.KeyDown(&fyne.KeyEvent{Name: key})
		photo.TypedKey(&fyne.KeyEvent{Name: key})
		photo.TypedKey(&fyne.KeyEvent{Name: key}) // it repeats
	}
	up := func(key fyne.KeyName) { photo.KeyUp(&fyne.KeyEvent{Name: key}) }
	down(fyne.KeyBackslash)
	if !photo.MarksHidden() {
		t.Error("marks are in view while \\ is held")
	}
	if !r.inspect.looks.chips.Objects[3].Visible() {
		t.Error("nothing says that marks are hidden")
	}
	up(fyne.KeyBackslash)
	if photo.MarksHidden() {
		t.Error("marks stay hidden")
	}
	r.settle()
	down(fyne.KeyY)
	if !r.inspect.looks.chips.Objects[4].Visible() || !strings.Contains(r.inspect.looks.seen.Text, r.say("station.compare.listing")) {
		t.Errorf("while Y is held it says %q", r.inspect.looks.seen.Text)
	}
	up(fyne.KeyY)
	if r.inspect.looks.chips.Objects[4].Visible() {
		t.Error("the comparing stays")
	}
	before, _ := photo.Zoom()
	down(fyne.KeyW)
	up(fyne.KeyW)
	if after, _ := photo.Zoom(); after <= before {
		t.Errorf("W zooms from %g to %g", before, after)
	}
	if r.zooming.run != nil {
		t.Error("zooming goes on")
	}
	down(fyne.KeyBackslash)
	photo.FocusLost()
	if photo.MarksHidden() || len(r.held) != 0 {
		t.Error("what was held stays when the focus goes")
	}
}

func TestKeys_WhatTheyDo(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	r.signIn("B0012")
	r.flawed()
	in, photo := r.station.Inspection, r.inspect.photo
	first := in.Finding().Photos[0].ID
	count := func() int { return len(in.Marks()) }
	order := func() (ids []qc.MarkID) {
		for _, v := range in.Marks() {
			ids = append(ids, v.Mark.ID)
		}
		return ids
	}
	start := order()
	for _, step := range []struct {
		keys string
		does string
		ok   func() bool
	}{
		{"Return", "next photo", func() bool { return in.Finding().Photos[1].ID == r.inspect.shown }},
		{"Shift+Return", "previous photo", func() bool { return r.inspect.shown == first }},
		{".", "next photo", func() bool { return r.inspect.shown != first }},
		{",", "previous photo", func() bool { return r.inspect.shown == first }},
		{"Ctrl+A", "all marks", func() bool { return len(in.SelectedMarks()) == count() && count() == 2 }},
		{"Ctrl+D", "duplicates", func() bool { return count() == 4 }},
		{"Ctrl+Z", "undoes", func() bool { return count() == 2 }},
		{"Ctrl+Shift+Z", "redoes", func() bool { return count() == 4 }},
		{"Ctrl+Z", "undoes", func() bool { in.SelectMarks(start[0]); return count() == 2 }},
		{"End", "has it", func() bool { return order()[0] == start[0] }},
		{"Home", "to the front", func() bool { return order()[1] == start[0] }},
		{"End", "to the back", func() bool { return order()[0] == start[0] }},
		{"PageUp", "up", func() bool { return order()[1] == start[0] }},
		{"PageDown", "down", func() bool { return order()[0] == start[0] }},
		{"Shift+2", "actual size", func() bool { p, _ := photo.Zoom(); return p == 100 }},
		{"Shift+4", "double", func() bool { p, _ := photo.Zoom(); return p == 200 }},
		{"Shift+1", "fit", func() bool { _, fit := photo.Zoom(); return fit && len(in.Finding().Flaws) == 2 }},
		{"Ctrl+R", "turns", func() bool { return photo.Turn() == 1 && r.inspect.looks.turned.Visible() }},
		{"Ctrl+Shift+R", "turns back", func() bool { return photo.Turn() == 0 && !r.inspect.looks.turned.Visible() }},
		{"F5", "brighter", func() bool { b, _ := photo.Light(); return b > 0 && r.inspect.looks.lit.Visible() }},
		{"F4", "darker", func() bool { b, _ := photo.Light(); return b == 0 && !r.inspect.looks.lit.Visible() }},
		{"F7", "more contrast", func() bool { _, c := photo.Light(); return c > 0 }},
		{"F9", "as it is", func() bool { b, c := photo.Light(); return b == 0 && c == 0 }},
		{"I", "opens the sliders", func() bool { return r.inspect.looks.light.Visible() }},
		{"I", "closes them", func() bool { return !r.inspect.looks.light.Visible() }},
		{"K", "keeps the zoom", func() bool { return photo.KeepZoom && r.inspect.looks.kept.Visible() }},
		{"O", "no overview", func() bool { return !photo.MapShown() }},
		{"Shift+C", "side by side", func() bool { return r.inspect.looks.modes.Selected() == "3" && r.inspect.looks.bar.Visible() }},
		{"Shift+C", "swipe", func() bool { return r.inspect.looks.modes.Selected() == "2" }},
		{"Shift+C", "blink", func() bool { return r.inspect.looks.modes.Selected() == "1" }},
		{"Shift+C", "no comparing", func() bool { return !r.inspect.looks.bar.Visible() }},
		{"]", "larger", func() bool { m := in.Marks()[0].Mark; return m.Points[1].X-m.Points[0].X > 100 }},
		{"Ctrl+Shift+D", "copies on", func() bool { return r.inspect.shown != first && count() == 1 }},
		{"Ctrl+U", "unsure", func() bool { return in.Unsure() }},
		{"Ctrl+Space", "sure", func() bool { return !in.Unsure() }},
		{"F1", "help", func() bool { return r.popup != nil }},
	} {
		if step.keys != "F1" {
			r.focusOn(photo)
		}
		r.stroke(step.keys)
		if !step.ok() {
			t.Errorf("%s does not: %s", step.keys, step.does)
		}
	}
}

func TestKeys_AreChosenByPressingThem(t *testing.T) {
	r := newRig(t, "en", 1366, 740)
	r.signIn("B0012")
	r.flawed()
	r.Show(screenSettings)
	r.settings.show(partKeys)
	r.settle()
	press := func(id, keys string) {
		t.Helper()
		b, ok := r.commandOf(id)
		if !ok {
			t.Fatal(id)
		}
		button := newKeyButton(r.settings.keys, b)
		r.settings.keys.rows.Add(button)
		button.wait()
		if r.catching != button {
			t.Fatal("no key is waited for")
		}
		r.stroke(keys)
		if r.catching != nil {
			t.Errorf("after %s keys are still waited for", keys)
		}
	}
	keys := func(id string) string { b, _ := r.commandOf(id); return sayStrokes(b.strokes) }

	press("tool.box", "U")
	if got := keys("tool.box"); got != "U  Num 1" || r.station.Settings.Values().Keys["tool.box"] != "U KP1" {
		t.Errorf("the box has %s, kept %v", got, r.station.Settings.Values().Keys)
	}
	if r.screen != screenSettings {
		t.Errorf("a chosen key acted: screen %s", r.screen)
	}
	press("tool.line", "U") // taken now
	if notice := r.station.Notices.Current(); !notice.Bad || !strings.Contains(notice.Sentence.In(r.words), r.say("station.do.box")) {
		t.Errorf("the clash is not said: %v", notice)
	}
	if keys("tool.line") != "L  Num 4" {
		t.Errorf("the line has %s", keys("tool.line"))
	}
	r.station.Notices.Clear()
	press("tool.line", "Ctrl+P") // passing, everywhere
	if len(r.store.Events) != 0 || !r.station.Notices.Current().Bad {
		t.Error("Ctrl+P passed the item, or was given away")
	}
	press("compare.blink", "Ctrl+T")
	press("tool.box", "Left")
	press("tool.box", "Escape")
	if keys("compare.blink") != "Y" || keys("tool.box") != "U  Num 1" {
		t.Errorf("blink has %s, the box %s", keys("compare.blink"), keys("tool.box"))
	}

	r.Show(screenInspect)
	r.focusOn(r.inspect.photo)
	r.inspect.setTool("")
	r.stroke("R")
	if r.inspect.photo.Tool() != "" {
		t.Error("the old key still works")
	}
	r.stroke("U")
	if r.inspect.photo.Tool() != qc.Box {
		t.Error("the new key does not work")
	}
	r.settings.keys.reset("tool.box")
	if keys("tool.box") != "R  Num 1" || len(r.station.Settings.Values().Keys) != 0 {
		t.Errorf("after the reset the box has %s", keys("tool.box"))
	}
}

// F1 lists each command once, with its keys, and finds it.
func TestHelp_ListsEveryCommandOnce(t *testing.T) {
	for _, language := range assets.Languages() {
		r := newRig(t, language, 1366, 740)
		seen := map[string]int{}
		n := 0
		for _, group := range groups() {
			for _, row := range r.keyRows(group, "") {
				seen[row.what]++
				n++
				if row.keys == "" {
					t.Errorf("%s: %s has no key", language, row.what)
				}
			}
		}
		for what, times := range seen {
			if times > 1 {
				t.Errorf("%s: %s is listed %d times", language, what, times)
			}
		}
		if want := len(r.table) - presets + 1; n != want {
			t.Errorf("%s: %d commands are listed, want %d", language, n, want)
		}
		if rows := r.keyRows(menuTool, r.say("station.do.redact")); len(rows) != 1 || rows[0].keys != "B  Num 8" {
			t.Errorf("%s: found %v", language, rows)
		}
	}
}

func TestKeyboard_ModifiersAreNoKeys(t *testing.T) {
	if !isModifier(desktop.KeyShiftLeft) || isModifier(fyne.KeyR) {
		t.Error("modifiers are not told from keys")
	}
}
