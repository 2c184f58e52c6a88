// Package widgets holds our own Fyne widgets: the canvas that shows a photo
// with its marks, and the large, scanner- and glove-friendly controls around
// it. They know marks and pictures but nothing of orders, cases or disks: the
// screens give them values and hear of gestures through callbacks.
//
// Every method and callback belongs to the UI goroutine.
package widgets
