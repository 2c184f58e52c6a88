package bench

import (
	"syscall"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver"
)

// IACE_DEFAULT gives a window the input method of its thread back.
const defaultContext = 0x10

// inputMethod switches the input method on or off for the window. While one for
// Chinese is on, Windows reports the letters that it takes to nobody, so that
// neither the keys of the tools nor a scanner would reach the photo.
func inputMethod(w fyne.Window, on bool) {
	native, ok := w.(driver.NativeWindow)
	if !ok {
		return
	}
	native.RunNative(func(context any) {
		window, ok := context.(driver.WindowsWindowContext)
		if !ok {
			return
		}
		associate := syscall.NewLazyDLL("imm32.dll").NewProc("ImmAssociateContextEx")
		if associate.Find() != nil {
			return // a Windows without input methods
		}
		flags := uintptr(0)
		if on {
			flags = defaultContext
		}
		_, _, _ = associate.Call(window.HWND, 0, flags)
	})
}
