package web

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"flawmark/app/qc"
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
	Typed    [2]string // the days, as somebody gave them
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
	page.Typed = [2]string{page.From, page.To}
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

// report returns the table of a file's name.
func (p *Pages) report(file string) (report, bool) {
	name, isCSV := strings.CutSuffix(file, ".csv")
	all := p.reports()
	i := slices.IndexFunc(all, func(one report) bool { return one.name == name })
	if i < 0 || !isCSV {
		return report{}, false
	}
	return all[i], true
}

// deskReport answers with a table as a file, row by row as it is read. What
// goes wrong halfway breaks the answer off, so that half a table does not look
// whole.
func (p *Pages) deskReport(w http.ResponseWriter, r *http.Request, who session) {
	report, ok := p.report(r.PathValue("file"))
	if !ok {
		p.nothingHere(w, r)
		return
	}
	s := p.deskSpeech(r)
	from, to, ok := s.period(r.URL.Query().Get("from"), r.URL.Query().Get("to"))
	if !ok {
		p.sorry(w, r, http.StatusBadRequest, "web.reports.period_wrong")
		return
	}
	p.Log.InfoContext(r.Context(), "report downloaded", "report", report.name, "staff", who.ID)
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s-%s.csv"`, report.name, r.URL.Query().Get("from"), r.URL.Query().Get("to")))
	h.Set("Cache-Control", "private, no-store")
	table := newReportTable(w, s, p.Catalogue)
	if err := errors.Join(report.write(r.Context(), from, to, table.row), table.flush()); err != nil {
		p.Log.ErrorContext(r.Context(), "report broken off", "report", report.name, "error", err)
		panic(http.ErrAbortHandler)
	}
}

// reportTable writes a report's rows in a reader's words.
type reportTable struct {
	out       *bufio.Writer
	csv       *csv.Writer
	speech    speech
	catalogue qc.Catalogue
	columns   []string // of the first row, which names them
}

func newReportTable(w io.Writer, s speech, catalogue qc.Catalogue) *reportTable {
	t := &reportTable{out: bufio.NewWriter(w), speech: s, catalogue: catalogue}
	t.csv = csv.NewWriter(t.out)
	_, _ = t.out.WriteString("\ufeff") // without it, spreadsheets take Chinese for something else
	return t
}

func (t *reportTable) row(cells []string) error {
	words := make([]string, len(cells))
	if t.columns == nil {
		t.columns = slices.Clone(cells)
		for i, column := range cells {
			words[i] = t.speech.T("web.reports.column." + column)
		}
		return t.csv.Write(words)
	}
	for i, cell := range cells {
		words[i] = harmless(t.cell(t.columns[i], cell))
	}
	return t.csv.Write(words)
}

func (t *reportTable) flush() error {
	t.csv.Flush()
	return errors.Join(t.csv.Error(), t.out.Flush())
}

// cell says a value as the reader does: times as the desk's clock shows them,
// statuses and their like in words.
func (t *reportTable) cell(column, value string) string {
	key := ""
	switch column {
	case "status":
		key = "status.desk." + value
	case "decision", "severity":
		key = column + "." + value
	case "kind":
		key = "web.reports.kind." + value
	case "from_account", "to_account":
		key = "web.reports.account." + value
	case "flaw":
		if kind, ok := t.catalogue.Flaw(qc.FlawCode(value)); ok {
			return kind.Name().In(t.speech.Language())
		}
	}
	if t.speech.Has(key) {
		return t.speech.T(key)
	}
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return at.In(t.speech.zone).Format(time.DateTime)
	}
	return value
}

// harmless keeps a cell from being a formula in a spreadsheet, which some take
// signs in full width for, too. Numbers stay what they are.
func harmless(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if cell == "" || !strings.ContainsAny(qc.HalfWidth(string(first)), "=+-@\t\r\n") {
		return cell
	}
	if first == '-' && len(cell) > 1 && strings.Trim(cell[1:], "0123456789.") == "" {
		return cell
	}
	return "'" + cell
}
