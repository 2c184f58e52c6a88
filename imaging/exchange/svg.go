package exchange

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"flawmark/app/qc"
)

// svgOf returns a geometry other than an upright one as an SVG document of one
// shape without style, as the standard of annotations recommends.
func svgOf(s shape) string {
	var body string
	switch s.kind {
	case oval:
		low, high := s.points[0], s.points[1]
		body = fmt.Sprintf(`<ellipse cx="%s" cy="%s" rx="%s" ry="%s"/>`,
			decimal((low.X+high.X)/2), decimal((low.Y+high.Y)/2), decimal((high.X-low.X)/2), decimal((high.Y-low.Y)/2))
	case path:
		body = `<polyline points="` + svgPoints(s.points) + `"/>`
	case outline:
		body = `<polygon points="` + svgPoints(s.points) + `"/>`
	}
	return `<svg xmlns="http://www.w3.org/2000/svg">` + body + `</svg>`
}

func svgPoints(points []qc.Point) string {
	var out strings.Builder
	for i, p := range points {
		if i > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(decimal(p.X) + "," + decimal(p.Y))
	}
	return out.String()
}

// parseSVG reads the one shape of an SVG document. Style, text and script are
// passed over, as the standard asks. It fails with [ErrManyShapes], with
// [ErrShape] on curves and transforms, or with [ErrMalformed].
func parseSVG(text string, image Image, limits Limits) (shape, error) {
	decoder := xml.NewDecoder(strings.NewReader(text))
	var result *shape
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return shape{}, fmt.Errorf("%w: svg: %w", ErrMalformed, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		element := svgElement{start.Name.Local, attributes(start)}
		if element.of["transform"] != "" {
			return shape{}, fmt.Errorf("%w: svg transform", ErrShape)
		}
		switch element.name {
		case "svg":
			if err := element.checkViewBox(image); err != nil {
				return shape{}, err
			}
			continue
		case "g", "a":
			continue
		case "rect", "circle", "ellipse", "line", "polyline", "polygon", "path":
		default:
			if err := decoder.Skip(); err != nil {
				return shape{}, fmt.Errorf("%w: svg: %w", ErrMalformed, err)
			}
			continue
		}
		if result != nil {
			return shape{}, ErrManyShapes
		}
		s, err := element.shape(limits)
		if err != nil {
			return shape{}, err
		}
		result = &s
	}
	if result == nil {
		return shape{}, fmt.Errorf("%w: svg without a shape", ErrShape)
	}
	return *result, nil
}

// svgElement is an element with its attributes.
type svgElement struct {
	name string
	of   map[string]string
}

func attributes(start xml.StartElement) map[string]string {
	of := make(map[string]string, len(start.Attr))
	for _, attr := range start.Attr {
		if attr.Name.Space == "" {
			of[attr.Name.Local] = attr.Value
		}
	}
	return of
}

// checkViewBox refuses a document in units of its own: how they would be laid
// over the photo depends on the reader.
func (e svgElement) checkViewBox(image Image) error {
	box := e.of["viewBox"]
	if box == "" {
		return nil
	}
	v, err := numbers(box, 4)
	if err != nil {
		return err
	}
	if len(v) != 4 || v[0] != 0 || v[1] != 0 || v[2] != float64(image.Width) || v[3] != float64(image.Height) {
		return fmt.Errorf("%w: svg viewBox %.80q", ErrCoords, box)
	}
	return nil
}

func (e svgElement) shape(limits Limits) (shape, error) {
	switch e.name {
	case "rect":
		x0, x1, err := span(e.or0("x"), e.or0("width"))
		if err != nil {
			return shape{}, err
		}
		y0, y1, err := span(e.or0("y"), e.or0("height"))
		return cornered(upright, qc.Point{X: x0, Y: y0}, qc.Point{X: x1, Y: y1}), err
	case "circle", "ellipse":
		rx, ry := "rx", "ry"
		if e.name == "circle" {
			rx, ry = "r", "r"
		}
		v, err := e.values("cx", "cy", rx, ry)
		if err != nil {
			return shape{}, err
		}
		if v[2] < 0 || v[3] < 0 {
			return shape{}, fmt.Errorf("%w: svg %s of negative size", ErrMalformed, e.name)
		}
		return cornered(oval, qc.Point{X: v[0] - v[2], Y: v[1] - v[3]}, qc.Point{X: v[0] + v[2], Y: v[1] + v[3]}), nil
	case "line":
		v, err := e.values("x1", "y1", "x2", "y2")
		if err != nil {
			return shape{}, err
		}
		return shape{path, []qc.Point{{X: v[0], Y: v[1]}, {X: v[2], Y: v[3]}}}, nil
	case "path":
		return parsePath(e.of["d"], limits.Points)
	}
	v, err := numbers(e.of["points"], 2*limits.Points)
	if err != nil {
		return shape{}, err
	}
	if len(v)%2 != 0 {
		return shape{}, fmt.Errorf("%w: svg %s with half a point", ErrMalformed, e.name)
	}
	s := shape{kind: path}
	if e.name == "polygon" {
		s.kind = outline
	}
	for i := 0; i < len(v); i += 2 {
		s.points = append(s.points, qc.Point{X: v[i], Y: v[i+1]})
	}
	return s, nil
}

func (e svgElement) or0(name string) string {
	if text := strings.TrimSuffix(strings.TrimSpace(e.of[name]), "px"); text != "" {
		return text
	}
	return "0"
}

// values returns attributes as numbers; a missing one is 0, as in SVG.
func (e svgElement) values(names ...string) ([]float64, error) {
	values := make([]float64, len(names))
	for i, name := range names {
		v, err := number(e.or0(name))
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

func number(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || strings.ContainsAny(text, "xXpP_") {
		return 0, fmt.Errorf("%w: %.40q is no number", ErrMalformed, text)
	}
	return v, nil
}

// numbers returns the numbers of a list, at most limit of them.
func numbers(text string, limit int) ([]float64, error) {
	var values []float64
	for text = skipSpace(text); text != ""; text = skipSpace(text) {
		n := numberLength(text)
		if n == 0 {
			return nil, fmt.Errorf("%w: %.40q is no number", ErrMalformed, text)
		}
		if len(values) == limit {
			return nil, fmt.Errorf("%w: more than %d numbers", ErrTooLarge, limit)
		}
		v, err := number(text[:n])
		if err != nil {
			return nil, err
		}
		values, text = append(values, v), text[n:]
	}
	return values, nil
}

func skipSpace(text string) string { return strings.TrimLeft(text, ", \t\r\n") }

// numberLength returns how many bytes at the start of text are one number:
// "10-5" and ".5.5" are two each.
func numberLength(text string) int {
	i, dot, digits := 0, false, false
	if text[i] == '-' || text[i] == '+' {
		i++
	}
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && !dot {
			dot = true
		} else if c >= '0' && c <= '9' {
			digits = true
		} else {
			break
		}
	}
	if !digits {
		return 0
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		j := i + 1
		if j < len(text) && (text[j] == '-' || text[j] == '+') {
			j++
		}
		first := j
		for j < len(text) && text[j] >= '0' && text[j] <= '9' {
			j++
		}
		if j > first {
			return j
		}
	}
	return i
}
