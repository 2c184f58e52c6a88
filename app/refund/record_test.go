package refund_test

import (
	"math"
	"testing"
	"time"

	"flawmark/app/refund"

	"pgregory.net/rapid"
)

// The bounds are those of published tables of Wilson's score interval.
func TestRate_Interval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate      refund.Rate
		low, high float64
	}{
		{refund.Rate{}, 0, 1},
		{refund.Rate{Hits: 3, N: 3}, 0.4385, 1},
		{refund.Rate{Hits: 0, N: 10}, 0, 0.2775},
		{refund.Rate{Hits: 8, N: 10}, 0.4902, 0.9433},
		{refund.Rate{Hits: 50, N: 100}, 0.4038, 0.5962},
	} {
		low, high := c.rate.Interval()
		if math.Abs(low-c.low) > 5e-5 || math.Abs(high-c.high) > 5e-5 {
			t.Errorf("%+v: %.4f to %.4f, want %.4f to %.4f", c.rate, low, high, c.low, c.high)
		}
	}
}

func TestRate_IntervalHoldsTheShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1e6).Draw(t, "n")
		rate := refund.Rate{Hits: rapid.IntRange(0, n).Draw(t, "hits"), N: n}
		low, high := rate.Interval()
		const dust = 1e-12
		if low < 0 || high > 1 || low > rate.Share()+dust || high < rate.Share()-dust {
			t.Fatalf("%+v: %g to %g around %g", rate, low, high, rate.Share())
		}
	})
}

func TestDaysOf(t *testing.T) {
	t.Parallel()
	days := func(list ...float64) (lengths []time.Duration) {
		for _, d := range list {
			lengths = append(lengths, time.Duration(d*24*float64(time.Hour)))
		}
		return lengths
	}
	for _, c := range []struct {
		lengths []time.Duration
		want    refund.Days
	}{
		{nil, refund.Days{}},
		{days(4), refund.Days{N: 1, Median: 4, P80: 4}},
		{days(9, 1), refund.Days{N: 2, Median: 5, P80: 7.4}},
		{days(10, 2, 4, 8, 6, 12), refund.Days{N: 6, Median: 7, P80: 10}},
	} {
		got := refund.DaysOf(c.lengths)
		if got.N != c.want.N || math.Abs(got.Median-c.want.Median) > 1e-9 || math.Abs(got.P80-c.want.P80) > 1e-9 {
			t.Errorf("%v: %+v, want %+v", c.lengths, got, c.want)
		}
	}
}

func TestRecord_Count(t *testing.T) {
	t.Parallel()
	var r refund.Record
	for _, c := range []struct {
		result   refund.ClaimResult
		refusals int
	}{
		{refund.ClaimRefunded, 0},
		{refund.ClaimRefunded, 2},
		{refund.ClaimShort, 0},
		{refund.ClaimRefused, 1},
		{refund.ClaimExchanged, 0},
		{refund.ClaimAside, 1},
		{refund.ClaimPending, 1},
	} {
		r.Count(c.result, c.refusals)
	}
	want := refund.Record{
		Claims: 5, Refunded: refund.Rate{Hits: 2, N: 4}, Refused: refund.Rate{Hits: 2, N: 5}, Short: refund.Rate{Hits: 1, N: 3},
	}
	if r != want {
		t.Errorf("%+v, want %+v", r, want)
	}
}
