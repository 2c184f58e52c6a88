package refund

import (
	"fmt"
	"slices"
	"strings"
)

// Table returns the lifecycle as people read it: a table in Markdown, one line
// an event, made of [Transitions] and nothing else.
func Table() string {
	var out strings.Builder
	out.WriteString("| event | from | by | needs | to | only |\n|---|---|---|---|---|---|\n")
	for _, t := range Transitions() {
		to := texts(t.to.ends)
		if t.to.stays {
			to = append(to, "stays")
		}
		from := texts(t.From)
		if slices.Equal(t.From, open()) {
			from = []string{"any in which the flag still counts"}
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s | %s |\n", t.On,
			strings.Join(from, ", "), strings.Join(texts(t.By), ", "), strings.Join(texts(t.Needs), ", "), strings.Join(to, ", "), t.only)
	}
	out.WriteString("\n| status | the clock does |\n|---|---|\n")
	for _, s := range Statuses() {
		does := "nothing: it has ended"
		if kind, running := ByClock(s); running {
			does = "`" + string(kind) + "`"
		} else if !s.Terminal() {
			does = "nothing: people of ours are at work"
		}
		fmt.Fprintf(&out, "| `%s` | %s |\n", s, does)
	}
	return out.String()
}

// ByClock returns what the clock does to a case that stays in s; running is
// false for statuses that wait for people of ours, and for those that ended.
func ByClock(s Status) (kind Kind, running bool) {
	asked := original().ValidFrom.AddDate(2000, 0, 0) // any time will do
	_, kind, running = Case{Status: s, ChangedAt: asked, DecideBy: asked, Offer: &Offer{ExpiresAt: asked}}.Timer()
	return kind, running
}

// WaitsForUs reports whether a case in s waits for people of ours, so that no
// clock acts on it.
func (s Status) WaitsForUs() bool {
	switch s {
	case Flagged, Rechecking, Escalated, ReturnException, RefundShort, Disputed:
		return true
	default:
		return false
	}
}

func texts[T ~string](list []T) []string {
	all := make([]string, len(list))
	for i, one := range list {
		all[i] = string(one)
	}
	return all
}

// Guarded reports whether more than status and party decides on the row, and
// Only says what, in words.
func (t Transition) Guarded() bool { return t.guard != nil }

// Only says in words what else must hold; empty: nothing.
func (t Transition) Only() string { return t.only }
