package web

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// report is one table to download.
type report struct {
	name  string
	write func(ctx context.Context, from, to time.Time, row func([]string) error) error
}

// reports lists the tables.
func (p *Pages) reports() []report {
	return []report{
		{"cases", p.Store.ReportCases},
		{"money", p.Store.ReportMoney},
		{"flaws", p.Store.ReportFlaws},
		{"people", p.Store.ReportPeople},
		{"times", p.Store.ReportTimes},
	}
}

// longestReport bounds a period.
const longestReport = 3 * 366 * 24 * time.Hour

// reportsView lets somebody choose a period and a table.
type reportsView struct {
	frame
	From, To string
	Rows     []reportRow
	Problem  string
}

type reportRow struct{ Href, Words, Explain, File string }

// period reads the first and the last day of a period, in the desk's time zone;
// it ends when the day after the last begins.
func (s speech) period(from, to string) (first, end time.Time, ok bool) {
	first, err := time.ParseInLocation(time.DateOnly, from, s.zone)
	last, err2 := time.ParseInLocation(time.DateOnly, to, s.zone)
	if err != nil || err2 != nil || last.Before(first) || last.Sub(first) > longestReport {
		return first, end, false
	}
	return first, last.AddDate(0, 0, 1), true
}

func (p *Pages) deskReports(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	s := p.deskSpeech(r)
	today := s.now.In(s.zone)
	page := reportsView{
		frame: p.deskFrame(r, s, who, "reports", s.T("web.reports.title")),
		From:  today.AddDate(0, 0, 1-today.Day()).Format(time.DateOnly), To: today.Format(time.DateOnly),
	}
	if query := r.URL.Query(); query.Has("from") {
		page.From, page.To = query.Get("from"), query.Get("to")
	}
	if _, _, ok := s.period(page.From, page.To); !ok {
		page.Problem = s.T("web.reports.period_wrong")
		page.From, page.To = today.Format(time.DateOnly), today.Format(time.DateOnly)
	}
	for _, one := range p.reports() {
		page.Rows = append(page.Rows, reportRow{
			Href:  "/desk/reports/" + one.name + ".csv?from=" + page.From + "&to=" + page.To,
			Words: s.T("web.reports." + one.name), Explain: s.T("web.reports." + one.name + ".explain"), File: one.name + ".csv",
		})
	}
	p.render(w, r, http.StatusOK, "reports", page)
}

// deskReport answers with a table as a file, row by row as it is read. What
// goes wrong halfway breaks the answer off, so that half a table does not look
// whole.
func (p *Pages) deskReport(w http.ResponseWriter, r *http.Request, who session) {
	name, isCSV := strings.CutSuffix(r.PathValue("file"), ".csv")
	var write func(ctx context.Context, from, to time.Time, row func([]string) error) error
	for _, one := range p.reports() {
		if one.name == name && isCSV {
			write = one.write
		}
	}
	if write == nil {
		p.nothingHere(w, r)
		return
	}
	s := p.deskSpeech(r)
	from, to, ok := s.period(r.URL.Query().Get("from"), r.URL.Query().Get("to"))
	if !ok {
		p.sorry(w, r, http.StatusBadRequest, "web.reports.period_wrong")
		return
	}
	p.Log.InfoContext(r.Context(), "report downloaded", "report", name, "staff", who.ID)
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s-%s.csv"`, name, r.URL.Query().Get("from"), r.URL.Query().Get("to")))
	h.Set("Cache-Control", "private, no-store")
	out := bufio.NewWriter(w)
	_, _ = out.WriteString("\ufeff") // without it, spreadsheets take Chinese for something else
	table := csv.NewWriter(out)
	first := true
	err := write(r.Context(), from, to, func(row []string) error {
		for i, cell := range row {
			if first {
				row[i] = s.T("web.reports.column." + cell)
				continue
			}
			row[i] = harmless(s.reportCell(cell))
		}
		first = false
		return table.Write(row)
	})
	table.Flush()
	if err == nil {
		err = table.Error()
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		p.Log.ErrorContext(r.Context(), "report broken off", "report", name, "error", err)
		panic(http.ErrAbortHandler)
	}
}

// reportCell writes times as the desk's clock shows them.
func (s speech) reportCell(cell string) string {
	if at, err := time.Parse(time.RFC3339, cell); err == nil {
		return at.In(s.zone).Format(time.DateTime)
	}
	return cell
}

// harmless keeps a cell from being a formula in a spreadsheet. Numbers stay what
// they are.
func harmless(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return cell
	}
	if strings.Trim(cell[1:], "0123456789.") == "" && cell[0] == '-' && len(cell) > 1 {
		return cell
	}
	return "'" + cell
}
