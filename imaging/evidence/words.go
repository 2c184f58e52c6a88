package evidence

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
)

// What a marketplace's form takes as the text of a claim, in characters.
const (
	LeastText = 2
	MostText  = 150
)

// Ask is what the seller is asked for.
type Ask struct {
	Decision refund.Decision // what the customer chose; empty: not known yet
	Discount money.Amount    // above zero: to keep the goods for so much less
}

// claimed reports whether a flaw is the seller's to hear of: what is ours, or
// for our own eyes, is not. A code that the catalogue lacks is left out, too,
// because nobody can say what it is.
func claimed(flaw qc.Flaw, catalogue qc.Catalogue) bool {
	kind, ok := catalogue.Flaw(flaw.Code)
	return ok && !kind.Internal && kind.Liability != qc.LiableAgent
}

// claim is a flaw as the seller hears of it.
type claim struct {
	qc.Flaw
	number int
	kind   qc.FlawKind
	length qc.Length // none: MM is 0
}

// claims returns the flaws that the seller hears of, the gravest first.
func claims(f qc.Finding, catalogue qc.Catalogue) []claim {
	var list []claim
	for i, flaw := range f.Flaws {
		if claimed(flaw, catalogue) {
			kind, _ := catalogue.Flaw(flaw.Code)
			list = append(list, claim{flaw, i + 1, kind, lengthOf(f, flaw)})
		}
	}
	slices.SortStableFunc(list, func(a, b claim) int { return compareSeverity(a.Severity, b.Severity) })
	return list
}

func compareSeverity(a, b qc.Severity) int {
	return cmp.Compare(slices.Index(qc.Severities(), a), slices.Index(qc.Severities(), b))
}

// lengthOf returns how large a flaw is: as it was said, else the longest that
// was measured on its photos.
func lengthOf(f qc.Finding, flaw qc.Flaw) qc.Length {
	if flaw.SizeMM > 0 {
		return qc.Length{MM: flaw.SizeMM}
	}
	var longest qc.Length
	for _, m := range f.Marks {
		photo, ok := f.Photo(m.Photo)
		if !ok || m.Flaw != flaw.ID || m.Tool != qc.Measure {
			continue
		}
		if l, ok := photo.Scale.Measure(m.Points); ok && l.MM > longest.MM {
			longest = l
		}
	}
	return longest
}

// ReasonFor returns the marketplace's reason for a finding: that of its gravest
// flaw, and a return without a reason where the seller is to blame for none.
func ReasonFor(f qc.Finding, catalogue qc.Catalogue) qc.Reason {
	id := "no_reason"
	if list := claims(f, catalogue); len(list) > 0 {
		id = cmp.Or(list[0].kind.Reason, "other")
	}
	if reason, ok := catalogue.Reason(id); ok {
		return reason
	}
	return qc.Reason{ID: id}
}

// Text returns what the seller is told, in "zh" as it is sent and in "en" for
// those who are to understand it: what was found, by the codes and sizes and
// with the numbers on the photos, and what is asked for. In Chinese it has
// [LeastText] to [MostText] characters: where there is more to say, the least
// grave flaws become "and others". It never holds an inspector's or customer's
// own words.
func Text(f qc.Finding, item qc.Item, catalogue qc.Catalogue, ask Ask, lang string) (string, error) {
	words, err := assets.LoadWords(lang)
	if err != nil {
		return "", fmt.Errorf("word the claim of finding %s: %w", f.ID, err)
	}
	w := wording{Words: words, item: item, ask: ask, reason: ReasonFor(f, catalogue).ID}
	list := claims(f, catalogue)
	most := MostText
	if words.Language() != "zh" {
		most = math.MaxInt // nobody counts the translation
	}
	for _, terse := range []bool{false, true} {
		for n := len(list); n > 0; n-- {
			if text := w.claim(list[:n], len(list), terse); utf8.RuneCountInString(text) <= most {
				return text, nil
			}
			if n == 2 && !terse {
				break // rather two flaws in short than one at length
			}
		}
	}
	return w.claim(nil, len(list), true), nil
}

// wording puts a claim into the words of a language.
type wording struct {
	assets.Words
	item   qc.Item
	ask    Ask
	reason string
}

// claim is the whole text with these flaws out of so many. Terse ones are
// called by their names only.
func (w wording) claim(list []claim, all int, terse bool) string {
	var said []string
	for _, c := range list {
		said = append(said, w.flaw(c, terse))
	}
	var text strings.Builder
	switch {
	case all == 0:
	case len(list) == 0:
		text.WriteString(w.Count("seller.count", all))
	default:
		text.WriteString(w.known("seller.found.", w.reason, "other") + strings.Join(said, w.Text("seller.between")))
		if len(list) < all {
			text.WriteString(w.Text("seller.more", "n", strconv.Itoa(all)))
		}
		text.WriteString(w.Text("seller.stop"))
	}
	return text.String() + w.wish()
}

// wish is what is asked for.
func (w wording) wish() string {
	if w.ask.Discount.Minor() > 0 {
		return w.Text("seller.ask.discount", "amount", w.ask.Discount.Decimal()+w.known("seller.currency.", string(w.ask.Discount.Currency()), "other"))
	}
	ask := "open"
	switch w.ask.Decision {
	case refund.Refund:
		ask = "refund"
	case refund.Exchange:
		ask = "exchange"
	default:
	}
	return w.known("seller.ask."+ask+".", w.reason, "other")
}

// known returns the text of a key, or of the key with another ending.
func (w wording) known(key, ending, other string) string {
	if w.Has(key + ending) {
		return w.Text(key + ending)
	}
	return w.Text(key + other)
}

// flaw says one flaw.
func (w wording) flaw(c claim, terse bool) string {
	name, _, _ := strings.Cut(c.kind.Name().In(w.Language()), " / ")
	zone, size, rest := "", "", ""
	if !terse {
		if c.kind.ZoneRule == "appearance" && w.Has("seller.zone."+string(c.Zone)) {
			zone = w.Text("seller.zone." + string(c.Zone))
		}
		if mm := millimetres(c.length.MM); mm != "" {
			size = w.Text("seller.size", "mm", mm)
		}
		var list []string
		if w.item.Quantity > 1 && c.Quantity > 0 && c.Quantity <= w.item.Quantity {
			list = append(list, w.Text("seller.pieces", "of", strconv.Itoa(w.item.Quantity), "n", strconv.Itoa(c.Quantity)))
		}
		if w.Has("seller.severity." + string(c.Severity)) {
			list = append(list, w.Text("seller.severity."+string(c.Severity)))
		}
		if len(list) > 0 {
			rest = w.Text("seller.brackets", "text", strings.Join(list, w.Text("seller.comma")))
		}
	}
	number := "(" + strconv.Itoa(c.number) + ") "
	if w.Language() == "zh" {
		number = circled(c.number)
	}
	return number + w.Text("seller.flaw", "name", name, "zone", zone, "size", size) + rest
}

// millimetres writes a length, "" for one that nobody can have measured.
func millimetres(mm float64) string {
	switch {
	case !(mm >= 0.1 && mm < 1e5):
		return ""
	case mm < 10:
		return strings.TrimSuffix(strconv.FormatFloat(mm, 'f', 1, 64), ".0")
	default:
		return strconv.FormatFloat(mm, 'f', 0, 64)
	}
}

// circled is a number as it is written on the photos, as far as there are
// such letters.
func circled(n int) string {
	switch {
	case n >= 1 && n <= 20:
		return string(rune('①' + n - 1))
	case n >= 21 && n <= 35:
		return string(rune('㉑' + n - 21))
	case n >= 36 && n <= 50:
		return string(rune('㊱' + n - 36))
	default:
		return "(" + strconv.Itoa(n) + ")"
	}
}
