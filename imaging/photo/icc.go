package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"math"
	"unicode/utf16"
)

// maxICC bounds an embedded profile. Those of cameras and screens are below 64 KiB, those of printers
// below 4 MiB; a larger one is left alone.
const maxICC = 4 << 20

// iccPieces gathers a profile that a JPEG holds in numbered APP2 segments.
type iccPieces struct {
	pieces [256][]byte
	count  int
	size   int64
	broken bool
}

func (p *iccPieces) add(body []byte) {
	rest, ok := bytes.CutPrefix(body, []byte("ICC_PROFILE\x00"))
	if !ok || len(rest) < 3 {
		return
	}
	number, count := int(rest[0]), int(rest[1])
	if number < 1 || number > count || p.count != 0 && p.count != count || p.pieces[number] != nil {
		p.broken = true
		return
	}
	p.count = count
	p.pieces[number] = rest[2:]
	p.size += int64(len(rest))
}

// whole is the profile, nil if there is none, and empty if a piece is missing.
func (p *iccPieces) whole() []byte {
	if p.broken {
		return []byte{}
	}
	if p.count == 0 {
		return nil
	}
	var out []byte
	for _, piece := range p.pieces[1 : p.count+1] {
		if piece == nil {
			return []byte{}
		}
		out = append(out, piece...)
	}
	return out
}

// inflateICC unpacks a PNG's iCCP chunk: a name, a zero, the method 0, then zlib. It is empty when
// the chunk is damaged.
func inflateICC(chunk []byte) []byte {
	_, rest, ok := bytes.Cut(chunk, []byte{0})
	if !ok || len(rest) < 1 || rest[0] != 0 {
		return []byte{}
	}
	z, err := zlib.NewReader(bytes.NewReader(rest[1:]))
	if err != nil {
		return []byte{}
	}
	out, err := io.ReadAll(io.LimitReader(z, maxICC+1))
	if err != nil || len(out) > maxICC {
		return []byte{}
	}
	return out
}

// iccProfile is a profile of curves and a matrix: linear = curve(value), XYZ (D50) = matrix × linear.
type iccProfile struct {
	name   string
	grey   bool
	matrix [3][3]float64 // rows X, Y, Z; columns red, green, blue
	curves [3]curve
}

// curve maps a stored value, 0..1, to light, 0..1.
type curve func(v float64) float64

// readICC reads a profile. ok is false when it is damaged or of another form (tables, CMYK, Lab);
// its name is given all the same, if it has one.
func readICC(b []byte) (p iccProfile, ok bool) {
	if len(b) < 132 || string(b[36:40]) != "acsp" {
		return p, false
	}
	tags := iccTags(b)
	p.name = plain(iccText(tags["desc"]))
	if string(b[20:24]) != "XYZ " {
		return p, false
	}
	switch string(b[16:20]) {
	case "GRAY":
		c, ok := readCurve(tags["kTRC"])
		p.grey, p.curves = true, [3]curve{c, c, c}
		return p, ok
	case "RGB ":
	default:
		return p, false
	}
	for i, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
		t := tags[name]
		if len(t) < 20 || string(t[:4]) != "XYZ " {
			return p, false
		}
		for row := range 3 {
			p.matrix[row][i] = fixed16(t[8+4*row:])
		}
	}
	for i, name := range []string{"rTRC", "gTRC", "bTRC"} {
		c, ok := readCurve(tags[name])
		if !ok {
			return p, false
		}
		p.curves[i] = c
	}
	return p, true
}

// iccTags finds the tags' data; those that lie outside of the profile are left out.
func iccTags(b []byte) map[string][]byte {
	tags := map[string][]byte{}
	n := int(min(binary.BigEndian.Uint32(b[128:]), 100))
	for i := range n {
		at := 132 + 12*i
		if at+12 > len(b) {
			break
		}
		off, size := uint64(binary.BigEndian.Uint32(b[at+4:])), uint64(binary.BigEndian.Uint32(b[at+8:]))
		if off+size <= uint64(len(b)) && size >= 8 {
			tags[string(b[at:at+4])] = b[off : off+size]
		}
	}
	return tags
}

// iccText reads a description: ASCII of version 2, or the first text of version 4.
func iccText(t []byte) string {
	switch {
	case len(t) >= 12 && string(t[:4]) == "desc":
		n := min(uint64(binary.BigEndian.Uint32(t[8:])), uint64(len(t)-12))
		return string(t[12 : 12+n])
	case len(t) >= 28 && string(t[:4]) == "mluc":
		size, off := uint64(binary.BigEndian.Uint32(t[20:])), uint64(binary.BigEndian.Uint32(t[24:]))
		if off+size > uint64(len(t)) || size > 1024 {
			return ""
		}
		var u []uint16
		for i := off; i+1 < off+size; i += 2 {
			u = append(u, binary.BigEndian.Uint16(t[i:]))
		}
		return string(utf16.Decode(u))
	}
	return ""
}

// fixed16 is a signed number of 16 bits before and 16 after the point.
func fixed16(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }

// readCurve reads a curve of values or of parameters.
func readCurve(t []byte) (curve, bool) {
	switch {
	case len(t) >= 12 && string(t[:4]) == "curv":
		n := uint64(binary.BigEndian.Uint32(t[8:]))
		values := t[12:]
		if n > uint64(len(values)/2) {
			return nil, false
		}
		switch n {
		case 0:
			return func(v float64) float64 { return v }, true
		case 1:
			return power(float64(binary.BigEndian.Uint16(values)) / 256), true
		}
		return func(v float64) float64 {
			at := v * float64(n-1)
			i := min(uint64(at), n-2)
			a, b := float64(binary.BigEndian.Uint16(values[2*i:])), float64(binary.BigEndian.Uint16(values[2*i+2:]))
			return (a + (b-a)*(at-float64(i))) / 65535
		}, true
	case len(t) >= 16 && string(t[:4]) == "para":
		kind := binary.BigEndian.Uint16(t[8:])
		if kind > 4 {
			return nil, false
		}
		n := [5]int{1, 3, 4, 5, 7}[kind]
		if len(t) < 12+4*n {
			return nil, false
		}
		var p [7]float64
		for i := range n {
			p[i] = fixed16(t[12+4*i:])
		}
		return parametric(kind, p), true
	}
	return nil, false
}

func power(g float64) curve { return func(v float64) float64 { return math.Pow(v, g) } }

// parametric is one of the five forms of ICC.1, 10.18.
func parametric(kind uint16, p [7]float64) curve {
	g, a, b, c, d, e, f := p[0], p[1], p[2], p[3], p[4], p[5], p[6]
	bend := func(v float64) float64 { return math.Pow(max(a*v+b, 0), g) }
	switch kind {
	case 0:
		return power(g)
	case 1:
		return func(v float64) float64 {
			if a*v+b >= 0 {
				return bend(v)
			}
			return 0
		}
	case 2:
		return func(v float64) float64 {
			if a*v+b >= 0 {
				return bend(v) + c
			}
			return c
		}
	case 3:
		return func(v float64) float64 {
			if v >= d {
				return bend(v)
			}
			return c * v
		}
	}
	return func(v float64) float64 {
		if v >= d {
			return bend(v) + e
		}
		return c*v + f
	}
}
