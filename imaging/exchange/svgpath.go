package exchange

import (
	"fmt"
	"strings"

	"flawmark/app/qc"
)

// pen follows the commands of an SVG path that is made of straight lines.
type pen struct {
	at     qc.Point
	points []qc.Point
	closed bool
}

// parsePath reads a path of straight lines: a polygon when it is closed. It
// fails with [ErrManyShapes] on a second part and with [ErrShape] on curves.
func parsePath(text string, limit int) (shape, error) {
	var p pen
	for text = skipSpace(text); text != ""; text = skipSpace(text) {
		command := text[0]
		text = text[1:]
		// The numbers of a command end where the next letter begins.
		end := strings.IndexFunc(text, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' && r != 'e' })
		if end < 0 {
			end = len(text)
		}
		values, err := numbers(text[:end], 2*limit)
		if err != nil {
			return shape{}, err
		}
		text = text[end:]
		if err := p.draw(command, values); err != nil {
			return shape{}, err
		}
		if len(p.points) > limit {
			return shape{}, fmt.Errorf("%w: path of %d points", ErrTooLarge, len(p.points))
		}
	}
	if !p.closed {
		return shape{path, p.points}, nil
	}
	if n := len(p.points); n > 1 && p.points[0] == p.points[n-1] {
		p.points = p.points[:n-1] // drawn back to the start, then closed
	}
	return shape{outline, p.points}, nil
}

// draw follows one command with all its numbers.
func (p *pen) draw(command byte, values []float64) error {
	relative := command >= 'a'
	take := 2
	switch command {
	case 'M', 'm':
		if len(p.points) > 0 {
			return fmt.Errorf("%w: svg path of several parts", ErrManyShapes)
		}
	case 'L', 'l':
	case 'H', 'h', 'V', 'v':
		take = 1
	case 'Z', 'z':
		if len(p.points) == 0 || p.closed || len(values) > 0 {
			return fmt.Errorf("%w: svg path closed", ErrMalformed)
		}
		p.closed = true
		return nil
	default:
		return fmt.Errorf("%w: svg path command %q", ErrShape, command)
	}
	if first := command == 'M' || command == 'm'; !first && (len(p.points) == 0 || p.closed) {
		return fmt.Errorf("%w: svg path does not begin with M", ErrMalformed)
	}
	if len(values) == 0 || len(values)%take != 0 {
		return fmt.Errorf("%w: svg path command %q with %d numbers", ErrMalformed, command, len(values))
	}
	for i := 0; i < len(values); i += take {
		to := p.at
		switch command {
		case 'H', 'h':
			to.X = stepped(p.at.X, values[i], relative)
		case 'V', 'v':
			to.Y = stepped(p.at.Y, values[i], relative)
		default:
			to = qc.Point{X: stepped(p.at.X, values[i], relative), Y: stepped(p.at.Y, values[i+1], relative)}
		}
		p.at = to
		p.points = append(p.points, to)
	}
	return nil
}

func stepped(from, v float64, relative bool) float64 {
	if relative {
		return from + v
	}
	return v
}
