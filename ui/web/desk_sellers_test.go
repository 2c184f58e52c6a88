package web

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"flawmark/app/refund"
)

// recordsWorld has sellers with much, little and no history.
func recordsWorld(t *testing.T, w *world) {
	t.Helper()
	chosenWorld(t, w)
	w.records = map[string]refund.Record{
		"潮流前线鞋店": {
			Seller: "潮流前线鞋店", Pieces: refund.Rate{Hits: 9, N: 212}, Claims: 40, Refunded: refund.Rate{Hits: 31, N: 38},
			Refused: refund.Rate{Hits: 12, N: 40}, Short: refund.Rate{Hits: 2, N: 33}, Days: refund.Days{N: 31, Median: 8.25, P80: 13.6},
		},
		"一单店": {Seller: "一单店", Pieces: refund.Rate{Hits: 1, N: 1}, Claims: 1, Refunded: refund.Rate{N: 1}, Refused: refund.Rate{Hits: 1, N: 1}},
		"新店":  {Seller: "新店", Pieces: refund.Rate{N: 3}},
	}
}

func TestSellers_NoShareIsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	recordsWorld(t, w)
	b := w.reader(t)
	b.signIn("D01")
	page := html.UnescapeString(b.get("/desk/sellers", http.StatusOK))
	for _, want := range []string{
		`30 %</span> <span class="small">18 %–45 % · n=40`, `4.2 %</span> <span class="small">2.2 %–7.9 % · n=212`,
		`8.2 days</span> <span class="small">≤ 13.6 days · n=31`, `100 %</span> <span class="small">21 %–100 % · n=1`, "– <span class=\"small\">n=0</span>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the list does not say %s", want)
		}
	}
	bare := regexp.MustCompile(`\d %</span>( <span class="small">[^<]*n=\d+</span>)?`)
	for _, share := range bare.FindAllStringSubmatch(page, -1) {
		if share[1] == "" {
			t.Errorf("a share stands alone: %s", share[0])
		}
	}
}

// One refusal of one says less than twelve of forty.
func TestSellers_AreSortedByWhatIsSure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	recordsWorld(t, w)
	w.records["一单店"] = refund.Record{Seller: "一单店", Claims: 2, Refused: refund.Rate{Hits: 1, N: 2}}
	b := w.reader(t)
	b.signIn("D01")
	names := regexp.MustCompile(`<a href="/desk/sellers\?seller=[^"]*"><strong>([^<]*)`)
	for sort, want := range map[string]string{
		"refused": "潮流前线鞋店 一单店 新店", "name": "一单店 新店 潮流前线鞋店", "claims": "潮流前线鞋店 一单店 新店",
		"days": "潮流前线鞋店 一单店 新店", "nonsense": "潮流前线鞋店 一单店 新店",
	} {
		var got []string
		for _, name := range names.FindAllStringSubmatch(b.get("/desk/sellers?sort="+sort, http.StatusOK), -1) {
			got = append(got, name[1])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %s: %q, want %q", sort, got, want)
		}
	}
	b.get("/desk/sellers?seller="+strings.Repeat("x", 301), http.StatusNotFound)
}
