// Package exchange writes marks into files that outlive this program, and
// reads them back.
//
// A [Sheet] is our own form: one JSON document beside one original, saying
// which photo is meant, how its coordinates count, which flaws it shows and
// with which marks. It promises that nothing is lost on the way: what a newer
// version wrote and this one does not know is kept by reading and writing, at
// every level of the document. The original is never touched.
//
// Three forms of others are views of a sheet. W3C Web Annotations are for
// viewers of pictures on the web (IIIF, Annotorious), labelme files for
// looking and correcting without this program, COCO for teaching machines. The
// first two can be read back. What such a form has no place for is left out
// and named as an [Omission], never bent into something else. Tools are told
// apart by one table, see form.go.
//
// Coordinates are those of [qc.Point] everywhere: pixel edges of the oriented
// image, origin at the top left, x right, y down. Corners of boxes and
// ellipses come back from other forms as top left, then bottom right. Codes,
// severities and zones are not judged here: [qc.Finding.Check] does that.
//
// Foreign files are read within [Limits]. Nothing here does input and output
// or has state; every function may be called from any goroutine.
package exchange

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"flawmark/app/qc"
)

// Why a file cannot be read or written.
var (
	// ErrMalformed reports a file that is not of its form, or contradicts itself.
	ErrMalformed = errors.New("file of marks is malformed")
	// ErrNewer reports a sheet of a later major version. A newer program reads it.
	ErrNewer = errors.New("file of marks was written by a newer version")
	// ErrTooLarge reports a file beyond its [Limits].
	ErrTooLarge = errors.New("file of marks is too large")
	// ErrOutside reports a point that is not on the photo.
	ErrOutside = errors.New("mark lies outside the photo")
	// ErrCoords reports coordinates that count in another way than ours, so
	// that marks would show the wrong place.
	ErrCoords = errors.New("marks count their coordinates differently")
	// ErrOtherPhoto reports a file that belongs to another photo.
	ErrOtherPhoto = errors.New("marks belong to another photo")
	// ErrManyShapes reports an annotation of several shapes; a mark is one.
	ErrManyShapes = errors.New("annotation has more than one shape")
	// ErrShape reports a shape that no tool draws.
	ErrShape = errors.New("shape cannot be a mark")
	// ErrNoPhoto reports a finding that has no such photo.
	ErrNoPhoto = errors.New("finding has no such photo")
)

// Why a mark is left out of a form of others.
var (
	ErrNoForm   = errors.New("the form has no shape for this tool")
	ErrNoFlaw   = errors.New("the mark shows no flaw")
	ErrNoRegion = errors.New("the mark encloses nothing")
)

// Omission is a mark that an export left out, and why: [ErrNoForm],
// [ErrNoFlaw] or [ErrNoRegion].
type Omission struct {
	Photo qc.PhotoID
	Mark  qc.MarkID
	Why   error
}

// Limits bound what is read. Each must be above 0.
type Limits struct {
	Bytes  int // of the whole file
	Side   int // pixels of width or height
	Flaws  int // in a file; also the highest number of a flaw
	Marks  int // in a file
	Points int // of one mark
	Text   int // bytes of an id, a name or a note
}

// DefaultLimits are far above what people draw and far below what hurts. A
// labelme file that holds its picture needs more bytes.
func DefaultLimits() Limits {
	return Limits{Bytes: 16 << 20, Side: 1 << 20, Flaws: 1000, Marks: 5000, Points: 20_000, Text: 10_000}
}

// unlimited is for what we write ourselves.
func unlimited() Limits {
	return Limits{
		Bytes: math.MaxInt, Side: math.MaxInt, Flaws: math.MaxInt,
		Marks: math.MaxInt, Points: math.MaxInt, Text: math.MaxInt,
	}
}

// Image says which photo a sheet belongs to.
type Image struct {
	ID          qc.PhotoID `json:"id"`
	Digest      qc.Digest  `json:"sha256"` // of the original, bit for bit
	Bytes       int64      `json:"bytes"`
	Name        string     `json:"name"`
	MediaType   string     `json:"media_type"`
	Width       int        `json:"width"`                      // pixels, after orientation
	Height      int        `json:"height"`                     // pixels, after orientation
	Orientation int        `json:"exif_orientation,omitempty"` // 1 to 8 as the original says; 0: not known
	Applied     bool       `json:"orientation_applied"`        // always true: marks lie on the oriented image
	Scale       qc.Scale   `json:"scale,omitzero"`             // what lengths were measured with
	Extra       Extra      `json:"-"`
}

// ImageOf returns the facts of a photo. Its EXIF orientation is not known.
func ImageOf(p qc.Photo) Image {
	return Image{
		ID: p.ID, Digest: p.Digest, Bytes: p.Bytes, Name: p.Name, MediaType: p.MediaType,
		Width: p.Width, Height: p.Height, Applied: true, Scale: p.Scale,
	}
}

// Flaw is a flaw with the number that it carries on photos and lists.
type Flaw struct {
	qc.Flaw
	Number int   `json:"number"` // from 1
	Extra  Extra `json:"-"`
}

// Mark is a mark on the sheet's photo.
type Mark struct {
	qc.Mark
	Extra Extra `json:"-"`

	written json.RawMessage // the points as they were read, where they say more than [qc.Point] holds
}

// Sheet is all that is marked on one photo. Flaws are all those of the
// finding, so that the sheets of its photos together hold the finding's marks
// and each alone explains its own.
type Sheet struct {
	Finding  qc.FindingID `json:"finding,omitempty"`
	Item     qc.ItemID    `json:"item,omitempty"`
	Revision int          `json:"revision"` // from 1, of the finding
	Image    Image        `json:"-"`
	Flaws    []Flaw       `json:"-"`
	Marks    []Mark       `json:"-"`
	Extra    Extra        `json:"-"`
}

// FromFinding returns the sheet of one of f's photos; it fails with
// [ErrNoPhoto] when f has no such photo.
func FromFinding(f qc.Finding, photo qc.PhotoID) (Sheet, error) {
	p, ok := f.Photo(photo)
	if !ok {
		return Sheet{}, fmt.Errorf("%w: finding %s, photo %s", ErrNoPhoto, f.ID, photo)
	}
	s := Sheet{Finding: f.ID, Item: f.Item, Revision: f.Revision, Image: ImageOf(p)}
	for i, flaw := range f.Flaws {
		s.Flaws = append(s.Flaws, Flaw{Flaw: flaw, Number: i + 1})
	}
	for _, m := range f.Marks {
		if m.Photo == photo {
			m.Points = slices.Clone(m.Points)
			s.Marks = append(s.Marks, Mark{Mark: m})
		}
	}
	return s, nil
}

// Contents returns the flaws in the order of their numbers and the marks, as a
// finding holds them.
func (s Sheet) Contents() ([]qc.Flaw, []qc.Mark) {
	sorted := slices.SortedStableFunc(slices.Values(s.Flaws), func(a, b Flaw) int { return cmp.Compare(a.Number, b.Number) })
	var flaws []qc.Flaw
	for _, flaw := range sorted {
		flaws = append(flaws, flaw.Flaw)
	}
	var marks []qc.Mark
	for _, m := range s.Marks {
		m.Points = slices.Clone(m.Points)
		marks = append(marks, m.Mark)
	}
	return flaws, marks
}

// ours is what forms of others have no field for and say in fields of ours.
type ours struct {
	Text  string    `json:"text,omitempty"`
	Zoom  float64   `json:"zoom,omitempty"`
	Place *qc.Point `json:"place,omitempty"` // of an inset: where it is shown
}

func oursOf(m Mark) ours {
	o := ours{Text: m.Text, Zoom: m.Zoom}
	if m.Tool == qc.Inset && len(m.Points) == 3 {
		o.Place = &m.Points[2]
	}
	return o
}

// said is what an export writes for people beside a mark that shows no flaw of
// its own: a text's words, a measure's length.
func (s Sheet) said(m Mark) string {
	if m.Tool == qc.Text {
		return m.Text
	}
	return m.Label(s.Image.Scale)
}

// flaw returns the flaw that m shows; ok is false when it shows none.
func (s Sheet) flaw(m Mark) (Flaw, bool) {
	i := slices.IndexFunc(s.Flaws, func(flaw Flaw) bool { return flaw.ID == m.Flaw })
	if m.Flaw == "" || i < 0 {
		return Flaw{}, false
	}
	return s.Flaws[i], true
}

// Position returns where a document is no JSON, as an editor counts: line and
// column from 1. ok is false for an error of another kind, or without a place.
func Position(data []byte, err error) (line, column int, ok bool) {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok || syntax.Offset < 0 || syntax.Offset > int64(len(data)) {
		return 0, 0, false
	}
	before := data[:syntax.Offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, max(utf8.RuneCount(before[start:]), 1), true
}

// On returns the sheet for the same photo under another id, as it has in another
// finding.
func (s Sheet) On(image Image) Sheet {
	s.Marks = slices.Clone(s.Marks)
	for i := range s.Marks {
		s.Marks[i].Photo = image.ID
	}
	s.Image.ID = image.ID
	return s
}
