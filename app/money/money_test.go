package money

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want int64
		err  error
	}{
		{"389", 38900, nil},
		{"389.5", 38950, nil},
		{"0.05", 5, nil},
		{"-12.00", -1200, nil},
		{"", 0, ErrSyntax},
		{".5", 0, ErrSyntax},
		{"5.", 0, ErrSyntax},
		{"1.234", 0, ErrSyntax},
		{"1 000", 0, ErrSyntax},
		{"--1", 0, ErrSyntax},
		{"１２", 0, ErrSyntax},
		{"99999999999999999999", 0, ErrOverflow},
	}
	for _, tt := range tests {
		got, err := Parse(tt.text, CNY)
		if !errors.Is(err, tt.err) || got.Minor() != tt.want {
			t.Errorf("Parse(%q) = %d, %v; want %d, %v", tt.text, got.Minor(), err, tt.want, tt.err)
		}
	}
}

func TestAmount_MixedCurrenciesAreRefused(t *testing.T) {
	t.Parallel()
	euro, err := New(100, EUR)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Fen(100).Add(euro); !errors.Is(err, ErrCurrency) {
		t.Errorf("Add across currencies: %v, want ErrCurrency", err)
	}
	if _, err := Fen(100).Cmp(euro); !errors.Is(err, ErrCurrency) {
		t.Errorf("Cmp across currencies: %v, want ErrCurrency", err)
	}
	if _, err := New(1, "XXX"); !errors.Is(err, ErrCurrency) {
		t.Errorf("New with an unknown currency: %v, want ErrCurrency", err)
	}
}

func TestAmount_OverflowIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := Fen(math.MaxInt64).Add(Fen(1)); !errors.Is(err, ErrOverflow) {
		t.Errorf("Add past the range: %v", err)
	}
	if _, err := Fen(math.MinInt64).Sub(Fen(1)); !errors.Is(err, ErrOverflow) {
		t.Errorf("Sub past the range: %v", err)
	}
	if _, err := Fen(0).Sub(Fen(math.MinInt64)); !errors.Is(err, ErrOverflow) {
		t.Errorf("Sub of the least amount: %v", err)
	}
	if _, err := Fen(math.MaxInt64 / 2).Times(3); !errors.Is(err, ErrOverflow) {
		t.Errorf("Times past the range: %v", err)
	}
	if got := Fen(math.MinInt64).Decimal(); got != "-92233720368547758.08" {
		t.Errorf("least amount prints %s", got)
	}
}

func TestAmount_ReadsWithATrueMinus(t *testing.T) {
	t.Parallel()
	for fen, want := range map[int64]string{38900: "¥389.00", 0: "¥0.00", -1205: "−¥12.05"} {
		if got := Fen(fen).String(); got != want {
			t.Errorf("%d fen read %s, want %s", fen, got, want)
		}
	}
}

func TestAmount_FormatParseRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Fen(rapid.Int64Range(-1e15, 1e15).Draw(t, "minor"))
		got, err := Parse(want.Decimal(), CNY)
		if err != nil || got != want {
			t.Fatalf("Parse(%q) = %v, %v", want.Decimal(), got, err)
		}
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var back Amount
		if err := json.Unmarshal(data, &back); err != nil || back != want {
			t.Fatalf("JSON round trip of %v: %v, %v", want, back, err)
		}
	})
}

func TestApportion_PartsAddUpExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := Fen(rapid.Int64().Draw(t, "total"))
		weights := rapid.SliceOfN(rapid.Int64Range(0, math.MaxInt64), 1, 12).Draw(t, "weights")
		weights[0]++ // never all zero
		if weights[0] < 0 {
			weights[0] = 1
		}
		parts, err := Apportion(total, weights)
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for i, part := range parts {
			sum += part.Minor()
			if weights[i] == 0 && part.Minor() != 0 {
				t.Fatalf("a part of weight 0 got %v", part)
			}
		}
		if sum != total.Minor() {
			t.Fatalf("parts of %v add up to %d", total, sum)
		}
	})
}

func TestApportion_LeftoverGoesToTheLargestRemainder(t *testing.T) {
	t.Parallel()
	parts, err := Apportion(Fen(100), []int64{1, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []int64{34, 33, 33}
	for i := range want {
		if parts[i].Minor() != want[i] {
			t.Fatalf("got %v, want %v fen", parts, want)
		}
	}
	if _, err := Apportion(Fen(1), []int64{0, 0}); !errors.Is(err, ErrWeights) {
		t.Errorf("all-zero weights: %v", err)
	}
}

func TestReadCNY(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"401": 40100, " ¥1,234.50 ": 123450, "1,234.50元": 123450, "CNY 12.5": 1250, "12.5 RMB": 1250, "人民币12元": 1200, "+3": 300, "-1,234.50": -123450,
	} {
		if got, err := ReadCNY(text); err != nil || got != Fen(want) {
			t.Errorf("%q is read as %s, %v; want %d fen", text, got, err, want)
		}
	}
	for _, text := range []string{"", "¥", "12,34", "1.234,50", "$12", "12.345", "1 234"} {
		if got, err := ReadCNY(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}
