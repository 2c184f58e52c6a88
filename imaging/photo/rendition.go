package photo

import (
	"bytes"
	"fmt"
	"image"
	"io"
)

// Rendition is a small JPEG made from an original, oriented, without any metadata.
type Rendition struct {
	Profile       string // "thumb" or "preview"
	Data          []byte // the JPEG file
	Width, Height int
}

// The profiles: the longer side in pixels and the JPEG quality.
const (
	thumbProfile   = "thumb"
	thumbSide      = 256
	thumbQuality   = 82
	previewProfile = "preview"
	previewSide    = 1920
	previewQuality = 85
)

// Renditions makes the thumbnail (256 pixels on the longer side) and the preview (1920) in one
// decode. A smaller original is not enlarged.
func Renditions(data []byte, lim Limits) (thumb, preview Rendition, err error) {
	img, _, err := DecodeFit(data, previewSide, previewSide, lim)
	if err != nil {
		return thumb, preview, err
	}
	return renditionsOf(img)
}

// RenditionsOf makes them of a picture that DecodeFit made to fit PreviewSide×PreviewSide pixels, for
// callers who want to see that picture first.
func RenditionsOf(preview *image.RGBA) (thumb, small Rendition, err error) {
	return renditionsOf(preview)
}

// PreviewSide is the longer side of a preview.
const PreviewSide = previewSide

func renditionsOf(img *image.RGBA) (thumb, preview Rendition, err error) {
	w, h := fitSize(img.Rect.Dx(), img.Rect.Dy(), thumbSide, thumbSide)
	if preview, err = render(previewProfile, img, previewQuality); err != nil {
		return thumb, preview, err
	}
	thumb, err = render(thumbProfile, resample(img, w, h), thumbQuality)
	return thumb, preview, err
}

func render(profile string, img *image.RGBA, quality int) (Rendition, error) {
	var buf bytes.Buffer
	if err := EncodeJPEG(&buf, img, quality); err != nil {
		return Rendition{}, fmt.Errorf("make %s: %w", profile, err)
	}
	return Rendition{Profile: profile, Data: buf.Bytes(), Width: img.Rect.Dx(), Height: img.Rect.Dy()}, nil
}

// EncodeJPEG writes img as a baseline 4:2:0 JPEG of the given quality (1..100), without metadata.
// A transparent picture is laid over white, except that an *image.RGBA is taken to be opaque.
func EncodeJPEG(w io.Writer, img image.Image, quality int) error {
	b := img.Bounds()
	if b.Empty() || b.Dx() > 65535 || b.Dy() > 65535 {
		return fmt.Errorf("encode JPEG: %d×%d pixels cannot be stored", b.Dx(), b.Dy())
	}
	rgba, ok := img.(*image.RGBA)
	if !ok {
		rgba = toRGBA(img)
	} else if b.Min != (image.Point{}) {
		rgba = &image.RGBA{Pix: rgba.Pix[rgba.PixOffset(b.Min.X, b.Min.Y):], Stride: rgba.Stride, Rect: b.Sub(b.Min)}
	}
	j, err := newJPEGEncoder(b.Dx(), b.Dy(), min(max(quality, 1), 100))
	defer j.close()
	if err == nil {
		err = j.add(rgba)
	}
	if err == nil {
		err = j.finish(w)
	}
	if err != nil {
		return fmt.Errorf("encode JPEG: %w", err)
	}
	return nil
}
