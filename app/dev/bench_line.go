package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// line is one result: ours and the peer's value, their ratio, and whether that
// keeps to the budget. Times are medians of the wall clock in seconds, memory is
// a peak in MiB. Zero stands for what there is not.
type line struct {
	Name     string  `json:"name"`
	Ours     float64 `json:"ours"`
	Peer     float64 `json:"peer,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"` // ours / peer
	Budget   float64 `json:"budget,omitempty"`
	Of       of      `json:"of,omitempty"`
	Unit     string  `json:"unit"`
	OK       bool    `json:"ok"` // also where there is no budget
	PeerName string  `json:"peer_name,omitempty"`
	// CPURatio is the ratio of the least CPU times, which neighbours on the
	// machine disturb least.
	OursCPU  float64 `json:"ours_cpu,omitempty"`
	PeerCPU  float64 `json:"peer_cpu,omitempty"`
	CPURatio float64 `json:"cpu_ratio,omitempty"`
	Rounds   int     `json:"rounds"`
	Note     string  `json:"note,omitempty"`
}

// of tells what a budget is of, and on which side of it is well.
type of string

const (
	ratioMost of = "ratio at most"
	oursMost  of = "ours at most"
	oursLeast of = "ours at least"
)

// settle fills in what follows from the rest.
func (l *line) settle() {
	if l.Peer != 0 {
		l.Ratio = l.Ours / l.Peer
	}
	if l.PeerCPU != 0 {
		l.CPURatio = l.OursCPU / l.PeerCPU
	}
	switch l.Of {
	case ratioMost:
		l.OK = l.Ratio != 0 && l.Ratio <= l.Budget
	case oursMost:
		l.OK = l.Ours <= l.Budget
	case oursLeast:
		l.OK = l.Ours >= l.Budget
	default:
		l.OK = true
	}
}

// timeLine compares two courses by the wall clock.
func timeLine(name string, ours, peer course, budget float64) line {
	l := line{
		Name: name, Unit: "s", Ours: median(ours.walls()), Peer: median(peer.walls()), PeerName: peer.racer.name,
		OursCPU: ours.cpu(), PeerCPU: peer.cpu(), Budget: budget, Of: ratioMost,
	}
	if budget == 0 {
		l.Of = ""
	}
	return l
}

// memoryLine compares two courses by their peaks.
func memoryLine(name string, ours, peer course, budget float64, what of) line {
	return line{Name: name, Unit: "MiB", Ours: ours.rss(), Peer: peer.rss(), PeerName: peer.racer.name, Budget: budget, Of: what}
}

func missedLines(lines []line) []string {
	var missed []string
	for _, l := range lines {
		if !l.OK {
			missed = append(missed, l.Name)
		}
	}
	return missed
}

// benchTable is the results for people: numbers stand under each other.
func benchTable(lines []line) string {
	rows := [][]string{{"", "ours", "peer", "ratio", "CPU", "budget", "", "peer is"}}
	for _, l := range lines {
		verdict := "ok"
		switch {
		case l.Of == "":
			verdict = "-"
		case !l.OK:
			verdict = "MISSED"
		}
		who := l.PeerName
		if l.Note != "" {
			who = strings.TrimSpace(who + " (" + l.Note + ")")
		}
		rows = append(rows, []string{
			l.Name, quantity(l.Ours, l.Unit), quantity(l.Peer, l.Unit), share(l.Ratio), share(l.CPURatio), l.budget(), verdict, who,
		})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var text strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch i {
			case 0, len(row) - 2, len(row) - 1: // words, not numbers
				text.WriteString(cell + pad + "  ")
			default:
				text.WriteString(pad + cell + "  ")
			}
		}
		b.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
	missed := missedLines(lines)
	judged := 0
	for _, l := range lines {
		if l.Of != "" {
			judged++
		}
	}
	fmt.Fprintf(&b, "\n%d of %d budgets kept", judged-len(missed), judged)
	if len(missed) > 0 {
		b.WriteString(", MISSED: " + strings.Join(missed, ", "))
	}
	return b.String()
}

func (l line) budget() string {
	switch l.Of {
	case ratioMost:
		if l.Budget < 0.1 {
			return "≤ 1/" + strconv.FormatFloat(1/l.Budget, 'f', 0, 64)
		}
		return "≤ " + strconv.FormatFloat(l.Budget, 'f', 2, 64)
	case oursMost:
		return "≤ " + quantity(l.Budget, l.Unit)
	case oursLeast:
		return "≥ " + quantity(l.Budget, l.Unit)
	}
	return ""
}

// quantity writes a value with its unit, three digits or so; nothing for zero.
func quantity(v float64, unit string) string {
	switch {
	case v == 0:
		return ""
	case unit == "s" && v < 1:
		return digits(1000*v) + " ms"
	}
	return digits(v) + " " + unit
}

func digits(v float64) string {
	switch {
	case math.IsInf(v, 0):
		return "∞"
	case math.Abs(v) >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case math.Abs(v) >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// share writes a ratio; small ones as a fraction, which is how budgets say it.
func share(v float64) string {
	switch {
	case v == 0:
		return ""
	case v < 0.05:
		return "1/" + strconv.FormatFloat(1/v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// median is the middle value; of an even number, the mean of the two in the
// middle. There is at least one value.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// percentile is the least value that p percent of the values do not exceed.
func percentile(values []float64, p float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func least(values []float64) float64 { return slices.Min(values) }
func most(values []float64) float64  { return slices.Max(values) }

func each[T any](list []T, of func(T) float64) []float64 {
	values := make([]float64, len(list))
	for i, one := range list {
		values[i] = of(one)
	}
	return values
}
