package photo

import (
	"image"
	"image/color"
	"slices"
	"testing"

	"github.com/disintegration/imaging"
)

func adjusted(img *image.RGBA, change func(*image.NRGBA) *image.NRGBA) *image.RGBA {
	return toRGBA(change(&image.NRGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}))
}

func TestCheckOnSamplePhotos(t *testing.T) {
	for name, data := range samples(t) {
		t.Run(name, func(t *testing.T) {
			img, _, err := DecodeFit(data, 1920, 1920, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			sound := Check(img)
			if len(sound.Warnings) != 0 {
				t.Errorf("a good photo is warned about: %+v", sound)
			}
			blurred := Check(adjusted(img, func(p *image.NRGBA) *image.NRGBA { return imaging.Blur(p, 5) }))
			if !slices.Contains(blurred.Warnings, "photo.blurred") || blurred.Sharpness >= sound.Sharpness {
				t.Errorf("blurred: %+v, sharp: %+v", blurred, sound)
			}
			dark := Check(adjusted(img, func(p *image.NRGBA) *image.NRGBA {
				return imaging.AdjustFunc(p, func(c color.NRGBA) color.NRGBA { return color.NRGBA{c.R / 6, c.G / 6, c.B / 6, 255} })
			}))
			if !dark.Dark || !slices.Contains(dark.Warnings, "photo.dark") {
				t.Errorf("dark: %+v", dark)
			}
			clipped := Check(adjusted(img, func(p *image.NRGBA) *image.NRGBA {
				return imaging.AdjustFunc(p, func(c color.NRGBA) color.NRGBA {
					lift := func(v uint8) uint8 { return clamp8(int(v)*2 + 240) }
					return color.NRGBA{lift(c.R), lift(c.G), lift(c.B), 255}
				})
			}))
			if !clipped.Clipped || !slices.Contains(clipped.Warnings, "photo.clipped") {
				t.Errorf("clipped: %+v", clipped)
			}
			t.Logf("sharpness %.0f, blurred %.1f", sound.Sharpness, blurred.Sharpness)
		})
	}
}

func TestCheckOnTinyPictures(t *testing.T) {
	for _, side := range []int{0, 1, 2, 3, 5, 17} {
		Check(image.NewRGBA(image.Rect(0, 0, side, side))) // must not panic
	}
}
