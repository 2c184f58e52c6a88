package refund

import (
	"strings"

	"flawmark/app/qc"
)

// Search is what somebody typed to find cases: all words must be about a case,
// and one of the decisions its customer's.
type Search struct {
	Decisions []Decision
	Words     []string
}

// mostWords bounds what one search looks for.
const mostWords = 5

// light reads what customers call their decisions: green light, keep; red light,
// send it back.
func light(word string) []Decision {
	switch word {
	case "gl", "greenlight", "绿灯":
		return []Decision{Keep}
	case "rl", "redlight", "红灯":
		return []Decision{Refund, Exchange}
	}
	return nil
}

// ReadSearch reads a search. Case does not matter, nor whether letters and
// digits are typed in full width, as Chinese keyboards do.
func ReadSearch(text string) Search {
	text = strings.ToLower(qc.HalfWidth(text))
	text = strings.NewReplacer("green light", "greenlight", "red light", "redlight").Replace(text)
	var s Search
	for _, word := range strings.Fields(text) {
		decisions := light(word)
		s.Decisions = append(s.Decisions, decisions...)
		if decisions == nil && len(s.Words) < mostWords {
			s.Words = append(s.Words, word)
		}
	}
	return s
}
