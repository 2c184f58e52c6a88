package annotate

import (
	"image"

	"flawmark/app/qc"
)

// Options say how shapes are shown.
type Options struct {
	Selected qc.MarkID // is drawn above the others
	Handles  bool      // of the selected shape
	// Unit is the size in output pixels that strokes and badges are multiples
	// of. 0 stands for the longer side of the output divided by 1000, so that
	// marks look the same on a photo of any size.
	Unit float64
	// Width and Height of the image in image pixels keep badges within it.
	// 0 stands for the output's own bounds.
	Width, Height int
}

// Render draws shapes over dst. dst may be a photo or transparent.
func Render(dst *image.RGBA, shapes []Shape, view View, opts Options) {}

// BurnIn returns a copy of img with the shapes drawn on it at its own size.
func BurnIn(img *image.RGBA, shapes []Shape) *image.RGBA { return img }
