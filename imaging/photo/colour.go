package photo

import (
	"fmt"
	"image"
	"io"
	"math"
)

// colour is how a picture's values become sRGB.
type colour struct {
	name    string
	unknown bool
	convert *conversion // nil: they are sRGB already, or it is not known how
}

// codedColour is what ISO/IEC 23091-2 numbers say of a picture's planes.
type codedColour struct {
	primaries, transfer, matrix uint16
	fullRange                   bool
}

// conversion is fixed point: each value through its curve to light (14 bits), a matrix, and back
// through the inverse of the sRGB curve.
type conversion struct {
	light  [3][256]int32
	matrix [3][3]int32
	back   []uint8 // lightOne+1 entries
}

const (
	lightBits = 14
	lightOne  = 1 << lightBits
)

// sRGB and Display P3 as matrices to XYZ under D50 (IEC 61966-2-1 and SMPTE EG 432-1, adapted by
// Bradford), as their profiles hold them.
var (
	srgbToXYZ = [3][3]float64{
		{0.4360747, 0.3850649, 0.1430804},
		{0.2225045, 0.7168786, 0.0606169},
		{0.0139322, 0.0971045, 0.7141733},
	}
	p3ToXYZ = [3][3]float64{
		{0.5151187, 0.2919778, 0.1571035},
		{0.2411892, 0.6922441, 0.0665668},
		{-0.0010505, 0.0418791, 0.7840713},
	}
)

// srgbLight is the sRGB curve, srgbValue its inverse.
func srgbLight(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func srgbValue(l float64) float64 {
	if l <= 0.0031308 {
		return l * 12.92
	}
	return 1.055*math.Pow(l, 1/2.4) - 0.055
}

// readColour finds how the picture of a header becomes sRGB.
func readColour(h header) colour {
	switch {
	case h.icc != nil:
		p, ok := readICC(h.icc)
		// A colour profile on a grey picture, or the other way round, says nothing.
		if h.kind == JPEG && ok && (h.components == 4 || p.grey != (h.components == 1)) {
			ok = !p.grey && h.components == 1
		}
		if !ok {
			return colour{name: p.name, unknown: true}
		}
		c, same := newConversion(p)
		if same {
			return colour{name: "sRGB"}
		}
		if c == nil {
			return colour{name: p.name, unknown: true}
		}
		return colour{name: p.name, convert: c}
	case h.nclx != nil:
		switch h.nclx.primaries {
		case 1:
			return colour{name: "sRGB"}
		case 2: // not said
			return colour{}
		case 12:
			c, _ := newConversion(iccProfile{matrix: p3ToXYZ, curves: [3]curve{srgbLight, srgbLight, srgbLight}})
			return colour{name: "Display P3", convert: c}
		}
		return colour{unknown: true}
	}
	return colour{}
}

// newConversion makes the tables. same means that nothing would change visibly; nil and not same,
// that the profile's numbers make no sense.
func newConversion(p iccProfile) (c *conversion, same bool) {
	m := [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	if !p.grey {
		inverse, ok := inverted(srgbToXYZ)
		if !ok {
			return nil, false
		}
		m = times(inverse, p.matrix)
		for i := range m {
			sum := m[i][0] + m[i][1] + m[i][2]
			if !(sum > 0.95 && sum < 1.05) {
				return nil, false // its white is not white
			}
			for j := range m[i] {
				if !(math.Abs(m[i][j]) < 4) {
					return nil, false
				}
				m[i][j] /= sum // rounding in the profile must not tint greys
			}
		}
	}
	c = &conversion{back: make([]uint8, lightOne+1)}
	same = true
	for i := range m {
		for j := range m[i] {
			c.matrix[i][j] = int32(math.Round(m[i][j] * lightOne))
			ideal := 0.0
			if i == j {
				ideal = 1
			}
			same = same && math.Abs(m[i][j]-ideal) < 0.004
		}
		for v := range 256 {
			l := p.curves[i](float64(v) / 255)
			if math.IsNaN(l) {
				return nil, false
			}
			l = min(max(l, 0), 1)
			c.light[i][v] = int32(math.Round(l * lightOne))
			same = same && math.Abs(255*srgbValue(l)-float64(v)) < 1
		}
	}
	for l := range c.back {
		c.back[l] = uint8(math.Round(255 * srgbValue(float64(l)/lightOne)))
	}
	return c, same
}

// apply converts a packed picture in place.
func (c *conversion) apply(img *image.RGBA) {
	if c == nil {
		return
	}
	m := &c.matrix
	back := c.back[:lightOne+1]
	for i := 0; i+4 <= len(img.Pix); i += 4 {
		p := img.Pix[i:][:4:4]
		r, g, b := c.light[0][p[0]], c.light[1][p[1]], c.light[2][p[2]]
		for k := range 3 {
			v := (m[k][0]*r + m[k][1]*g + m[k][2]*b + lightOne/2) >> lightBits
			p[k] = back[min(max(v, 0), lightOne)]
		}
	}
}

func times(a, b [3][3]float64) (out [3][3]float64) {
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				out[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return out
}

func inverted(m [3][3]float64) (out [3][3]float64, ok bool) {
	minor := func(i, j int) float64 {
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[a][c]*m[b][d] - m[a][d]*m[b][c]
	}
	det := m[0][0]*minor(0, 0) + m[0][1]*minor(0, 1) + m[0][2]*minor(0, 2)
	if math.Abs(det) < 1e-9 {
		return out, false
	}
	for i := range 3 {
		for j := range 3 {
			out[j][i] = minor(i, j) / det
		}
	}
	return out, true
}

// Colours reads from a photo's header how its values become sRGB, for those who decode parts of it by
// themselves: convert changes a packed picture in place, and does nothing when nothing is to be done.
// Everything that this package decodes has been converted.
func Colours(r io.ReaderAt, size int64, lim Limits) (convert func(*image.RGBA), err error) {
	h, _, err := inspect(r, size, lim)
	if err != nil {
		return nil, fmt.Errorf("read colours of photo: %w", err)
	}
	return h.colour.convert.apply, nil
}
