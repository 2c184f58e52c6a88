package bench

import "time"

// A scanner is a keyboard: scanning SF123 over the photo would run the
// commands on S, F and the digits. So a command on a plain key is held for a
// moment; when more characters follow at once, it was a scan.
const (
	holdFor    = 40 * time.Millisecond
	shortScan  = 6
	scanBudget = 100 * time.Millisecond // between two characters of one scan
)

// burst tells the keys of a person from the characters of a scanner.
type burst struct {
	now   func() time.Time
	after func(time.Duration, func()) // calls back on the UI goroutine
	scan  func(string)

	runes []rune
	last  time.Time
	held  func()
	turn  int
}

// hold runs do unless characters of a scan arrive meanwhile.
func (b *burst) hold(do func()) {
	b.turn++
	turn := b.turn
	b.held = do
	b.after(holdFor, func() {
		if b.turn == turn && b.held != nil {
			held := b.held
			b.held = nil
			held()
		}
	})
}

// act runs what is held at once: a scanner has no hand that presses a button.
func (b *burst) act() {
	if held := b.held; held != nil {
		b.held = nil
		held()
	}
}

// typed takes a character. It arrives after the key that made it.
func (b *burst) typed(r rune) {
	now := b.now()
	// A key that is held down repeats one character; no scan begins so.
	if now.Sub(b.last) > scanBudget || len(b.runes) == 1 && b.runes[0] == r {
		b.runes = nil
	}
	b.runes = append(b.runes, r)
	b.last = now
	if len(b.runes) > 1 {
		b.held = nil
	}
}

// submit ends a scan at Enter; it reports whether there was one.
func (b *burst) submit() bool {
	runes := b.runes
	b.runes = nil
	if len(runes) < shortScan || b.now().Sub(b.last) > scanBudget {
		return false
	}
	b.held = nil
	b.scan(string(runes))
	return true
}
