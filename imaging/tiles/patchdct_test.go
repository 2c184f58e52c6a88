package tiles

import (
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// TestScales_TransformsAreThoseOfGo to the bit, where no compiler joins products with sums.
func TestScales_TransformsAreThoseOfGo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var quants [64]uint16
		for i := range quants {
			quants[i] = rapid.Uint16Range(1, 255).Draw(t, "quant")
		}
		s := newScales(&quants)
		var coefficients [64]int32
		for range rapid.IntRange(0, 64).Draw(t, "number") {
			coefficients[rapid.IntRange(0, 63).Draw(t, "place")] = rapid.Int32Range(-1023, 1023).Draw(t, "coefficient")
		}
		const stride = 11
		near := func(a, b int) bool {
			off := 0
			if runtime.GOARCH != "amd64" {
				off = 1
			}
			return max(a-b, b-a) <= off
		}
		got, want := make([]uint8, 8*stride), make([]uint8, 8*stride)
		s.inverse(&coefficients, got, stride)
		s.inverseGo(&coefficients, want, stride)
		for i := range want {
			if !near(int(got[i]), int(want[i])) {
				t.Fatalf("sample %d is %d, not %d", i, got[i], want[i])
			}
		}
		for i := range want {
			want[i] = rapid.Uint8().Draw(t, "sample")
		}
		var back, wanted [64]int32
		s.forward(want, stride, &back)
		s.forwardGo(want, stride, &wanted)
		for i := range wanted {
			if !near(int(back[i]), int(wanted[i])) {
				t.Fatalf("coefficient %d is %d, not %d", i, back[i], wanted[i])
			}
		}
	})
}
