package notify

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// However its words are written down, a message is cut between two letters, and
// to no more than is allowed.
func TestMessage_Fits(t *testing.T) {
	t.Parallel()
	for _, letter := range []string{"a", "<", "\"", "鞋", "🧦", "\x01"} {
		for _, n := range []int{0, 1, 100, 3000, 9000} {
			data, err := message{Title: "T", Body: strings.Repeat(letter, n), URL: "/o/1"}.fit(pushLimit)
			var got message
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			whole := got.Body == strings.Repeat(letter, n)
			if err != nil || len(data) > pushLimit || !utf8.ValidString(got.Body) || !whole && !strings.HasSuffix(got.Body, letter+"…") || got.Title != "T" {
				t.Errorf("%d × %q: %d bytes, %.20q … %v", n, letter, len(data), got.Body, err)
			}
			if !whole && len(data) < pushLimit*8/10 {
				t.Errorf("%d × %q: only %d bytes are left", n, letter, len(data))
			}
		}
	}
}
