package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"strings"
	"testing"

	"flawmark/imaging/photo"
)

func TestLanczosKeepsAnEvenGreyAndMatchesItself(t *testing.T) {
	src := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range src.Pix {
		src.Pix[i] = 77
	}
	want := lanczos(src, 13, 10)
	for i, v := range want {
		if math.Abs(v-77) > 1e-9 {
			t.Fatalf("value %d of an even grey is %v", i, v)
		}
	}
	small := image.NewRGBA(image.Rect(0, 0, 13, 10))
	for i := range small.Pix {
		small.Pix[i] = 77
	}
	if got := psnr(small, want); !math.IsInf(got, 1) {
		t.Errorf("equal pictures are %v dB apart", got)
	}
	small.Pix[0] = 87
	if got, want := psnr(small, want), 10*math.Log10(255*255*390/100.0); math.Abs(got-want) > 1e-9 {
		t.Errorf("%v dB, want %v", got, want)
	}
}

func TestTurnedPhotoIsTurned(t *testing.T) {
	var b bytes.Buffer
	if err := photo.EncodeJPEG(&b, image.NewRGBA(image.Rect(0, 0, 48, 32)), 90); err != nil {
		t.Fatal(err)
	}
	data := withOrientation(b.Bytes(), 6)
	info, err := photo.Inspect(bytes.NewReader(data), int64(len(data)), photo.Limits{})
	if err != nil || info.Orientation != 6 || info.Width != 32 {
		t.Errorf("the photo is %+v, %v", info, err)
	}
}

func TestDifferencesAreCountedByBlock(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 40, 40))
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	decoded := func() *image.YCbCr {
		img, err := jpeg.Decode(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		return img.(*image.YCbCr)
	}
	one, other := decoded(), decoded()
	other.Y[other.YOffset(20, 3)]++
	other.Cr[other.COffset(39, 39)]++
	if differing, total := differences(one, other); differing != 2 || total != 9 {
		t.Errorf("%d of %d blocks differ, want 2 of 9", differing, total)
	}
}

func TestWrongWordsAreExplained(t *testing.T) {
	for _, args := range [][]string{nil, {"nothing"}, {"preview"}, {"region", "a", "b", "many"}} {
		err := dispatch(&bench{out: &bytes.Buffer{}}, args)
		if err == nil || !strings.Contains(err.Error(), "usage") {
			t.Errorf("%v: %v, want an error of usage", args, err)
		}
	}
}
