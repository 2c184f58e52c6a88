// Package iiif speaks the IIIF Image API 3.0 at level 2: it reads what is asked
// for in an address, and says what an image offers. Of what may be offered beyond
// that level there is mirroring; sizes that ask for upscaling are understood, and
// refused where they would need it.
//
// It promises that whatever an address holds, a request is either understood and
// within bounds, or one of the errors below. No number is worked with before it
// is known to be small enough.
//
// The words are the specification's: a region of an image is cut out, scaled to
// a size, mirrored and turned (rotation), and written in a quality and a format.
// Coordinates are pixels of the full image.
package iiif

import (
	"errors"
	"fmt"
	"image"
	"math"
	"strconv"
	"strings"
)

// The errors of a request. Each wraps a [Problem], which says with which part.
var (
	// ErrSyntax: it is not of the specification's form, or asks for nothing.
	ErrSyntax = errors.New("not a request of the Image API")
	// ErrTooLarge: the result would have more pixels than there are, or than is allowed.
	ErrTooLarge = errors.New("size is over the limits")
	// ErrUnsupported: well formed, but more than level 2 demands.
	ErrUnsupported = errors.New("not offered")
	// ErrUpscaling: it would make an image larger than it is, as it may be asked to.
	ErrUpscaling = fmt.Errorf("%w: upscaling", ErrUnsupported)
)

// Problem is what is wrong with one part of a request.
type Problem struct {
	Part string // "region", "size", "rotation", "quality" or "format"
	Err  error
}

// Error implements error.
func (p *Problem) Error() string { return p.Part + ": " + p.Err.Error() }

// Unwrap returns one of the errors above.
func (p *Problem) Unwrap() error { return p.Err }

// Limits bound a result in pixels.
type Limits struct {
	Width, Height int
	Area          int
}

// Request is an address, understood but not yet of a certain image.
type Request struct {
	region   region
	size     size
	Turn     int // quarter turns clockwise, after mirroring
	Mirrored bool
	Gray     bool
	PNG      bool
	quality  string
}

type region struct {
	kind       string // "full", "square", "pixels" or "pct"
	x, y, w, h float64
}

type size struct {
	kind string // "max", "pct", "w", "h", "wh" or "fit"
	w, h int
	pct  float64
	up   bool // larger than the region is allowed
}

// Cut is a request of a certain image: its region at W×H pixels, before it is
// turned.
type Cut struct {
	Region image.Rectangle
	W, H   int
}

// Parse reads the four parts of an address: region, size, rotation, and quality
// with format.
func Parse(regionPart, sizePart, rotationPart, file string) (Request, error) {
	var q Request
	var err error
	if q.region, err = parseRegion(regionPart); err != nil {
		return q, &Problem{"region", err}
	}
	if q.size, err = parseSize(sizePart); err != nil {
		return q, &Problem{"size", err}
	}
	if err := q.parseRotation(rotationPart); err != nil {
		return q, &Problem{"rotation", err}
	}
	dot := strings.LastIndexByte(file, '.')
	if dot < 0 {
		return q, &Problem{"format", ErrSyntax}
	}
	switch q.quality = file[:dot]; q.quality {
	case "default", "color":
	case "gray":
		q.Gray = true
	case "bitonal":
		return q, &Problem{"quality", ErrUnsupported}
	default:
		return q, &Problem{"quality", ErrSyntax}
	}
	switch file[dot+1:] {
	case "jpg":
	case "png":
		q.PNG = true
	case "tif", "gif", "pdf", "jp2", "webp":
		return q, &Problem{"format", ErrUnsupported}
	default:
		return q, &Problem{"format", ErrSyntax}
	}
	return q, nil
}

func parseRegion(text string) (region, error) {
	if text == "full" || text == "square" {
		return region{kind: text}, nil
	}
	r := region{kind: "pixels"}
	read := func(text string) (float64, error) {
		n, err := whole(text)
		return float64(n), err
	}
	if rest, ok := strings.CutPrefix(text, "pct:"); ok {
		r.kind, text, read = "pct", rest, decimal
	}
	parts := strings.Split(text, ",")
	if len(parts) != 4 {
		return r, ErrSyntax
	}
	for i, to := range []*float64{&r.x, &r.y, &r.w, &r.h} {
		var err error
		if *to, err = read(parts[i]); err != nil {
			return r, err
		}
	}
	if r.w <= 0 || r.h <= 0 || r.kind == "pct" && (r.x >= 100 || r.y >= 100) {
		return r, ErrSyntax
	}
	return r, nil
}

func parseSize(text string) (s size, err error) {
	text, s.up = strings.CutPrefix(text, "^")
	if text == "max" {
		s.kind = "max"
		return s, nil
	}
	if rest, ok := strings.CutPrefix(text, "pct:"); ok {
		s.kind = "pct"
		s.pct, err = decimal(rest)
		switch {
		case err != nil:
		case s.pct <= 0:
			err = ErrSyntax
		case s.pct > 100 && !s.up:
			err = ErrTooLarge
		}
		return s, err
	}
	inner, fit := strings.CutPrefix(text, "!")
	left, right, comma := strings.Cut(inner, ",")
	if !comma || left == "" && right == "" || fit && (left == "" || right == "") {
		return s, ErrSyntax
	}
	for _, side := range []struct {
		text string
		to   *int
	}{{left, &s.w}, {right, &s.h}} {
		if side.text == "" {
			continue
		}
		if *side.to, err = whole(side.text); err != nil {
			return s, err
		}
		if *side.to == 0 {
			return s, ErrSyntax
		}
	}
	switch {
	case fit:
		s.kind = "fit"
	case right == "":
		s.kind = "w"
	case left == "":
		s.kind = "h"
	default:
		s.kind = "wh"
	}
	return s, nil
}

func (q *Request) parseRotation(text string) error {
	text, q.Mirrored = strings.CutPrefix(text, "!")
	angle, err := decimal(text)
	if err != nil {
		return err
	}
	if angle > 360 {
		return ErrSyntax
	}
	if angle != math.Trunc(angle) || int(angle)%90 != 0 {
		return ErrUnsupported
	}
	q.Turn = int(angle) / 90 % 4
	return nil
}

// digits bounds what is read as a number, far above every photo.
const digits = 9

func whole(text string) (int, error) {
	if text == "" || len(text) > digits || strings.Trim(text, "0123456789") != "" {
		return 0, ErrSyntax
	}
	return strconv.Atoi(text)
}

func decimal(text string) (float64, error) {
	before, after, dotted := strings.Cut(text, ".")
	if before == "" && after == "" || len(before) > digits || len(after) > 2*digits ||
		strings.Trim(before+after, "0123456789") != "" || dotted && after == "" {
		return 0, ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// Of returns what the request means for an image of w×h pixels. Its errors are
// [ErrSyntax] for a region outside and for less than a pixel, [ErrTooLarge], and
// [ErrUpscaling].
func (q Request) Of(w, h int, lim Limits) (Cut, error) {
	r, ok := q.region.of(w, h)
	if !ok {
		return Cut{}, &Problem{"region", ErrSyntax}
	}
	c := Cut{Region: r}
	var err error
	if c.W, c.H, err = q.size.of(r.Dx(), r.Dy(), lim); err != nil {
		return Cut{}, &Problem{"size", err}
	}
	return c, nil
}

func (r region) of(w, h int) (image.Rectangle, bool) {
	full := image.Rect(0, 0, w, h)
	x, y, rw, rh := r.x, r.y, r.w, r.h
	switch r.kind {
	case "full":
		return full, !full.Empty()
	case "square":
		side := min(w, h)
		at := image.Pt((w-side)/2, (h-side)/2)
		return image.Rectangle{at, at.Add(image.Pt(side, side))}, side > 0
	case "pct":
		fw, fh := float64(w)/100, float64(h)/100
		x, y, rw, rh = math.Round(x*fw), math.Round(y*fh), math.Round(min(rw, 100)*fw), math.Round(min(rh, 100)*fh)
	}
	cut := image.Rect(int(x), int(y), int(x+rw), int(y+rh)).Intersect(full)
	return cut, !cut.Empty()
}

func (s size) of(w, h int, lim Limits) (int, int, error) {
	fw, fh := float64(w), float64(h)
	scaled := func(f float64) (int, int) { return int(math.Round(fw * f)), int(math.Round(fh * f)) }
	largest := min(float64(lim.Width)/fw, float64(lim.Height)/fh, math.Sqrt(float64(lim.Area)/fw/fh))
	if !s.up {
		largest = min(1, largest)
	}
	ow, oh := s.w, s.h
	switch s.kind {
	case "max", "fit":
		if s.kind == "fit" {
			largest = min(largest, float64(s.w)/fw, float64(s.h)/fh)
		}
		ow, oh = scaled(largest)
		ow, oh = max(1, ow), max(1, oh)            // of a thread there is still a thread
		for ow > 1 && oh > 1 && ow*oh > lim.Area { // rounding
			ow, oh = ow-1, oh-1
		}
	case "pct":
		ow, oh = scaled(min(s.pct/100, farther))
	case "w":
		_, oh = scaled(float64(s.w) / fw)
	case "h":
		ow, _ = scaled(float64(s.h) / fh)
	}
	switch larger := ow > w || oh > h; {
	case ow < 1 || oh < 1:
		return 0, 0, ErrSyntax
	case larger && s.up:
		return 0, 0, ErrUpscaling
	case larger, ow > lim.Width, oh > lim.Height, ow*oh > lim.Area:
		return 0, 0, ErrTooLarge
	}
	return ow, oh, nil
}

// farther is a factor by which every image is over every limit.
const farther = 1e6

// Canonical is the one form of the address's last four parts that everybody
// should use for what was cut out of a w×h image.
func (q Request) Canonical(c Cut, w, h int, lim Limits) string {
	at, sized := "full", "max"
	if c.Region != image.Rect(0, 0, w, h) {
		at = fmt.Sprintf("%d,%d,%d,%d", c.Region.Min.X, c.Region.Min.Y, c.Region.Dx(), c.Region.Dy())
	}
	if mw, mh, err := (size{kind: "max"}).of(c.Region.Dx(), c.Region.Dy(), lim); err != nil || c.W != mw || c.H != mh {
		sized = fmt.Sprintf("%d,%d", c.W, c.H)
	}
	turn := strconv.Itoa(q.Turn * 90)
	if q.Mirrored {
		turn = "!" + turn
	}
	format := "jpg"
	if q.PNG {
		format = "png"
	}
	quality := q.quality
	if quality == "color" {
		quality = "default"
	}
	return at + "/" + sized + "/" + turn + "/" + quality + "." + format
}

// Plain reports whether nothing is done to the region but scaling, and it is
// written as a JPEG.
func (q Request) Plain() bool { return q.Turn == 0 && !q.Mirrored && !q.Gray && !q.PNG }
