package evidence

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"io"
	"slices"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
)

// whole decodes the original, draws on it and encodes it.
func whole(ctx context.Context, dst io.Writer, data []byte, shapes []annotate.Shape, opts Options) error {
	info, err := photo.Inspect(bytes.NewReader(data), int64(len(data)), opts.Limits)
	if err != nil {
		return err
	}
	if !converted(info) {
		dst = &profiled{dst: dst, profile: profileOf(data)}
	}
	if info.Orientation == 1 && info.Kind == photo.JPEG && len(opts.Legend) == 0 && local(shapes) {
		return stripwise(ctx, dst, data, image.Rect(0, 0, info.Width, info.Height), shapes, opts)
	}
	return atOnce(ctx, dst, data, shapes, opts)
}

// converted reports whether a photo's colours are not those of its profile any more once it is decoded:
// the profile would convert them again.
func converted(info photo.Info) bool {
	return !info.ColourUnknown && info.Profile != "" && info.Profile != "sRGB"
}

// profiled puts a colour profile into a JPEG that comes with its header in one piece, behind the start
// mark and the JFIF segment.
type profiled struct {
	dst     io.Writer
	profile []byte // nil once it is in
}

func (p *profiled) Write(b []byte) (n int, err error) {
	if len(p.profile) > 0 {
		at := 2
		if len(b) > 6 && b[3] == 0xE0 {
			at += 2 + int(binary.BigEndian.Uint16(b[4:]))
		}
		if at > len(b) {
			return 0, io.ErrShortWrite
		}
		if n, err = p.dst.Write(b[:at]); err != nil {
			return n, err
		}
		if _, err = p.dst.Write(p.profile); err != nil {
			return n, err
		}
		p.profile, b = nil, b[at:]
	}
	more, err := p.dst.Write(b)
	return n + more, err
}

// local reports whether each pixel below the shapes is all that they depend on: no
// redaction, which takes the colour of what is around it, and no inset.
func local(shapes []annotate.Shape) bool {
	return !slices.ContainsFunc(shapes, func(s annotate.Shape) bool { return s.Mark.Tool == qc.Redaction || s.Mark.Tool == qc.Inset })
}

// stripwise draws on one part of the picture after another, which is never in
// memory whole. shapes are local.
func stripwise(ctx context.Context, dst io.Writer, data []byte, seen image.Rectangle, shapes []annotate.Shape, opts Options) error {
	layout := annotate.Lay(shapes, annotate.View{Scale: 1}, annotate.Options{Unit: annotate.UnitOf(seen), Width: seen.Dx(), Height: seen.Dy()})
	return photo.Retouch(dst, data, opts.Quality, opts.Limits, layout.Covers(), func(part *image.RGBA) error {
		layout.Draw(part)
		return ctx.Err()
	})
}

// atOnce decodes the picture whole, so that shapes can depend on all of it.
func atOnce(ctx context.Context, dst io.Writer, data []byte, shapes []annotate.Shape, opts Options) error {
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
	return photo.EncodeJPEG(dst, img, opts.Quality)
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
