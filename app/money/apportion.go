package money

import (
	"errors"
	"math/big"
	"slices"
)

// ErrWeights reports weights that cannot carry a share: none, a negative one,
// or all zero.
var ErrWeights = errors.New("weights must be non-negative and not all zero")

// Apportion splits total by weights so that the parts add up to total exactly:
// each gets its share rounded towards zero, and the units left over go to the
// largest remainders, the earlier part first where remainders are equal.
func Apportion(total Amount, weights []int64) ([]Amount, error) {
	sum := new(big.Int)
	for _, weight := range weights {
		if weight < 0 {
			return nil, ErrWeights
		}
		sum.Add(sum, big.NewInt(weight))
	}
	if sum.Sign() == 0 {
		return nil, ErrWeights
	}
	parts := make([]Amount, len(weights))
	remainders := make([]*big.Int, len(weights))
	left := total.minor
	for i, weight := range weights {
		share, remainder := new(big.Int), new(big.Int)
		share.Mul(big.NewInt(total.minor), big.NewInt(weight))
		share.QuoRem(share, sum, remainder)
		parts[i] = Amount{minor: share.Int64(), currency: total.Currency()}
		remainders[i] = remainder.Abs(remainder)
		left -= share.Int64()
	}
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return remainders[j].Cmp(remainders[i]) })
	unit := int64(1)
	if left < 0 {
		unit = -1
	}
	for i := 0; left != 0; i++ {
		parts[order[i]].minor += unit
		left -= unit
	}
	return parts, nil
}
