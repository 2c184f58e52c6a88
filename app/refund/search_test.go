package refund_test

import (
	"testing"

	"flawmark/app/refund"

	"github.com/google/go-cmp/cmp"
)

func TestReadSearch(t *testing.T) {
	t.Parallel()
	back := []refund.Decision{refund.Refund, refund.Exchange}
	for text, want := range map[string]refund.Search{
		"":                        {},
		"  20481-2 ":              {Words: []string{"20481-2"}},
		"GL":                      {Decisions: []refund.Decision{refund.Keep}},
		"rl 潮流前线":                 {Decisions: back, Words: []string{"潮流前线"}},
		"Red Light Ana　Moreira":   {Decisions: back, Words: []string{"ana", "moreira"}},
		"红灯":                      {Decisions: back},
		"ＳＦ１２３４５６７８９０":            {Words: []string{"sf1234567890"}},
		"glue":                    {Words: []string{"glue"}},
		"a b c d e f g":           {Words: []string{"a", "b", "c", "d", "e"}},
		"gl RL":                   {Decisions: []refund.Decision{refund.Keep, refund.Refund, refund.Exchange}},
		"2418830517429106684 gl ": {Decisions: []refund.Decision{refund.Keep}, Words: []string{"2418830517429106684"}},
	} {
		if diff := cmp.Diff(want, refund.ReadSearch(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
