package main

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"flawmark/imaging/photo"
)

const renditionQuality = 85

func preview(_ *bench, args []string) error { return shrink(args, 1920, 1080) }

func thumb(_ *bench, args []string) error { return shrink(args, 256, 256) }

// workers is how many photos are worked on at once, as long as there are more: one for
// each of the two cores that an arriving photo keeps busy.
const workers = 2

// shrink writes DIR/NAME.jpg for each photo, decoded to fit.
func shrink(args []string, width, height int) error {
	if err := need(args, 2); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(workers)
	for _, name := range args[1:] {
		group.Go(func() error { return shrinkOne(args[0], name, width, height) })
	}
	return group.Wait()
}

func shrinkOne(dir, name string, width, height int) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("shrink: %w", err)
	}
	img, _, err := photo.DecodeFit(data, width, height, photo.Limits{})
	if err != nil {
		return fmt.Errorf("shrink %s: %w", name, err)
	}
	out := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)) + ".jpg"
	return writeJPEG(filepath.Join(dir, out), img, renditionQuality)
}

func writeJPEG(name string, img image.Image, quality int) error {
	var b bytes.Buffer
	if err := photo.EncodeJPEG(&b, img, quality); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// first is what a window does before it can show anything of a new photo.
func first(_ *bench, args []string) error {
	if err := need(args, 1); err != nil {
		return err
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("first pixels: %w", err)
	}
	_, _, err = photo.DecodeScale(data, 8, photo.Limits{})
	return err
}
