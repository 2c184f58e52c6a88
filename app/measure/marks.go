package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/evidence"
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
	out, err := os.Create(args[1])
	if err != nil {
		return fmt.Errorf("burn in: %w", err)
	}
	info, err := photo.Inspect(bytes.NewReader(data), int64(len(data)), photo.Limits{})
	if err == nil {
		p := qc.Photo{Bytes: info.Bytes, MediaType: "image/jpeg", Width: info.Width, Height: info.Height}
		_, err = evidence.BurnIn(context.Background(), out, bytes.NewReader(data), p, marks(40, info.Width, info.Height),
			evidence.Options{Quality: exportQuality, Whole: true})
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("burn in: %w", err)
	}
	return nil
}
