// Package widgets holds our own Fyne widgets: the canvas that shows a photo
// with its marks, and the large, scanner- and glove-friendly controls around
// it. They know marks and pictures but nothing of orders, cases or disks: the
// screens give them values and hear of gestures through callbacks.
//
// What is in view of a photo is composed into one picture of the window's size,
// from levels in memory and from a [TileSource], so that a photo's size costs
// nothing. The toolkit paints each pixel of each layer; so the marks are drawn
// into that picture, and nothing lies under it but a small picture of the whole
// photo while a part is missing. Panning moves it, the wheel stretches it until
// it rests; textures stay within 2048 pixels a side.
// Turn, light, comparing and the overview are for looking: nothing of them is
// ever written.
//
// The canvas draws with every tool by a drag and by two clicks, and edits marks,
// one or several, by hand and by keys. While a tool is armed only what is
// selected reacts to the hand, so that marks can be drawn over each other; Ctrl
// picks others. What is in hand is shown at once and reported once, at the end.
//
// Every method and callback belongs to the UI goroutine.
package widgets
