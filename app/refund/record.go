package refund

import (
	"math"
	"slices"
	"time"
)

// A Rate is a share that was counted: Hits of N. It is never shown without N,
// nor without how uncertain it is: three of three is not "always".
type Rate struct {
	Hits int `json:"hits"`
	N    int `json:"n"`
}

// Share returns the share that was counted, 0 where nothing was.
func (r Rate) Share() float64 {
	if r.N < 1 {
		return 0
	}
	return float64(r.Hits) / float64(r.N)
}

// z95 is the quantile of the normal distribution that leaves 2.5 % above it.
const z95 = 1.959963984540054

// Interval returns between which shares the true one lies with 95 %
// confidence, by Wilson's score: it stays within 0 and 1 and is honest for few
// counts, too. Of nothing counted it is everything.
func (r Rate) Interval() (low, high float64) {
	if r.N < 1 {
		return 0, 1
	}
	n, p := float64(r.N), r.Share()
	middle := (p + z95*z95/(2*n)) / (1 + z95*z95/n)
	half := z95 / (1 + z95*z95/n) * math.Sqrt(p*(1-p)/n+z95*z95/(4*n*n))
	return max(0, middle-half), min(1, middle+half)
}

// Days is how long something takes, in days.
type Days struct {
	N      int     `json:"n"`
	Median float64 `json:"median"`
	P80    float64 `json:"p80"` // four of five took no longer
}

// DaysOf counts lengths of time.
func DaysOf(lengths []time.Duration) Days {
	if len(lengths) == 0 {
		return Days{}
	}
	sorted := slices.Sorted(slices.Values(lengths))
	return Days{N: len(sorted), Median: quantile(sorted, 0.5), P80: quantile(sorted, 0.8)}
}

// quantile interpolates between neighbours of sorted.
func quantile(sorted []time.Duration, q float64) float64 {
	const day = float64(24 * time.Hour)
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	part := at - float64(low)
	return (float64(sorted[low])*(1-part) + float64(sorted[high])*part) / day
}

// Record is how a seller has dealt with us: of what was inspected and of
// claims that have ended.
type Record struct {
	Seller string `json:"seller"`
	// Pieces: how many of those inspected were flawed.
	Pieces Rate `json:"pieces"`
	// Claims that have ended with the seller's word: money, a refusal, or another
	// piece. What the customer kept, and what we bore, says nothing of a seller.
	Claims int `json:"claims"`
	// Refunded: of the claims for money, those that were paid in full.
	Refunded Rate `json:"refunded"`
	// Refused: of all claims, those refused at least once, whatever came of them.
	Refused Rate `json:"refused"`
	// Short: of the claims that were paid, those paid less than was owed.
	Short Rate `json:"short"`
	// Days from the customer's decision to the credit, of claims paid in full.
	Days Days `json:"days"`
}

// Count adds the result of an ended claim. Days are counted by whoever has all
// of their lengths ([DaysOf]).
func (r *Record) Count(result ClaimResult, refusals int) {
	switch result {
	case ClaimRefunded:
		r.Refunded.Hits++
		r.Refunded.N++
		r.Short.N++
	case ClaimShort:
		r.Refunded.N++
		r.Short.Hits++
		r.Short.N++
	case ClaimRefused:
		r.Refunded.N++
	case ClaimExchanged:
	default:
		return
	}
	r.Claims++
	r.Refused.N++
	if refusals > 0 {
		r.Refused.Hits++
	}
}
