package tiles

import "math"

// zigzag is the natural place of each coefficient in coding order.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// aan are the factors that Arai, Agui and Nakajima's transforms leave to the quantisers.
var aan = [8]float32{1, 1.387039845, 1.306562965, 1.175875602, 1, 0.785694958, 0.541196100, 0.275899379}

// scales are a component's quantisers in natural order, made ready for the transforms.
type scales struct {
	up   [64]float32 // coefficient to the inverse transform's input
	down [64]float32 // the transform's output to coefficient
}

func newScales(quants *[64]uint16) *scales {
	s := &scales{}
	for k, n := range zigzag {
		f, q := aan[n/8]*aan[n%8], float32(max(quants[k], 1))
		s.up[n] = q * f / 8
		s.down[n] = 1 / (q * f * 8)
	}
	return s
}

// inverseGo makes the samples of a block's coefficients.
func (s *scales) inverseGo(c *[64]int32, out []uint8, stride int) {
	var w [64]float32
	for i, v := range c {
		if v != 0 {
			w[i] = float32(v) * s.up[i]
		}
	}
	for x := range 8 {
		inverse8(w[x:], 8)
	}
	for y := range 8 {
		inverse8(w[8*y:], 1)
		row := out[y*stride:][:8]
		for x := range row {
			row[x] = uint8(min(max(w[8*y+x]+128.5, 0), 255))
		}
	}
}

func inverse8(v []float32, step int) {
	_ = v[7*step]
	// Even part.
	a, b := v[0]+v[4*step], v[0]-v[4*step]
	c := v[2*step] + v[6*step]
	d := (v[2*step]-v[6*step])*1.414213562 - c
	e0, e3, e1, e2 := a+c, a-c, b+d, b-d
	// Odd part.
	z13, z10 := v[5*step]+v[3*step], v[5*step]-v[3*step]
	z11, z12 := v[step]+v[7*step], v[step]-v[7*step]
	o7 := z11 + z13
	f := (z11 - z13) * 1.414213562
	z5 := (z10 + z12) * 1.847759065
	g := z5 - z12*1.082392200
	h := z5 - z10*2.613125930
	o6 := h - o7
	o5 := f - o6
	o4 := g - o5
	v[0], v[7*step] = e0+o7, e0-o7
	v[step], v[6*step] = e1+o6, e1-o6
	v[2*step], v[5*step] = e2+o5, e2-o5
	v[3*step], v[4*step] = e3+o4, e3-o4
}

// forwardGo makes the coefficients of a block's samples.
func (s *scales) forwardGo(in []uint8, stride int, out *[64]int32) {
	var w [64]float32
	for y := range 8 {
		for x, v := range in[y*stride:][:8] {
			w[8*y+x] = float32(int(v) - 128)
		}
		forward8(w[8*y:], 1)
	}
	for x := range 8 {
		forward8(w[x:], 8)
	}
	for i, v := range w {
		v *= s.down[i]
		out[i] = min(max(int32(math.Floor(float64(v)+0.5)), -1023), 1023)
	}
}

func forward8(v []float32, step int) {
	_ = v[7*step]
	t0, t7 := v[0]+v[7*step], v[0]-v[7*step]
	t1, t6 := v[step]+v[6*step], v[step]-v[6*step]
	t2, t5 := v[2*step]+v[5*step], v[2*step]-v[5*step]
	t3, t4 := v[3*step]+v[4*step], v[3*step]-v[4*step]
	// Even part.
	a, d := t0+t3, t0-t3
	b, c := t1+t2, t1-t2
	z1 := (c + d) * 0.707106781
	v[0], v[4*step] = a+b, a-b
	v[2*step], v[6*step] = d+z1, d-z1
	// Odd part.
	p, q, r := t4+t5, t5+t6, t6+t7
	z5 := (p - r) * 0.382683433
	z2 := 0.541196100*p + z5
	z4 := 1.306562965*r + z5
	z3 := q * 0.707106781
	z11, z13 := t7+z3, t7-z3
	v[5*step], v[3*step] = z13+z2, z13-z2
	v[step], v[7*step] = z11+z4, z11-z4
}
