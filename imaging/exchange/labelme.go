package exchange

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"flawmark/app/qc"
)

// labelmeVersion is the version of the labelme program whose form is written.
const labelmeVersion = "5.5.0"

// noLabel stands where a mark shows no flaw: labelme wants a label.
const noLabel = "mark"

// redactedLabel is the class of what nobody outside may see, so that whoever
// shows such a picture with another program knows.
const redactedLabel = "redaction"

type labelmeFile struct {
	Version string          `json:"version"`
	Flags   json.RawMessage `json:"flags"`
	Shapes  []labelmeShape  `json:"shapes"`
	Path    string          `json:"imagePath"`
	Data    *string         `json:"imageData"` // always null: the picture is beside the file
	Height  int             `json:"imageHeight"`
	Width   int             `json:"imageWidth"`
	Ours    labelmePhoto    `json:"flawmark"`
}

// labelmePhoto says which original is meant.
type labelmePhoto struct {
	Digest qc.Digest `json:"sha256,omitempty"`
}

type labelmeShape struct {
	Label       string          `json:"label"`
	Points      [][]float64     `json:"points"`
	Group       *int            `json:"group_id"`
	Description string          `json:"description"`
	Type        string          `json:"shape_type"`
	Flags       json.RawMessage `json:"flags"` // of the person who labels; we have none and read none
	// Ours is kept by labelme, which knows nothing of it.
	Ours *labelmeExtension `json:"flawmark,omitempty"`
}

// labelmeExtension is what labelme has no field for.
type labelmeExtension struct {
	Mark     qc.MarkID   `json:"mark"`
	Tool     qc.Tool     `json:"type"`
	Flaw     qc.FlawID   `json:"flaw,omitempty"`
	Severity qc.Severity `json:"severity,omitempty"`
	Zone     qc.Zone     `json:"zone,omitempty"`
	Quantity int         `json:"quantity,omitempty"`
	SizeMM   float64     `json:"size_mm,omitempty"`
	Text     string      `json:"text,omitempty"`
	Zoom     float64     `json:"zoom,omitempty"`
	Place    *qc.Point   `json:"place,omitempty"`
}

// Labelme returns the marks as a labelme file without the picture. imagePath
// is where the picture is, seen from the file, with forward slashes; empty: a
// file of the photo's name beside it. The label is the flaw's code, the group
// its number, the description its note.
//
// An ellipse becomes a polygon of 64 corners, which [ParseLabelme] takes for
// the ellipse again unless somebody has pulled at it. Every point comes back
// as it was. Flaws that no mark shows are not part of this form.
func (s Sheet) Labelme(imagePath string) ([]byte, []Omission, error) {
	if err := s.check(unlimited()); err != nil {
		return nil, nil, fmt.Errorf("export photo %.80s for labelme: %w", s.Image.ID, err)
	}
	if imagePath == "" {
		imagePath = s.Image.Name
	}
	noFlags := json.RawMessage("{}")
	out := labelmeFile{
		Version: labelmeVersion, Flags: noFlags, Shapes: []labelmeShape{},
		Path: imagePath, Height: s.Image.Height, Width: s.Image.Width,
		Ours: labelmePhoto{s.Image.Digest},
	}
	var omitted []Omission
	for _, m := range s.Marks {
		geometry, ok := shapeOf(m)
		if !ok {
			omitted = append(omitted, Omission{m.Photo, m.ID, ErrNoForm})
			continue
		}
		l := labelmeShape{Label: noLabel, Flags: noFlags, Ours: &labelmeExtension{Mark: m.ID, Tool: m.Tool}}
		l.Type, l.Points = toLabelme(geometry)
		if flaw, ok := s.flaw(m); ok {
			l.Label, l.Group, l.Description = string(flaw.Code), &flaw.Number, flaw.Note
			l.Ours = &labelmeExtension{
				Mark: m.ID, Tool: m.Tool, Flaw: flaw.ID, Severity: flaw.Severity, Zone: flaw.Zone, Quantity: flaw.Quantity, SizeMM: flaw.SizeMM,
			}
		} else if m.Tool == qc.Redaction {
			l.Label = redactedLabel
		}
		own := oursOf(m)
		l.Ours.Text, l.Ours.Zoom, l.Ours.Place = own.Text, own.Zoom, own.Place
		out.Shapes = append(out.Shapes, l)
	}
	data, err := document(out)
	if err != nil {
		return nil, nil, fmt.Errorf("export photo %.80s for labelme: %w", s.Image.ID, err)
	}
	return data, omitted, nil
}

func toLabelme(s shape) (shapeType string, points [][]float64) {
	places := s.points
	switch s.kind {
	case spot:
		shapeType = "point"
	case upright:
		shapeType = "rectangle"
	case oval:
		shapeType, places = "polygon", faceted(s.points[0], s.points[1])
	case outline:
		shapeType = "polygon"
	case path:
		shapeType = "linestrip"
		if len(places) == 2 {
			shapeType = "line"
		}
	}
	for _, p := range places {
		points = append(points, []float64{p.X, p.Y})
	}
	return shapeType, points
}

// ParseLabelme reads a labelme file as the marks of image. A picture inside
// the file is passed over. Rectangles, circles, points, lines, line
// strips and polygons are understood; a point becomes a badge. The label is taken for the flaw's code, the
// description for its note; shapes of one group and with the same words show
// one flaw. What the file does not say stays empty. The sheet has revision 1.
//
// It fails with [ErrOtherPhoto] when the picture's size, or the digest that we
// wrote, differs from image's,
// [ErrShape], [ErrOutside], [ErrTooLarge] or [ErrMalformed].
func ParseLabelme(data []byte, image Image, limits Limits) (Sheet, error) {
	s, err := parseLabelme(data, image, limits)
	if err != nil {
		return Sheet{}, fmt.Errorf("read labelme file of photo %.80s: %w", image.ID, err)
	}
	return s, nil
}

func parseLabelme(data []byte, image Image, limits Limits) (Sheet, error) {
	if err := readable(data, limits); err != nil {
		return Sheet{}, err
	}
	var top struct {
		Shapes []json.RawMessage `json:"shapes"`
		Height *int              `json:"imageHeight"`
		Width  *int              `json:"imageWidth"`
		Ours   json.RawMessage   `json:"flawmark"`
	}
	if _, err := readFields(data, &top); err != nil {
		return Sheet{}, err
	}
	if top.Shapes == nil {
		return Sheet{}, fmt.Errorf("%w: no list of shapes", ErrMalformed)
	}
	if top.Width != nil && *top.Width != image.Width || top.Height != nil && *top.Height != image.Height {
		return Sheet{}, fmt.Errorf("%w: the picture is not of %d×%d pixels", ErrOtherPhoto, image.Width, image.Height)
	}
	var photo labelmePhoto
	if _, err := readFields(top.Ours, &photo); err == nil && photo.Digest != "" && photo.Digest != image.Digest {
		return Sheet{}, fmt.Errorf("%w: %.80q", ErrOtherPhoto, photo.Digest)
	}
	g, err := gather(image, limits)
	if err != nil {
		return Sheet{}, err
	}
	for i, raw := range top.Shapes {
		var l labelmeShape
		if _, err := readFields(raw, &l); err != nil {
			return Sheet{}, fmt.Errorf("shape %d: %w", i, err)
		}
		f, err := l.found()
		if err != nil {
			return Sheet{}, fmt.Errorf("shape %d: %w", i, err)
		}
		if err := g.add(f); err != nil {
			return Sheet{}, fmt.Errorf("shape %d: %w", i, err)
		}
	}
	return g.finish()
}

// found returns what a shape of labelme says.
func (l labelmeShape) found() (found, error) {
	f := found{flaw: qc.Flaw{Code: qc.FlawCode(l.Label), Note: l.Description}}
	if l.Group != nil {
		f.number = *l.Group
		f.flaw.ID = qc.FlawID("group-" + strconv.Itoa(*l.Group))
	}
	if ours := l.Ours; ours != nil {
		f.mark, f.tool = ours.Mark, ours.Tool
		f.flaw.ID, f.flaw.Severity, f.flaw.Zone = ours.Flaw, ours.Severity, ours.Zone
		f.flaw.Quantity, f.flaw.SizeMM = ours.Quantity, ours.SizeMM
		f.ours.Text, f.ours.Zoom, f.ours.Place = ours.Text, ours.Zoom, ours.Place
		if ours.Flaw == "" && (l.Label == noLabel || l.Label == redactedLabel && ours.Tool == qc.Redaction) {
			f.flaw.Code = ""
		}
	}
	f.shows = !reflect.ValueOf(f.flaw).IsZero()
	var err error
	f.shape, err = l.shape()
	if s, ok := unfaceted(f.shape.points); ok && f.tool == qc.Ellipse && f.shape.kind == outline {
		f.shape = s
	}
	return f, err
}

func (l labelmeShape) shape() (shape, error) {
	points := make([]qc.Point, len(l.Points))
	for i, p := range l.Points {
		if len(p) != 2 {
			return shape{}, fmt.Errorf("%w: point %d of %d numbers", ErrMalformed, i, len(p))
		}
		points[i] = qc.Point{X: p[0], Y: p[1]}
	}
	switch kind := strings.ToLower(l.Type); {
	case kind == "rectangle" && len(points) == 2:
		return cornered(upright, points[0], points[1]), nil
	case kind == "rectangle" && len(points) == 4:
		return fourCorners(points)
	case kind == "circle" && len(points) == 2: // centre, a point of the edge
		c, r := points[0], math.Hypot(points[1].X-points[0].X, points[1].Y-points[0].Y)
		return cornered(oval, qc.Point{X: c.X - r, Y: c.Y - r}, qc.Point{X: c.X + r, Y: c.Y + r}), nil
	case kind == "point" && len(points) == 1:
		return shape{spot, points}, nil
	case kind == "line" && len(points) == 2, kind == "linestrip" && len(points) >= 2:
		return shape{path, points}, nil
	case (kind == "polygon" || kind == "") && len(points) >= 3: // labelme's own default
		return shape{outline, points}, nil
	}
	return shape{}, fmt.Errorf("%w: %.80q of %d points", ErrShape, l.Type, len(points))
}

// fourCorners reads a rectangle as programs akin to labelme write it. One that
// stands askew is a polygon.
func fourCorners(p []qc.Point) (shape, error) {
	low, high := bounds(p)
	for i := range p {
		next := p[(i+1)%4]
		if p[i].X != next.X && p[i].Y != next.Y || p[i].X != low.X && p[i].X != high.X || p[i].Y != low.Y && p[i].Y != high.Y {
			return shape{outline, p}, nil
		}
	}
	return shape{upright, []qc.Point{low, high}}, nil
}
