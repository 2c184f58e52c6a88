package main

import (
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"strconv"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

const regionSide = 512

// index makes and writes the index of a photo, as its arrival does.
func index(_ *bench, args []string) error {
	if err := need(args, 2); err != nil {
		return err
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	x, err := tiles.Build(data, qc.DigestOf(data), photo.Limits{})
	if err != nil {
		return fmt.Errorf("index %s: %w", args[0], err)
	}
	stored, err := x.MarshalBinary()
	if err != nil {
		return fmt.Errorf("index %s: %w", args[0], err)
	}
	// The digest goes with it: a station knows it, and computing it again would
	// read the whole photo.
	if err := os.WriteFile(args[1]+".sha256", []byte(x.Digest()), 0o644); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	if err := os.WriteFile(args[1], stored, 0o644); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	return nil
}

// openIndexed opens a photo with the index that was made of it.
func openIndexed(name, indexName string) (*tiles.Index, *os.File, error) {
	digest, err := os.ReadFile(indexName + ".sha256")
	if err != nil {
		return nil, nil, fmt.Errorf("open index: %w", err)
	}
	stored, err := os.ReadFile(indexName)
	if err != nil {
		return nil, nil, fmt.Errorf("open index: %w", err)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("open photo: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("open photo: %w", err)
	}
	x, err := tiles.Unmarshal(stored, qc.Digest(digest), info.Size())
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("open index: %w", err)
	}
	return x, f, nil
}

// region measures inside itself: a viewer has the photo open.
func region(b *bench, args []string) error {
	if err := need(args, 3); err != nil {
		return err
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return fmt.Errorf("%w: %q is no number", errUsage, args[2])
	}
	x, f, err := openIndexed(args[0], args[1])
	if err != nil {
		return err
	}
	defer f.Close()
	w, h := x.Size()
	mw, mh := x.MCU()
	r := rand.New(rand.NewPCG(3, 3))
	var pixels, cut []float64
	for range n {
		left, top := r.IntN(w-regionSide), r.IntN(h-regionSide)
		took, err := b.timed(func() error {
			_, err := x.Region(f, image.Rect(left, top, left+regionSide, top+regionSide))
			return err
		})
		if err != nil {
			return fmt.Errorf("region: %w", err)
		}
		pixels = append(pixels, took)
		left, top = left/mw*mw, top/mh*mh
		if took, err = b.timed(func() error { _, err := x.Tile(f, left, top, regionSide, regionSide); return err }); err != nil {
			return fmt.Errorf("tile: %w", err)
		}
		cut = append(cut, took)
	}
	if err := b.report(reading{Name: "pixels", Unit: "s", Values: pixels}); err != nil {
		return err
	}
	return b.report(reading{Name: "tile", Unit: "s", Values: cut})
}

// middle is where the processes take their region from.
func middle(x *tiles.Index) (left, top int) {
	w, h := x.Size()
	mw, mh := x.MCU()
	return w / 2 / mw * mw, h / 2 / mh * mh
}

func regionOnce(_ *bench, args []string) error {
	if err := need(args, 3); err != nil {
		return err
	}
	x, f, err := openIndexed(args[0], args[1])
	if err != nil {
		return err
	}
	defer f.Close()
	left, top := middle(x)
	img, err := x.Region(f, image.Rect(left, top, left+regionSide, top+regionSide))
	if err != nil {
		return fmt.Errorf("region: %w", err)
	}
	return os.WriteFile(args[2], img.Pix, 0o644)
}

func tileOnce(_ *bench, args []string) error {
	if err := need(args, 3); err != nil {
		return err
	}
	x, f, err := openIndexed(args[0], args[1])
	if err != nil {
		return err
	}
	defer f.Close()
	left, top := middle(x)
	tile, err := x.Tile(f, left, top, regionSide, regionSide)
	if err != nil {
		return fmt.Errorf("tile: %w", err)
	}
	return os.WriteFile(args[2], tile, 0o644)
}

// again measures inside itself what a window does to show a photo whose
// preview is kept.
func again(b *bench, args []string) error {
	if err := need(args, 2); err != nil {
		return err
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("%w: %q is no number", errUsage, args[1])
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	_, kept, err := photo.Renditions(data, photo.Limits{})
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	var values []float64
	for range n {
		took, err := b.timed(func() error {
			_, _, err := photo.DecodeFit(kept.Data, 1920, 1920, photo.Limits{})
			return err
		})
		if err != nil {
			return fmt.Errorf("open again: %w", err)
		}
		values = append(values, took)
	}
	return b.report(reading{Name: "again", Unit: "s", Values: values})
}
