package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"flawmark/assets"
	"flawmark/imaging/photo"
)

// sizes are the photos that are made, by the sensors of cameras.
var sizes = []struct {
	name          string
	width, height int
}{
	{"P12.jpg", 4240, 2832},
	{"P24.jpg", 6000, 4000},
	{"P50.jpg", 8688, 5792},
	{"P100.jpg", 11648, 8736},
}

const (
	cameraQuality = 92
	// A sensor's noise, in steps of 8 bits: what makes a photo of this size
	// weigh 0.30 to 0.38 bytes a pixel, as cameras write them.
	lumaNoise   = 4.7
	colourNoise = 2.8
)

// makePhotos makes what is missing. The same version makes the same photos.
func makePhotos(_ *bench, args []string) error {
	if err := need(args, 1); err != nil {
		return err
	}
	dir := args[0]
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make photos: %w", err)
	}
	var samples []*image.RGBA
	for _, s := range sizes {
		name := filepath.Join(dir, s.name)
		if _, err := os.Stat(name); err == nil {
			continue
		}
		if samples == nil {
			var err error
			if samples, err = readSamples(); err != nil {
				return err
			}
		}
		var b bytes.Buffer
		if err := photo.EncodeJPEG(&b, mosaic(samples, s.width, s.height), cameraQuality); err != nil {
			return fmt.Errorf("make %s: %w", s.name, err)
		}
		if err := writeWhole(name, b.Bytes()); err != nil {
			return err
		}
	}
	turned := filepath.Join(dir, "P24-turned.jpg")
	if _, err := os.Stat(turned); err == nil {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "P24.jpg"))
	if err != nil {
		return fmt.Errorf("make P24-turned.jpg: %w", err)
	}
	return writeWhole(turned, withOrientation(data, 6))
}

// readSamples decodes the sample photos, in the order of their names.
func readSamples() ([]*image.RGBA, error) {
	entries, err := fs.ReadDir(assets.Photos(), ".")
	if err != nil {
		return nil, fmt.Errorf("list sample photos: %w", err)
	}
	var samples []*image.RGBA
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".jpg") {
			continue
		}
		data, err := fs.ReadFile(assets.Photos(), e.Name())
		if err != nil {
			return nil, fmt.Errorf("read sample %s: %w", e.Name(), err)
		}
		img, _, err := photo.Decode(data, photo.Limits{})
		if err != nil {
			return nil, fmt.Errorf("decode sample %s: %w", e.Name(), err)
		}
		samples = append(samples, img)
	}
	return samples, nil
}

// mosaic fills a picture with the samples at their own pixels, row by row, and
// lays a sensor's noise over it, so that it is as hard to code as a photo.
func mosaic(samples []*image.RGBA, width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	next := 0
	for top := 0; top < height; top += 1060 { // the lowest sample
		for left := 0; left < width; {
			s := samples[next%len(samples)]
			next++
			across, down := min(s.Rect.Dx(), width-left), min(s.Rect.Dy(), 1060, height-top)
			for y := range down {
				copy(img.Pix[img.PixOffset(left, top+y):], s.Pix[s.PixOffset(0, y):s.PixOffset(across-1, y)+4])
			}
			left += across
		}
		next += 3 // the rows do not look alike
	}
	noisy(img)
	return img
}

func noisy(img *image.RGBA) {
	r := rand.New(rand.NewPCG(1, uint64(img.Rect.Dx())))
	var luma, colour [1 << 16]int8
	for i := range luma {
		luma[i], colour[i] = int8(r.NormFloat64()*lumaNoise), int8(r.NormFloat64()*colourNoise)
	}
	for y := range img.Rect.Dy() {
		// Each row begins elsewhere in the table, so that rows are unlike.
		at, by := r.IntN(len(luma)), 3*r.IntN(len(colour))
		row := img.Pix[y*img.Stride : y*img.Stride+4*img.Rect.Dx()]
		for x := 0; x < len(row); x += 4 {
			n := int(luma[at%len(luma)])
			at++
			for c := range 3 {
				row[x+c] = uint8(min(max(int(row[x+c])+n+int(colour[by%len(colour)]), 0), 255))
				by++
			}
		}
	}
}

// withOrientation puts a minimal EXIF block with an orientation behind the start
// mark.
func withOrientation(jpeg []byte, orientation uint16) []byte {
	be := binary.BigEndian
	block := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08")
	block = be.AppendUint16(block, 1)      // one entry:
	block = be.AppendUint16(block, 0x0112) // orientation,
	block = be.AppendUint16(block, 3)      // a short,
	block = be.AppendUint32(block, 1)      // once
	block = be.AppendUint16(block, orientation)
	block = append(block, 0, 0, 0, 0, 0, 0) // padding, no next directory
	out := append([]byte{}, jpeg[:2]...)
	out = append(out, 0xFF, 0xE1)
	out = be.AppendUint16(out, uint16(len(block)+2))
	out = append(out, block...)
	return append(out, jpeg[2:]...)
}

// writeWhole writes a file that is either whole or not there, since runs share
// the photos.
func writeWhole(name string, data []byte) error {
	part := name + ".part"
	f, err := os.Create(part)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(name), err)
	}
	w := bufio.NewWriter(f)
	_, err = w.Write(data)
	if err == nil {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		_ = os.Remove(part)
		return fmt.Errorf("write %s: %w", filepath.Base(name), err)
	}
	return nil
}
