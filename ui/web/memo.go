package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"flawmark/app/refund"
)

// memoView is a credit memo on a page of its own, which prints.
type memoView struct {
	frame
	Heading string
	At      moment
	Facts   []factView
	Lines   []memoLine
	Net     string
	PDF     string // address of the file
	Back    string
}

// memoLine is what a memo gives for one thing, or takes off.
type memoLine struct{ What, By, Why, Amount string }

// memoNumber reads the number in a request's address; 0: there is none.
func memoNumber(r *http.Request) refund.MemoNumber {
	n, err := strconv.ParseInt(r.PathValue("number"), 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != r.PathValue("number") {
		return 0
	}
	return refund.MemoNumber(n)
}

// memoPath is the address of a memo below an order's page or the desk.
func memoPath(below string, n refund.MemoNumber) string {
	return below + "/memos/" + strconv.FormatInt(int64(n), 10)
}

// memoFacts are the labelled values above a memo's lines. To its customer a
// memo says what the order's page says; the desk gets its own numbers, too.
func (s speech) memoFacts(m refund.Memo, inside bool) []factView {
	facts := []factView{
		{s.T("word.order"), string(m.Order)},
		{s.T("word.item"), m.Title.In(s.Language()) + " × " + strconv.Itoa(m.Quantity)},
		{s.T("role.customer"), m.Name},
		{s.T("memo.about"), s.T("memo.event." + memoEvent(m))},
	}
	if m.Ref != "" {
		facts = append(facts, factView{s.T("memo.ref"), m.Ref})
	}
	facts = append(facts, factView{s.T("word.case"), string(m.Case)}, factView{s.T("memo.policy"), strconv.Itoa(m.Policy)})
	if inside {
		facts = append(facts, factView{s.T("role.seller"), m.Seller}, factView{s.T("memo.customer_id"), string(m.Customer)})
	}
	return facts
}

// memoEvent says whose money a memo brings, as a word of the key.
func memoEvent(m refund.Memo) string {
	switch {
	case m.Ref != "":
		return "seller"
	case m.Event == refund.Goodwill:
		return "goodwill"
	}
	return "ours"
}

func (s speech) memoLines(m refund.Memo) []memoLine {
	lines := make([]memoLine, len(m.Lines))
	for i, line := range m.Lines {
		key := "memo.line." + line.What
		if strings.HasPrefix(line.What, "fee.") {
			key = line.What
		}
		lines[i] = memoLine{What: s.T(key), By: s.T("memo.by." + string(line.By)), Amount: line.Amount.String()}
		if line.Why != "" {
			lines[i].Why = s.T("memo.why." + string(line.Why))
		}
	}
	return lines
}

// showMemo answers with a memo as a page, or as a file where the address asks
// for that.
func (p *Pages) showMemo(w http.ResponseWriter, r *http.Request, s speech, m refund.Memo, below, back string, who *session) {
	if strings.HasSuffix(r.URL.Path, ".pdf") {
		p.memoFile(w, r, s, m, who != nil)
		return
	}
	page := memoView{
		frame:   p.frame(r, s, "memo", s.T("memo.title", "number", m.Number.String())),
		Heading: s.T("memo.title", "number", m.Number.String()), At: s.memoDate(m), Facts: s.memoFacts(m, who != nil),
		Lines: s.memoLines(m), Net: m.Net.String(), Back: back,
		PDF: memoPath(below, m.Number) + "/" + m.Number.String() + ".pdf",
	}
	page.Staff = who
	p.render(w, r, http.StatusOK, "memo", page)
}

func (p *Pages) memoFile(w http.ResponseWriter, r *http.Request, s speech, m refund.Memo, inside bool) {
	if r.PathValue("file") != m.Number.String()+".pdf" {
		p.nothingHere(w, r)
		return
	}
	file, err := s.memoPDF(m, inside)
	if err != nil {
		p.failed(w, r, "memo", err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="`+m.Number.String()+`.pdf"`)
	h.Set("Content-Length", strconv.Itoa(len(file)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(file) // the reader has left if this fails
}

// memosOf lists where a case's memos are at the desk.
func memosOf(memos []refund.Memo) []ticketRef {
	links := make([]ticketRef, len(memos))
	for i, m := range memos {
		links[i] = ticketRef{Href: memoPath("/desk", m.Number), Words: m.Number.String()}
	}
	return links
}

// memoDate is when a memo was written, with its year: it is kept for long.
func (s speech) memoDate(m refund.Memo) moment {
	return moment{ISO: m.At.UTC().Format(time.RFC3339), Text: m.At.In(s.zone).Format("2006-01-02 15:04") + " (" + s.Zone() + ")"}
}
