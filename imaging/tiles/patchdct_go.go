//go:build !cgo || noturbo

package tiles

func (s *scales) inverse(c *[64]int32, out []uint8, stride int) { s.inverseGo(c, out, stride) }

func (s *scales) forward(in []uint8, stride int, out *[64]int32) { s.forwardGo(in, stride, out) }
