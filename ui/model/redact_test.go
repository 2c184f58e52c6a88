package model_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"flawmark/app/qc"
)

// TestRedaction_NothingHiddenIsRecorded photographs an address label beside a
// shoe, redacts it, and looks at what would travel.
func TestRedaction_NothingHiddenIsRecorded(t *testing.T) {
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-2")
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			c := color.RGBA{90, 120, 90, 255}
			if x >= 100 && x < 200 && y >= 60 && y < 120 {
				c = color.RGBA{255, 0, 0, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, nil); err != nil {
		t.Fatal(err)
	}
	b.Inspection.AddPhoto("label.jpg", file.Bytes())
	b.settle()
	before, _ := b.Inspection.Photo()
	b.draw(qc.Redaction, 95, 55, 205, 125)
	b.Inspection.AddFlaw("H11")
	b.Inspection.Flag()
	b.settle()

	f, ok := b.store.Events[len(b.store.Events)-1].(qc.Finding)
	if !ok || len(f.Photos) != 1 {
		t.Fatalf("recorded %v; %v", b.store.Events, b.Notices.Current())
	}
	p := f.Photos[0]
	if p.Digest != before.Digest || p.Preview.Digest == before.Preview.Digest || p.Thumb.Digest == before.Thumb.Digest {
		t.Errorf("original %s, preview %s, thumb %s", p.Digest, p.Preview.Digest, p.Thumb.Digest)
	}
	item, _ := b.store.Item(context.Background(), "20481-2")
	if err := f.Check(item, qc.Catalogue{}); p.Redactions == "" || p.Redactions != f.Redactions(p.ID) {
		t.Errorf("redactions %q: %v", p.Redactions, err)
	}
	for name, d := range map[string]qc.Digest{"preview": p.Preview.Digest, "thumb": p.Thumb.Digest} {
		if n := reds(t, b, d); n > 0 {
			t.Errorf("%d red pixels in the %s", n, name)
		}
	}
	if reds(t, b, before.Preview.Digest) == 0 {
		t.Error("the preview before had no red pixels: this test proves nothing")
	}
}

func reds(t *testing.T, b *bench, d qc.Digest) int {
	t.Helper()
	data, err := b.blobs.Read(d, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if r, g, _, _ := img.At(x, y).RGBA(); r > g+0x3000 {
				n++
			}
		}
	}
	return n
}
