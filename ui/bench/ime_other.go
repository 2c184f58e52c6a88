//go:build !windows

package bench

import "fyne.io/fyne/v2"

// inputMethod is only switched where it swallows keys: elsewhere the system
// reports a key before its input method takes it.
func inputMethod(fyne.Window, bool) {}
