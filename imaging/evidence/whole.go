package evidence

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"io"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
)

// whole decodes the original, draws on it and encodes it.
func whole(ctx context.Context, dst io.Writer, data []byte, shapes []annotate.Shape, opts Options) error {
	img, info, err := photo.Decode(data, opts.Limits)
	if err != nil {
		return err
	}
	f := frame{w: img.Rect.Dx(), h: img.Rect.Dy(), orientation: info.Orientation}
	if f.orientation >= 5 {
		f.w, f.h = f.h, f.w
	}
	list := covers(shapes, f)
	read := func(r image.Rectangle) (*image.RGBA, error) {
		part := image.NewRGBA(r)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			copy(part.Pix[(y-r.Min.Y)*part.Stride:][:part.Stride], img.Pix[img.PixOffset(r.Min.X, y):])
		}
		return part, nil
	}
	if err := colour(list, img.Rect, read); err != nil {
		return err
	}
	fill(img, list, mixed)
	drawn := withCovers(shapes, list)
	for _, s := range shapes {
		if s.Mark.Tool == qc.Redaction && len(s.Mark.Points) != 2 {
			drawn = append(drawn, s) // hides everything
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	annotate.Render(img, drawn, annotate.View{Scale: 1}, annotate.Options{
		Unit: annotate.UnitOf(img.Rect), Width: img.Rect.Dx(), Height: img.Rect.Dy(), Source: source(list, img.Rect, read),
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(opts.Legend) > 0 {
		img = annotate.Legend(img, opts.Legend)
	}
	profile := profileOf(data)
	if len(profile) == 0 {
		return photo.EncodeJPEG(dst, img, opts.Quality)
	}
	var out bytes.Buffer
	if err := photo.EncodeJPEG(&out, img, opts.Quality); err != nil {
		return err
	}
	at := 2 // behind the start mark and the JFIF segment
	if b := out.Bytes(); len(b) > 6 && b[3] == 0xE0 {
		at += 2 + int(binary.BigEndian.Uint16(b[4:]))
	}
	for _, b := range [][]byte{out.Bytes()[:at], profile, out.Bytes()[at:]} {
		if _, err := dst.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// profileOf gives the segments of a JPEG that hold its colour profile.
func profileOf(data []byte) []byte {
	var out []byte
	for at := 2; len(data) > 2 && data[0] == 0xFF && data[1] == 0xD8 && at+4 <= len(data); {
		if data[at] != 0xFF {
			at++ // stray bytes between segments
			continue
		}
		mark := data[at+1]
		if mark == 0xFF || mark == 0 || mark == 0x01 || mark >= 0xD0 && mark <= 0xD8 {
			at++
			continue
		}
		end := at + 2 + int(binary.BigEndian.Uint16(data[at+2:]))
		if mark == 0xDA || mark == 0xD9 || end > len(data) || end < at+4 {
			break
		}
		if mark == 0xE2 && bytes.HasPrefix(data[at+4:end], []byte("ICC_PROFILE\x00")) {
			out = append(out, data[at:end]...)
		}
		at = end
	}
	return out
}
