package shops

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"flawmark/app/money"
	"flawmark/app/refund"
	"flawmark/assets"
	"flawmark/sync/wire"
)

func words(t *testing.T, language string) assets.Words {
	t.Helper()
	w, err := assets.LoadWords(language)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Whatever the trade or the balance refuses is the caller's to hear, in words,
// and no failure of ours.
func TestProblem_EveryRuleIsSaid(t *testing.T) {
	t.Parallel()
	d := &Door{Config: Config{EN: words(t, "en"), ZH: words(t, "zh"), Log: slog.New(slog.DiscardHandler)}}
	trade, balance := rules()
	if len(trade) < 10 || len(balance) < 5 {
		t.Fatalf("%d and %d rules", len(trade), len(balance))
	}
	for uri, list := range map[string][]error{wire.ActionRefused: trade, wire.MoneyRefused: balance} {
		for _, rule := range list {
			p := d.problem(fmt.Errorf("act: %w", rule))
			if p.Type != uri || p.Status != http.StatusConflict || p.Code != rule.Error() {
				t.Errorf("%v: %s %d %q", rule, p.Type, p.Status, p.Code)
			}
			if p.Why == nil || p.Why.EN == p.Why.ZH || strings.HasPrefix(p.Why.EN, "error.") {
				t.Errorf("%v is said as %+v", rule, p.Why)
			}
		}
	}
	late, unfit := letters()
	for status, list := range map[int][]error{http.StatusConflict: late, http.StatusUnprocessableEntity: unfit} {
		for _, rule := range list {
			p := d.problem(fmt.Errorf("write: %w", rule))
			if p.Type != wire.MessageRefused || p.Status != status || p.Why == nil || p.Why.EN == p.Why.ZH || strings.HasPrefix(p.Why.EN, "error.") {
				t.Errorf("%v: %s %d %+v", rule, p.Type, p.Status, p.Why)
			}
		}
	}
	for _, wrong := range []error{money.ErrCurrency, money.ErrOverflow} {
		if p := d.problem(wrong); p.Type != wire.Malformed {
			t.Errorf("%v: %s", wrong, p.Type)
		}
	}
	if p := d.problem(errors.New("disk on fire")); p.Type != wire.Internal || strings.Contains(p.Detail, "fire") {
		t.Errorf("an unforeseen error: %+v", p)
	}
	if p := d.problem(refund.ErrUnknownEvent); p.Status >= http.StatusInternalServerError {
		t.Errorf("an unknown event: %+v", p)
	}
}

func TestVersionOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`"4"`: 4, `"12"`: 12, "": 0, "*": 0, "4": 0, `W/"4"`: 0, `"4", "5"`: 0, `"-1"`: 0, `"04"`: 0, `"x"`: 0, `"0"`: 0, "`4`": 0,
	} {
		version, err := versionOf(text)
		if version != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v", text, version, err)
		}
	}
}

func TestValidKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"a": true, "AC-90001-refund": true, strings.Repeat("k", 200): true,
		"": false, strings.Repeat("k", 201): false, "a b": false, "a\x00": false, "钥": false,
	} {
		if validKey(key) != want {
			t.Errorf("%q: %t", key, !want)
		}
	}
}
