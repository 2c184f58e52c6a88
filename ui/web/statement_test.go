package web

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"flawmark/app/money"
)

// A long statement is shown page by page, and every movement is on one of them.
func TestOrderPage_LongStatement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	customer := w.orders["20481"].Customer.ID
	for i := range 250 {
		w.lines[customer] = append(w.lines[customer], Line{
			N: int64(10 + 3*i), Number: i + 1, At: w.now, Kind: "reserve", Ref: fmt.Sprintf("REF-%03d", i),
			Amount: money.Fen(-1), Running: money.Fen(1000),
		})
	}
	b := w.reader(t)
	b.openLink("20481")
	older := regexp.MustCompile(`href="([^"]+)">Older lines`)
	seen := map[string]int{}
	path, pages := "/o/20481", 0
	for path != "" {
		page := b.get(path, http.StatusOK)
		for _, ref := range regexp.MustCompile(`REF-\d+`).FindAllString(page, -1) {
			seen[ref]++
		}
		if newest := strings.Contains(page, "Newest lines"); newest != (pages > 0) {
			t.Errorf("%s leads to the newest: %t", path, newest)
		}
		next := older.FindStringSubmatch(page)
		if path = ""; next != nil {
			path = strings.TrimSuffix(next[1], "#balance")
		}
		pages++
	}
	if len(seen) != 250 || pages != 3 || seen["REF-000"] != 1 || seen["REF-249"] != 1 {
		t.Errorf("%d movements on %d pages", len(seen), pages)
	}
}
