package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"strconv"

	"flawmark/app/qc"
	"flawmark/imaging/evidence"
)

// burnInLossless replaces only the blocks that marks touch. It prints how many
// it kept and replaced, for the check.
func burnInLossless(b *bench, args []string) (err error) {
	if err := need(args, 3); err != nil {
		return err
	}
	x, original, err := openIndexed(args[0], args[1])
	if err != nil {
		return err
	}
	defer original.Close()
	width, height := x.OrientedSize()
	p := qc.Photo{Digest: x.Digest(), Bytes: x.Bytes(), MediaType: "image/jpeg", Width: width, Height: height}
	f, err := os.Create(args[2])
	if err != nil {
		return fmt.Errorf("burn in: %w", err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	report, err := evidence.BurnIn(context.Background(), w, original, p, marks(40, width, height), evidence.Options{Index: x})
	if err == nil {
		err = w.Flush()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("burn in: %w", err)
	}
	if !report.Lossless {
		return errors.New("burn in: the file was not made lossless")
	}
	if err := b.report(reading{Name: "kept", Unit: "1", Values: []float64{float64(report.BlocksKept)}}); err != nil {
		return err
	}
	return b.report(reading{Name: "replaced", Unit: "1", Values: []float64{float64(report.BlocksReplaced)}})
}

// burnInCheck decodes both files with the standard library, which does not
// smooth colours over the edges of blocks, and fails unless all blocks but so
// many are equal, bit for bit.
func burnInCheck(b *bench, args []string) error {
	if err := need(args, 3); err != nil {
		return err
	}
	replaced, err := strconv.Atoi(args[2])
	if err != nil {
		return fmt.Errorf("%w: %q is no number", errUsage, args[2])
	}
	original, err := planes(args[0])
	if err != nil {
		return err
	}
	made, err := planes(args[1])
	if err != nil {
		return err
	}
	if original.Rect != made.Rect || original.SubsampleRatio != made.SubsampleRatio {
		return fmt.Errorf("check burn-in: the files are %v and %v", original.Rect, made.Rect)
	}
	differing, total := differences(original, made)
	switch {
	case differing == 0:
		return errors.New("check burn-in: nothing was drawn")
	case differing > replaced:
		return fmt.Errorf("check burn-in: %d of %d blocks differ, but only %d were said to be replaced", differing, total, replaced)
	}
	return b.report(reading{Name: "equal", Unit: "1", Values: []float64{float64(total - differing)}})
}

// planes decodes a JPEG in colour without making RGB of it.
func planes(name string) (*image.YCbCr, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("check burn-in: %w", err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("check burn-in: %s: %w", name, err)
	}
	colour, ok := img.(*image.YCbCr)
	if !ok || colour.SubsampleRatio != image.YCbCrSubsampleRatio420 {
		return nil, fmt.Errorf("check burn-in: %s is not 4:2:0", name)
	}
	return colour, nil
}

// differences counts the coded units of 16×16 pixels that are not equal in all
// planes.
func differences(a, b *image.YCbCr) (differing, total int) {
	equal := func(p, q []uint8, stride, x, y, side, width, height int) bool {
		for row := y; row < min(y+side, height); row++ {
			from, to := row*stride+x, row*stride+min(x+side, width)
			if !bytes.Equal(p[from:to], q[from:to]) {
				return false
			}
		}
		return true
	}
	w, h := a.Rect.Dx(), a.Rect.Dy()
	cw, ch := (w+1)/2, (h+1)/2
	for y := 0; y < h; y += 16 {
		for x := 0; x < w; x += 16 {
			total++
			if !equal(a.Y, b.Y, a.YStride, x, y, 16, w, h) ||
				!equal(a.Cb, b.Cb, a.CStride, x/2, y/2, 8, cw, ch) || !equal(a.Cr, b.Cr, a.CStride, x/2, y/2, 8, cw, ch) {
				differing++
			}
		}
	}
	return differing, total
}
