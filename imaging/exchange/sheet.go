package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"flawmark/app/qc"
)

// Schema names the form of a sheet with its major version. Fields are added
// within a version; a change of meaning makes the next one.
const Schema = schemaName + "1"

const schemaName = "flawmark.marks/"

// Coords is what every sheet says of its coordinates.
const Coords = "pixel edges of the oriented image, origin top left, x right, y down"

// head is what a sheet says before its lists.
type head struct {
	Schema string `json:"schema"`
	Coords string `json:"coords"`
}

// lists are the parts of a sheet that have unknown fields of their own.
type lists struct {
	Image json.RawMessage   `json:"image"`
	Flaws []json.RawMessage `json:"flaws"`
	Marks []json.RawMessage `json:"marks"`
}

// wholeSheet is a document's top level.
type wholeSheet struct {
	head
	Sheet
	lists
}

// ParseSheet reads a sheet. It fails with [ErrNewer] on a later major version,
// [ErrTooLarge] beyond limits, [ErrOutside], [ErrCoords], [ErrOtherPhoto] or
// [ErrMalformed].
func ParseSheet(data []byte, limits Limits) (Sheet, error) {
	s, err := parseSheet(data, limits)
	if err != nil {
		return Sheet{}, fmt.Errorf("read sheet of marks: %w", err)
	}
	return s, nil
}

func parseSheet(data []byte, limits Limits) (Sheet, error) {
	if err := readable(data, limits); err != nil {
		return Sheet{}, err
	}
	// The version first: a later one may have given any field another form.
	var top head
	if _, err := readFields(data, &top); err != nil {
		return Sheet{}, err
	}
	if err := top.check(); err != nil {
		return Sheet{}, err
	}
	var whole wholeSheet
	extra, err := readObject(data, &whole)
	if err != nil {
		return Sheet{}, err
	}
	s, parts := whole.Sheet, whole.lists
	s.Extra = extra
	if len(parts.Flaws) > limits.Flaws || len(parts.Marks) > limits.Marks {
		return Sheet{}, fmt.Errorf("%w: %d flaws, %d marks", ErrTooLarge, len(parts.Flaws), len(parts.Marks))
	}
	if s.Image.Extra, err = readObject(parts.Image, &s.Image); err != nil {
		return Sheet{}, fmt.Errorf("image: %w", err)
	}
	for i, raw := range parts.Flaws {
		var flaw Flaw
		if flaw.Extra, err = readObject(raw, &flaw); err != nil {
			return Sheet{}, fmt.Errorf("flaw %d: %w", i, err)
		}
		s.Flaws = append(s.Flaws, flaw)
	}
	for i, raw := range parts.Marks {
		m, err := readMark(raw)
		if err != nil {
			return Sheet{}, fmt.Errorf("mark %d: %w", i, err)
		}
		s.Marks = append(s.Marks, m)
	}
	return s, s.check(limits)
}

// readable refuses what is too large, and text that would change when it is
// written again.
func readable(data []byte, limits Limits) error {
	if len(data) > limits.Bytes {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, len(data))
	}
	if !utf8.Valid(data) {
		return fmt.Errorf("%w: not UTF-8", ErrMalformed)
	}
	return nil
}

func (h head) check() error {
	version, ok := strings.CutPrefix(h.Schema, schemaName)
	major, err := strconv.ParseUint(version, 10, 32)
	switch {
	case !ok || err != nil || major == 0:
		return fmt.Errorf("%w: schema %.80q", ErrMalformed, h.Schema)
	case major > 1:
		return fmt.Errorf("%w: schema %.80q, this one knows %q", ErrNewer, h.Schema, Schema)
	case h.Coords != Coords:
		return fmt.Errorf("%w: %.200q", ErrCoords, h.Coords)
	}
	return nil
}

// Marshal returns the sheet as JSON, one flaw and one mark a line. The same
// sheet always yields the same bytes. It refuses what [ParseSheet] would.
func (s Sheet) Marshal() ([]byte, error) {
	out, err := s.marshal()
	if err != nil {
		return nil, fmt.Errorf("write sheet of photo %.80s: %w", s.Image.ID, err)
	}
	return out, nil
}

func (s Sheet) marshal() ([]byte, error) {
	if err := s.check(unlimited()); err != nil {
		return nil, err
	}
	image, err := writeObject(s.Image, s.Image.Extra)
	if err != nil {
		return nil, err
	}
	parts := lists{Image: image, Flaws: []json.RawMessage{}, Marks: []json.RawMessage{}}
	for _, flaw := range s.Flaws {
		line, err := writeObject(flaw, flaw.Extra)
		if err != nil {
			return nil, err
		}
		parts.Flaws = append(parts.Flaws, line)
	}
	for _, m := range s.Marks {
		line, err := writeMark(m)
		if err != nil {
			return nil, err
		}
		parts.Marks = append(parts.Marks, line)
	}
	return layout(s, parts)
}

// layout puts the image on a line of its own, like every flaw and every mark,
// so that a comparison of two sheets shows what changed.
func layout(s Sheet, parts lists) ([]byte, error) {
	start, err := writeObject(struct {
		head
		Sheet
	}{head{Schema, Coords}, s}, nil)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString("{\n")
	writeBetween(&out, start)
	fmt.Fprintf(&out, ",\n\"image\":%s", parts.Image)
	writeList(&out, "flaws", parts.Flaws)
	writeList(&out, "marks", parts.Marks)
	if unknown := withoutKnown(s.Extra); len(unknown) > 0 {
		end, err := writeObject(struct{}{}, unknown)
		if err != nil {
			return nil, err
		}
		out.WriteString(",\n")
		writeBetween(&out, end)
	}
	out.WriteString("\n}\n")
	return out.Bytes(), nil
}

// withoutKnown returns what of the top level's fields is not known.
func withoutKnown(extra Extra) Extra {
	known := knownFields(reflect.ValueOf(wholeSheet{}))
	unknown := make(Extra)
	for name, value := range extra {
		if _, ok := known[name]; !ok {
			unknown[name] = value
		}
	}
	return unknown
}

// writeBetween writes what is between an object's braces.
func writeBetween(out *bytes.Buffer, object []byte) { out.Write(object[1 : len(object)-1]) }

func writeList(out *bytes.Buffer, name string, lines []json.RawMessage) {
	fmt.Fprintf(out, ",\n%q:[", name)
	for i, line := range lines {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(line)
	}
	out.WriteByte(']')
}

// rawMark is a mark whose points are left as they are written.
type rawMark struct {
	qc.Mark
	Points json.RawMessage `json:"points"`
}

func readMark(data []byte) (Mark, error) {
	var raw rawMark
	extra, err := readObject(data, &raw)
	if err != nil {
		return Mark{}, err
	}
	m := Mark{Mark: raw.Mark, Extra: extra}
	if m.Points, err = readPoints(raw.Points); err != nil {
		return Mark{}, err
	}
	// A point may say more than where it is, such as how hard a pen was pressed.
	if plain, err := encode(m.Points); err != nil || !bytes.Equal(plain, raw.Points) {
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw.Points); err != nil {
			return Mark{}, fmt.Errorf("%w: points: %w", ErrMalformed, err)
		}
		if !bytes.Equal(plain, compact.Bytes()) {
			m.written = compact.Bytes()
		}
	}
	return m, nil
}

func readPoints(data json.RawMessage) ([]qc.Point, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: a mark has no points", ErrMalformed)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("%w: points: %w", ErrMalformed, err)
	}
	points := make([]qc.Point, len(raw))
	for i := range raw {
		var place struct {
			X *float64 `json:"x"`
			Y *float64 `json:"y"`
		}
		if _, err := readFields(raw[i], &place); err != nil {
			return nil, fmt.Errorf("point %d: %w", i, err)
		}
		if place.X == nil || place.Y == nil {
			return nil, fmt.Errorf("%w: point %d has no place", ErrMalformed, i)
		}
		points[i] = qc.Point{X: *place.X, Y: *place.Y}
	}
	return points, nil
}

func writeMark(m Mark) ([]byte, error) {
	if m.written != nil {
		if points, err := readPoints(m.written); err == nil && slices.Equal(points, m.Points) {
			return writeObject(rawMark{m.Mark, m.written}, m.Extra)
		}
	}
	if m.Points == nil {
		m.Points = []qc.Point{}
	}
	return writeObject(m, m.Extra)
}
