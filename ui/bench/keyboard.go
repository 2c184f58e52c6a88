package bench

import (
	"runtime"

	"fyne.io/fyne/v2"
)

// keyboard says what stands on the keys by their scan codes, which only the
// operating system decides. The toolkit gives the digits of the keypad and of
// the top row the same names, and letters of layouts that are not Latin none.
type keyboard struct {
	pad     map[int]fyne.KeyName
	letters map[int]fyne.KeyName
}

// keyboardOf returns the keyboard of an operating system, as GLFW numbers keys
// there. The one of Linux is that of X11: a keycode is the kernel's plus eight.
func keyboardOf(system string) keyboard {
	switch system {
	case "windows":
		l := keyboard{pad: pairs(
			[]int{0x52, 0x4F, 0x50, 0x51, 0x4B, 0x4C, 0x4D, 0x47, 0x48, 0x49, 0x53, 0x135, 0x37}, "0123456789./*")}
		l.letters = rows(map[int]string{0x10: "QWERTYUIOP[]", 0x1E: "ASDFGHJKL;'`", 0x2B: "\\ZXCVBNM,./"})
		return l
	case "darwin":
		return keyboard{
			pad: pairs([]int{82, 83, 84, 85, 86, 87, 88, 89, 91, 92, 65, 75, 67}, "0123456789./*"),
			letters: pairs([]int{
				0, 11, 8, 2, 14, 3, 5, 4, 34, 38, 40, 37, 46, 45, 31, 35, 12, 15, 1, 17, 32, 9, 13, 7, 16, 6, 33, 30, 42, 43, 47, 44, 50,
			}, "ABCDEFGHIJKLMNOPQRSTUVWXYZ[]\\,./`"),
		}
	}
	l := keyboard{pad: pairs([]int{90, 87, 88, 89, 83, 84, 85, 79, 80, 81, 91, 106, 63}, "0123456789./*")}
	l.letters = rows(map[int]string{24: "QWERTYUIOP[]", 38: "ASDFGHJKL;'`", 51: "\\ZXCVBNM,./"})
	return l
}

func thisKeyboard() keyboard { return keyboardOf(runtime.GOOS) }

func pairs(codes []int, keys string) map[int]fyne.KeyName {
	m := make(map[int]fyne.KeyName, len(codes))
	for n, code := range codes {
		m[code] = fyne.KeyName(keys[n])
	}
	return m
}

func rows(starts map[int]string) map[int]fyne.KeyName {
	m := make(map[int]fyne.KeyName)
	for first, keys := range starts {
		for n := range keys {
			m[first+n] = fyne.KeyName(keys[n])
		}
	}
	return m
}
