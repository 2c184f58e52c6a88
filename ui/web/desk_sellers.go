package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"flawmark/app/refund"
)

// sellersView lists how sellers have dealt with us.
type sellersView struct {
	frame
	Since   string
	Columns []sortLink
	Rows    []sellerRow
	Total   int
	Query   string
}

// sellerView is one seller.
type sellerView struct {
	frame
	Since string
	Row   sellerRow
	Cases []deskRow
	Total int
	All   string // address of their cases
}

// sortLink is a column that can be sorted by.
type sortLink struct {
	Href, Words string
	Current     bool
	Figure      bool
}

// sellerRow is the record of one seller, each figure with what it was counted of.
type sellerRow struct {
	Name, Href string
	Claims     int
	Flawed     rateView
	Refused    rateView
	Refunded   rateView
	Short      rateView
	Median     string // days; empty: none was counted
	P80        string
	DaysN      string
}

// rateView is a share that is never said alone.
type rateView struct {
	Share string // empty: nothing was counted
	Range string // between which shares the true one lies
	N     string
}

// mostSellers bounds the list of sellers; the rest is found by its name.
const mostSellers = 200

// sellerColumn is a figure that sellers can be put in order by.
type sellerColumn struct {
	name  string
	order func(a, b refund.Record) int
}

// sellerColumns are what the list of sellers can be sorted by, the worst first:
// by the end of the interval that is sure, so that one bad case of one does not
// outrank a hundred of a thousand.
func sellerColumns() []sellerColumn {
	atLeast := func(r refund.Rate) float64 { low, _ := r.Interval(); return low }
	byRate := func(rate func(refund.Record) refund.Rate) func(a, b refund.Record) int {
		return func(a, b refund.Record) int { return cmp.Compare(atLeast(rate(b)), atLeast(rate(a))) }
	}
	return []sellerColumn{
		{"claims", func(a, b refund.Record) int { return cmp.Compare(b.Claims, a.Claims) }},
		{"name", func(refund.Record, refund.Record) int { return 0 }},
		{"flawed", byRate(func(r refund.Record) refund.Rate { return r.Pieces })},
		{"refused", byRate(func(r refund.Record) refund.Rate { return r.Refused })},
		{"refunded", byRate(func(r refund.Record) refund.Rate {
			return refund.Rate{Hits: r.Refunded.N - r.Refunded.Hits, N: r.Refunded.N}
		})},
		{"short", byRate(func(r refund.Record) refund.Rate { return r.Short })},
		{"days", func(a, b refund.Record) int { return cmp.Compare(b.Days.Median, a.Days.Median) }},
	}
}

func (p *Pages) deskSellers(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	s := p.deskSpeech(r)
	since := s.now.Add(-historyLasts)
	if name := r.URL.Query().Get("seller"); name != "" {
		p.deskSeller(w, r, who, s, name, since)
		return
	}
	records, err := p.Store.SellerRecords(r.Context(), since)
	if err != nil {
		p.failed(w, r, "sellers", err)
		return
	}
	page := sellersView{frame: p.deskFrame(r, s, who, "sellers", s.T("web.sellers.title")), Since: s.day(since), Total: len(records)}
	by := r.URL.Query().Get("sort")
	columns := sellerColumns()
	current := max(0, slices.IndexFunc(columns, func(c sellerColumn) bool { return c.name == by }))
	slices.SortStableFunc(records, columns[current].order) // by name before
	for _, name := range []string{"name", "flawed", "claims", "refused", "refunded", "short", "days"} {
		page.Columns = append(page.Columns, sortLink{
			Href: "/desk/sellers?sort=" + name, Words: s.T("web.sellers." + name), Current: columns[current].name == name, Figure: name != "name",
		})
	}
	for _, record := range records[:min(mostSellers, len(records))] {
		page.Rows = append(page.Rows, s.sellerRow(record))
	}
	p.render(w, r, http.StatusOK, "sellers", page)
}

func (p *Pages) deskSeller(w http.ResponseWriter, r *http.Request, who session, s speech, name string, since time.Time) {
	if len(name) > 300 {
		p.nothingHere(w, r)
		return
	}
	record, err := p.Store.SellerRecord(r.Context(), name, since)
	if err != nil {
		p.failed(w, r, "seller", err)
		return
	}
	work, err := p.Store.Worklist(r.Context(), WorkFilter{Seller: name, Limit: 20})
	if err != nil {
		p.failed(w, r, "seller", err)
		return
	}
	page := sellerView{
		frame: p.deskFrame(r, s, who, "seller", s.T("web.sellers.one", "seller", name)), Since: s.day(since), Row: s.sellerRow(record),
		Total: work.Total, All: "/desk?show=all&seller=" + url.QueryEscape(name),
	}
	for _, row := range work.Rows {
		page.Cases = append(page.Cases, s.deskRow(row))
	}
	p.render(w, r, http.StatusOK, "seller", page)
}

func (s speech) sellerRow(r refund.Record) sellerRow {
	row := sellerRow{
		Name: r.Seller, Href: "/desk/sellers?seller=" + url.QueryEscape(r.Seller), Claims: r.Claims,
		Flawed: s.rate(r.Pieces), Refused: s.rate(r.Refused), Refunded: s.rate(r.Refunded), Short: s.rate(r.Short),
	}
	if r.Days.N > 0 {
		row.Median, row.P80, row.DaysN = s.dayCount(r.Days.Median), s.dayCount(r.Days.P80), strconv.Itoa(r.Days.N)
	}
	return row
}

// rate says a share with its interval and of how many it was counted.
func (s speech) rate(r refund.Rate) rateView {
	view := rateView{N: strconv.Itoa(r.N)}
	if r.N > 0 {
		low, high := r.Interval()
		view.Share = percent(r.Share())
		view.Range = percent(low) + "–" + percent(high)
	}
	return view
}

// percent writes a share with a digit behind the point where it is small.
func percent(share float64) string {
	digits := 0
	if share > 0 && share < 0.1 {
		digits = 1
	}
	return strconv.FormatFloat(100*share, 'f', digits, 64) + " %"
}

func (s speech) dayCount(n float64) string {
	return s.T("web.sellers.n_days", "n", strconv.FormatFloat(n, 'f', 1, 64))
}

// day writes a date in the reader's time zone.
func (s speech) day(t time.Time) string {
	if s.Language() == "zh" {
		return t.In(s.zone).Format("2006年1月2日")
	}
	return t.In(s.zone).Format("2 Jan 2006")
}
