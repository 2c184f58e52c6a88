package main

import (
	"fmt"
	"image"
	"math/rand/v2"
	"os"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
)

const exportQuality = 90

// marks are n marks as an inspector draws them, up to a tenth of the picture
// each, at places that are the same in every run.
func marks(n, width, height int) []annotate.Shape {
	r := rand.New(rand.NewPCG(2, uint64(n)))
	tools := []qc.Tool{qc.Box, qc.Ellipse, qc.Arrow}
	severities := []qc.Severity{qc.Minor, qc.Major, qc.Critical}
	shapes := make([]annotate.Shape, n)
	for i := range shapes {
		w, h := float64(width)*(0.02+0.08*r.Float64()), float64(height)*(0.02+0.08*r.Float64())
		x, y := r.Float64()*(float64(width)-w), r.Float64()*(float64(height)-h)
		shapes[i] = annotate.Shape{
			Mark: qc.Mark{
				ID: qc.MarkID(fmt.Sprintf("m%d", i)), Tool: tools[i%len(tools)],
				Points: []qc.Point{{X: x, Y: y}, {X: x + w, Y: y + h}},
			},
			Number: i + 1, Severity: severities[i%len(severities)],
		}
	}
	return shapes
}

// burnIn is the export at full size: every pixel is decoded and coded again.
func burnIn(_ *bench, args []string) error {
	if err := need(args, 2); err != nil {
		return err
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("burn in: %w", err)
	}
	img, _, err := photo.Decode(data, photo.Limits{})
	if err != nil {
		return fmt.Errorf("burn in: %w", err)
	}
	render(img, marks(40, img.Rect.Dx(), img.Rect.Dy()))
	return writeJPEG(args[1], img, exportQuality)
}

func render(img *image.RGBA, shapes []annotate.Shape) {
	annotate.Render(img, shapes, annotate.View{Scale: 1}, annotate.Options{})
}
