// Package money holds sums in minor units and the rules that keep every unit
// accounted for.
//
// An [Amount] is an int64 count of minor units (fen, cents) together with its
// currency. There are no floating-point numbers, no implicit conversions, and
// no arithmetic between currencies: mixing them is an error, never a guess.
package money

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Currency is an ISO 4217 code such as "CNY".
type Currency string

// The currencies the product speaks. Balances are kept in CNY; the others
// appear only as information beside a CNY sum.
const (
	CNY Currency = "CNY"
	EUR Currency = "EUR"
	USD Currency = "USD"
)

// symbols also serves as the list of known currencies; all have two decimals.
var symbols = map[Currency]string{CNY: "¥", EUR: "€", USD: "$"}

var (
	// ErrCurrency reports two different currencies in one operation, or a
	// currency that the product does not know.
	ErrCurrency = errors.New("currencies do not match")
	// ErrOverflow reports a sum that does not fit in 64 bits.
	ErrOverflow = errors.New("amount out of range")
	// ErrSyntax reports text that is not an amount with at most two decimals.
	ErrSyntax = errors.New("not an amount of money")
)

// Amount is a sum of money in minor units. The zero Amount is zero CNY.
type Amount struct {
	minor    int64
	currency Currency
}

// Fen returns an amount of n fen (¥0.01).
func Fen(n int64) Amount { return Amount{minor: n, currency: CNY} }

// New returns minor units of cur, or [ErrCurrency] when cur is unknown.
func New(minor int64, cur Currency) (Amount, error) {
	if _, ok := symbols[cur]; !ok {
		return Amount{}, fmt.Errorf("%w: unknown currency %q", ErrCurrency, cur)
	}
	return Amount{minor: minor, currency: cur}, nil
}

// Parse reads decimal text such as "389", "389.5" or "-12.00" as an amount of
// cur. More than two decimals, signs inside, blanks and separators are refused.
func Parse(text string, cur Currency) (Amount, error) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	if whole == "" || len(fraction) > 2 || dotted && fraction == "" {
		return Amount{}, fmt.Errorf("%w: %q", ErrSyntax, text)
	}
	for len(fraction) < 2 {
		fraction += "0"
	}
	var minor int64
	for _, r := range whole + fraction {
		if r < '0' || r > '9' {
			return Amount{}, fmt.Errorf("%w: %q", ErrSyntax, text)
		}
		if minor > (math.MaxInt64-9)/10 {
			return Amount{}, fmt.Errorf("%w: %q", ErrOverflow, text)
		}
		minor = minor*10 + int64(r-'0')
	}
	if negative {
		minor = -minor
	}
	return New(minor, cur)
}

// Minor returns the amount in minor units.
func (a Amount) Minor() int64 { return a.minor }

// Currency returns the amount's currency.
func (a Amount) Currency() Currency {
	if a.currency == "" {
		return CNY
	}
	return a.currency
}

// IsZero reports whether the amount is zero.
func (a Amount) IsZero() bool { return a.minor == 0 }

// Add returns a+b; it fails with [ErrCurrency] or [ErrOverflow].
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency() != b.Currency() {
		return Amount{}, fmt.Errorf("%w: %s and %s", ErrCurrency, a.Currency(), b.Currency())
	}
	sum := a.minor + b.minor
	if (sum > a.minor) != (b.minor > 0) && b.minor != 0 {
		return Amount{}, ErrOverflow
	}
	return Amount{minor: sum, currency: a.Currency()}, nil
}

// Sub returns a-b; it fails with [ErrCurrency] or [ErrOverflow].
func (a Amount) Sub(b Amount) (Amount, error) {
	if b.minor == math.MinInt64 {
		return Amount{}, ErrOverflow
	}
	return a.Add(Amount{minor: -b.minor, currency: b.Currency()})
}

// Times returns a taken n times; it fails with [ErrOverflow].
func (a Amount) Times(n int64) (Amount, error) {
	product := a.minor * n
	if a.minor != 0 && (product/a.minor != n || a.minor == -1 && n == math.MinInt64) {
		return Amount{}, ErrOverflow
	}
	return Amount{minor: product, currency: a.Currency()}, nil
}

// Cmp returns -1, 0 or 1 as a is less than, equal to or greater than b; it
// fails with [ErrCurrency] when they cannot be compared.
func (a Amount) Cmp(b Amount) (int, error) {
	if a.Currency() != b.Currency() {
		return 0, fmt.Errorf("%w: %s and %s", ErrCurrency, a.Currency(), b.Currency())
	}
	switch {
	case a.minor < b.minor:
		return -1, nil
	case a.minor > b.minor:
		return 1, nil
	}
	return 0, nil
}

// Decimal returns the amount without its currency, always with two decimals.
func (a Amount) Decimal() string {
	sign, units := "", uint64(a.minor)
	if a.minor < 0 {
		sign, units = "-", -units
	}
	return fmt.Sprintf("%s%d.%02d", sign, units/100, units%100)
}

// String returns the amount as people read it, such as "¥389.00" or, with a true
// minus that is as wide as a figure, "−¥12.00".
func (a Amount) String() string {
	decimal, negative := strings.CutPrefix(a.Decimal(), "-")
	if negative {
		return "−" + symbols[a.Currency()] + decimal
	}
	return symbols[a.Currency()] + decimal
}

type amountJSON struct {
	Minor    int64    `json:"minor"`
	Currency Currency `json:"currency"`
}

// MarshalJSON writes {"minor":1299,"currency":"CNY"}.
func (a Amount) MarshalJSON() ([]byte, error) {
	return json.Marshal(amountJSON{Minor: a.minor, Currency: a.Currency()})
}

// UnmarshalJSON reads what MarshalJSON writes; an unknown currency is refused.
func (a *Amount) UnmarshalJSON(data []byte) error {
	var in amountJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("read amount: %w", err)
	}
	amount, err := New(in.Minor, in.Currency)
	if err != nil {
		return err
	}
	*a = amount
	return nil
}
