package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// stroke is one key with what is held beside it.
type stroke struct {
	key    fyne.KeyName
	ctrl   bool // the system's key for commands
	shift  bool
	alt    bool
	keypad bool // the key of the numeric keypad, told from the row on top
}

// errStroke says that what is written is no stroke.
var errStroke = errors.New("no such key")

// written are the keys with a name of their own, as settings write them.
func written() map[string]fyne.KeyName {
	return map[string]fyne.KeyName{
		"Return": fyne.KeyReturn, "Escape": fyne.KeyEscape, "Space": fyne.KeySpace, "Tab": fyne.KeyTab,
		"Backspace": fyne.KeyBackspace, "Delete": fyne.KeyDelete, "Insert": fyne.KeyInsert,
		"Home": fyne.KeyHome, "End": fyne.KeyEnd, "PageUp": fyne.KeyPageUp, "PageDown": fyne.KeyPageDown,
		"Up": fyne.KeyUp, "Down": fyne.KeyDown, "Left": fyne.KeyLeft, "Right": fyne.KeyRight,
		"F1": fyne.KeyF1, "F2": fyne.KeyF2, "F3": fyne.KeyF3, "F4": fyne.KeyF4, "F5": fyne.KeyF5, "F6": fyne.KeyF6,
		"F7": fyne.KeyF7, "F8": fyne.KeyF8, "F9": fyne.KeyF9, "F10": fyne.KeyF10, "F11": fyne.KeyF11, "F12": fyne.KeyF12,
	}
}

// signs are the keys that are written as what they type.
const (
	signs  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,./\\[]'`=+-*;"
	padded = "0123456789./*"
)

// parseStroke reads a stroke such as "R", "Shift+1", "Ctrl+Shift+D", "PageUp"
// or "KP7", a key of the keypad.
func parseStroke(text string) (stroke, error) {
	var s stroke
	name := text
	for {
		switch {
		case len(name) > 5 && strings.HasPrefix(name, "Ctrl+"):
			s.ctrl, name = true, name[5:]
			continue
		case len(name) > 6 && strings.HasPrefix(name, "Shift+"):
			s.shift, name = true, name[6:]
			continue
		case len(name) > 4 && strings.HasPrefix(name, "Alt+"):
			s.alt, name = true, name[4:]
			continue
		}
		break
	}
	if key, ok := written()[name]; ok {
		s.key = key
		return s, nil
	}
	if rest, ok := strings.CutPrefix(name, "KP"); ok && len(rest) == 1 && strings.Contains(padded, rest) {
		s.key, s.keypad = fyne.KeyName(rest), true
		if s.ctrl || s.shift || s.alt {
			return s, fmt.Errorf("%w: %q", errStroke, text)
		}
		return s, nil
	}
	if len(name) == 1 && strings.Contains(signs, name) {
		s.key = fyne.KeyName(name)
		return s, nil
	}
	return s, fmt.Errorf("%w: %q", errStroke, text)
}

// parseStrokes reads strokes with a space between them; none is none.
func parseStrokes(text string) ([]stroke, error) {
	var list []stroke
	for word := range strings.FieldsSeq(text) {
		s, err := parseStroke(word)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// String writes a stroke as parseStroke reads it.
func (s stroke) String() string { return s.written(keyWord) }

func (s stroke) written(name func(fyne.KeyName) string) string {
	text := ""
	if s.ctrl {
		text += "Ctrl+"
	}
	if s.shift {
		text += "Shift+"
	}
	if s.alt {
		text += "Alt+"
	}
	if s.keypad {
		text += "KP"
	}
	return text + name(s.key)
}

// plain reports whether the stroke is for when no entry has the focus.
func (s stroke) plain() bool { return !s.ctrl && !s.alt }

// sameKind reports whether two strokes are taken for each other when a person
// chooses another key: both with Ctrl, both of the keypad, or neither.
func (s stroke) sameKind(o stroke) bool { return s.plain() == o.plain() && s.keypad == o.keypad }

// free reports whether people may give the stroke to a command. Some keys
// belong to the photo or to entries whatever else is chosen.
func (s stroke) free() bool {
	switch s.key {
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyLeft, fyne.KeyRight, fyne.KeyDelete, fyne.KeyBackspace, fyne.KeyTab, fyne.KeyEscape:
		return false
	case fyne.KeySpace, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd,
		fyne.KeyPlus, fyne.KeyMinus, fyne.KeyEqual, fyne.KeyBackTick, fyne.KeyLeftBracket, fyne.KeyRightBracket:
		return !s.plain()
	case fyne.KeyA, fyne.KeyC, fyne.KeyV, fyne.KeyX, fyne.KeyInsert:
		return !s.ctrl || s.shift || s.alt
	}
	return true
}

// shortcut is what Fyne compares with what was typed; nil for a plain key.
// Some strokes have types of their own, whatever was asked for.
func (s stroke) shortcut() fyne.Shortcut {
	if s.plain() {
		return nil
	}
	modifier := fyne.KeyModifier(0)
	if s.ctrl {
		modifier |= fyne.KeyModifierShortcutDefault
	}
	if s.shift {
		modifier |= fyne.KeyModifierShift
	}
	if s.alt {
		modifier |= fyne.KeyModifierAlt
	}
	if s.ctrl && !s.shift && !s.alt {
		switch s.key {
		case fyne.KeyZ:
			return &fyne.ShortcutUndo{}
		case fyne.KeyY:
			return &fyne.ShortcutRedo{}
		case fyne.KeyA:
			return &fyne.ShortcutSelectAll{}
		}
	}
	return &desktop.CustomShortcut{KeyName: s.key, Modifier: modifier}
}

// forPeople says the stroke as it stands on the keys.
func (s stroke) forPeople() string {
	text := s.written(func(key fyne.KeyName) string {
		switch key {
		case fyne.KeyReturn:
			return "⏎"
		case fyne.KeyEscape:
			return "Esc"
		case fyne.KeyUp:
			return "↑"
		case fyne.KeyDown:
			return "↓"
		}
		return keyWord(key)
	})
	if s.keypad {
		return strings.Replace(text, "KP", "Num ", 1)
	}
	return text
}

// keyWord is the name of a key as settings write it.
func keyWord(key fyne.KeyName) string {
	for name, named := range written() {
		if named == key {
			return name
		}
	}
	return string(key)
}

// sayStrokes says strokes for people.
func sayStrokes(list []stroke) string {
	said := make([]string, len(list))
	for n, s := range list {
		said[n] = s.forPeople()
	}
	return strings.Join(said, "  ")
}

// typed returns the stroke of a key that went down with modifiers held. An
// unknown letter, as of a layout that is not Latin, is the one that stands at
// its place on a Latin one.
func (l keyboard) typed(ev *fyne.KeyEvent, held fyne.KeyModifier) stroke {
	s := stroke{
		key: ev.Name, ctrl: held&fyne.KeyModifierShortcutDefault != 0,
		shift: held&fyne.KeyModifierShift != 0, alt: held&fyne.KeyModifierAlt != 0,
	}
	if key, ok := l.pad[ev.Physical.ScanCode]; ok {
		s.key, s.keypad = key, !s.ctrl && !s.alt
		s.shift = s.shift && !s.keypad
		return s
	}
	switch s.key {
	case fyne.KeyUnknown:
		s.key = l.letters[ev.Physical.ScanCode]
	case fyne.KeyEnter:
		s.key = fyne.KeyReturn
	}
	return s
}

// isModifier reports whether a key only changes others.
func isModifier(key fyne.KeyName) bool {
	return slices.Contains([]fyne.KeyName{
		desktop.KeyShiftLeft, desktop.KeyShiftRight, desktop.KeyControlLeft, desktop.KeyControlRight,
		desktop.KeyAltLeft, desktop.KeyAltRight, desktop.KeySuperLeft, desktop.KeySuperRight, desktop.KeyCapsLock, desktop.KeyMenu,
	}, key)
}
