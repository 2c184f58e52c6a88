package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Limits of a file of payments. What is larger goes by the command, or in parts.
const (
	maxPaymentFile = 2 << 20
	mostPayments   = 2000
	maxBookForm    = 512 << 10
)

// What keeps a file from being taken, by the key of its sentence.
var (
	errNoFile    = errors.New("web.refunds.no_file")
	errTwoFiles  = errors.New("web.refunds.two_files")
	errFileLarge = errors.New("web.refunds.large")
	errFileMany  = errors.New("web.refunds.many")
)

// refundsView lets somebody send a file.
type refundsView struct {
	frame
	MayBook bool
	Waiting []waitingRow // how many cases wait for money
	Problem string
}

type waitingRow struct{ Href, Words string }

// mayBook reports whether the session may book money of sellers.
func (s session) mayBook() bool {
	party := s.actorFor(refund.SellerPaid).Party
	return slices.ContainsFunc(refund.Transitions(), func(row refund.Transition) bool {
		return row.On == refund.SellerPaid && slices.Contains(row.By, party)
	})
}

func refundsPath(run string) string { return "/desk/refunds/" + run }

func (p *Pages) deskRefunds(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	p.showRefunds(w, r, who, http.StatusOK, func(speech) string { return "" })
}

func (p *Pages) showRefunds(w http.ResponseWriter, r *http.Request, who session, status int, problem func(speech) string) {
	counts, err := p.Store.WorkCounts(r.Context(), who.ID, p.Now())
	if err != nil {
		p.failed(w, r, "refunds", err)
		return
	}
	s := p.deskSpeech(r)
	page := refundsView{
		frame: p.deskFrame(r, s, who, "refunds", s.T("web.refunds.title")), MayBook: who.mayBook(), Problem: problem(s),
	}
	for _, waits := range []refund.Status{refund.SellerRefunding, refund.RefundShort} {
		if n := counts.Statuses[waits]; n > 0 {
			page.Waiting = append(page.Waiting, waitingRow{
				"/desk?status=" + string(waits), s.T("status.desk."+string(waits)) + ": " + s.Count("web.sellers.cases", n),
			})
		}
	}
	p.render(w, r, status, "refunds", page)
}

// deskRefundsRead takes a file in and keeps what it tells, for its sender to
// look at before anything is booked.
func (p *Pages) deskRefundsRead(w http.ResponseWriter, r *http.Request, who session) {
	if !who.mayBook() {
		p.sorry(w, r, http.StatusForbidden, "error.not_allowed")
		return
	}
	data, err := paymentFile(w, r)
	if errors.Is(err, errForm) {
		p.sorry(w, r, http.StatusBadRequest, "web.form_broken")
		return
	}
	var payments []Payment
	if err == nil {
		payments, err = p.Store.ReadRefunds(data)
	}
	if err == nil && len(payments) > mostPayments {
		err = errFileMany
	}
	if err != nil {
		p.showRefunds(w, r, who, http.StatusBadRequest, func(s speech) string { return s.brokenFile(err) })
		return
	}
	asked, err := json.Marshal(payments)
	run := Run{ID: p.runID(r, who, string(qc.DigestOf(data))), Kind: "refunds", Staff: who.ID, At: p.Now(), Request: string(asked)}
	if err == nil {
		err = p.Store.KeepRun(r.Context(), run)
	}
	if err != nil {
		p.failed(w, r, "refunds", err)
		return
	}
	http.Redirect(w, r, refundsPath(run.ID), http.StatusSeeOther)
}

// brokenFile says what is wrong with a file, where, and what to do.
func (s speech) brokenFile(err error) string {
	broken, ok := errors.AsType[*BrokenFile](err)
	if !ok {
		return s.T(err.Error())
	}
	return s.T("error.refund_file."+broken.Problem, "line", strconv.Itoa(broken.Line),
		"column", s.T("refund_column."+broken.Column), "names", s.Quoted(broken.Names), "like", s.Quoted(broken.Like))
}

// paymentFile reads the one file of a form.
func paymentFile(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	line := http.NewResponseController(w)
	_ = line.SetReadDeadline(time.Now().Add(receiveTime)) // the socket's time; not every reader has deadlines
	r.Body = http.MaxBytesReader(w, r.Body, 8*maxPaymentFile)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, errors.Join(errForm, err)
	}
	var data []byte
	problem := errNoFile
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			_ = line.SetReadDeadline(time.Time{})
			return data, problem
		}
		if err != nil || n == maxParts {
			return nil, errors.Join(errForm, err)
		}
		if part.FormName() != "file" || len(data) > maxPaymentFile {
			continue // what is too much is read past, so that the answer arrives
		}
		if len(data) > 0 {
			problem = errTwoFiles
			continue
		}
		if data, err = io.ReadAll(io.LimitReader(part, maxPaymentFile+1)); err != nil {
			return nil, errors.Join(errForm, err)
		}
		switch {
		case len(data) > maxPaymentFile:
			problem = errFileLarge
		case len(data) > 0:
			problem = nil
		}
	}
}

// refundsRunView shows the payments of a file: what will be booked, or what was.
type refundsRunView struct {
	frame
	Done     bool
	MayBook  bool
	Action   string
	Notice   string
	Sums     []string // how many payments of each kind there are
	Rows     []paymentRow
	Bookable bool // at least one can be
}

// paymentRow is one payment.
type paymentRow struct {
	speech
	Line             int
	Ref, Amount      string
	Date             string
	Href, Case       string // empty: no case
	State            MatchState
	Tone, Words, Why string
	Book             string // what the form says to have it booked
	Booked           bool   // by this run
}

// booked is what became of a payment; Now: by this run, not before it.
type booked struct {
	Match PaymentMatch
	Now   bool
}

// refundsRun returns the run of the request's address. When it returns false,
// the request is answered already.
func (p *Pages) refundsRun(w http.ResponseWriter, r *http.Request, who session) (Run, bool) {
	run, err := p.Store.Run(r.Context(), r.PathValue("run"), who.ID)
	switch {
	case errors.Is(err, qc.ErrNotFound), err == nil && run.Kind != "refunds":
		p.nothingHere(w, r)
		return run, false
	case err != nil:
		p.failed(w, r, "refunds", err)
		return run, false
	}
	return run, true
}

// matched returns the payments of a run with the cases they are of now.
func (p *Pages) matched(r *http.Request, run Run) ([]PaymentMatch, error) {
	var payments []Payment
	if err := json.Unmarshal([]byte(run.Request), &payments); err != nil {
		return nil, err
	}
	return p.Store.MatchRefunds(r.Context(), payments)
}

func (p *Pages) deskRefundsRun(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	run, ok := p.refundsRun(w, r, who)
	if !ok {
		return
	}
	s := p.deskSpeech(r)
	page := refundsRunView{
		frame: p.deskFrame(r, s, who, "refunds", s.T("web.refunds.title")), Done: run.Result != "", MayBook: who.mayBook(),
		Action: refundsPath(run.ID), Notice: s.notice(r),
	}
	var list []booked
	var err error
	if page.Done {
		err = json.Unmarshal([]byte(run.Result), &list)
	} else {
		var matches []PaymentMatch
		matches, err = p.matched(r, run)
		for _, m := range matches {
			list = append(list, booked{Match: m})
		}
	}
	if err == nil {
		err = page.fill(s, list)
	}
	if err != nil {
		p.failed(w, r, "refunds", err)
		return
	}
	p.render(w, r, http.StatusOK, "refunds_run", page)
}

// fill sorts the payments: first what somebody has to look at, or what was
// booked, last what was booked before.
func (v *refundsRunView) fill(s speech, list []booked) error {
	var counts [4]int
	sum := money.Fen(0)
	var groups [4][]paymentRow
	for _, b := range list {
		group := b.group()
		counts[group]++
		groups[group] = append(groups[group], s.paymentRow(b, v.Done))
		if group == toBook {
			var err error
			if sum, err = sum.Add(b.Match.Payment.Amount); err != nil {
				return err
			}
		}
	}
	v.Bookable = !v.Done && counts[toLookAt]+counts[toBook] > 0
	keys := [4]string{"web.refunds.n_likely", "web.refunds.n_sure", "web.refunds.n_left", "web.refunds.n_before"}
	if v.Done {
		keys[toLookAt], keys[toBook] = "web.refunds.n_unticked", "web.refunds.n_booked"
	}
	order := []int{toLookAt, toBook, leftOut, bookedBefore}
	if v.Done {
		order = []int{toBook, toLookAt, leftOut, bookedBefore}
	}
	for _, group := range order {
		v.Rows = append(v.Rows, groups[group]...)
		if n := counts[group]; n > 0 || group == toBook {
			v.Sums = append(v.Sums, s.Count(keys[group], n, "sum", sum.String()))
		}
	}
	return nil
}

// The kinds of payments.
const (
	toLookAt = iota
	toBook
	leftOut
	bookedBefore
)

func (b booked) group() int {
	switch {
	case b.Now, b.Match.State == MatchSure:
		return toBook
	case b.Match.State == MatchLikely:
		return toLookAt
	case b.Match.State == MatchDone:
		return bookedBefore
	}
	return leftOut
}

func (s speech) paymentRow(b booked, done bool) paymentRow {
	m := b.Match
	row := paymentRow{
		speech: s, Line: m.Payment.Line, Ref: m.Payment.Ref, State: m.State, Tone: "over", Words: s.T("match." + string(m.State)), Booked: b.Now,
	}
	if !m.Payment.Amount.IsZero() {
		row.Amount = m.Payment.Amount.String()
	}
	if !m.Payment.Date.IsZero() {
		row.Date = s.day(m.Payment.Date)
	}
	if m.Case != "" {
		row.Href, row.Case = casePath(m.Case), cmp.Or(string(m.Item), string(m.Case))
	}
	switch b.group() {
	case toLookAt:
		row.Tone, row.Book = "now", bookValue(m)
	case toBook:
		row.Tone, row.Book = "good", bookValue(m)
	}
	row.Why = s.paymentWhy(b, done)
	return row
}

// paymentWhy says why a payment is what it is, and what to do.
func (s speech) paymentWhy(b booked, done bool) string {
	m := b.Match
	switch {
	case b.group() == toBook && m.Short:
		return s.T("web.refunds.why.short", "waits", m.Waits.String())
	case b.group() == toBook:
		return ""
	case m.State == MatchLikely && done:
		return s.T("web.refunds.why.unticked")
	case m.Problem != "":
		return s.T(m.Problem)
	case m.State == MatchBroken:
		return s.paymentFault(m.Payment)
	}
	return s.T("web.refunds.why."+string(m.State), "waits", m.Waits.String())
}

// paymentFault says what a payment is broken by, in the file's own words, and
// what to do.
func (s speech) paymentFault(p Payment) string {
	said := s.T("refund_fault."+p.Fault, "column", p.Heading, "said", p.Said)
	switch p.Fault {
	case "rounded":
		return s.T("web.refunds.why.rounded", "fault", said)
	case "": // of a file that was read before faults were told
		said = s.T("refund_fault.empty", "column", s.T("refund_column."+p.Broken))
	}
	return s.T("web.refunds.why.broken", "fault", said)
}

// bookValue is how a form says that a payment is the money of a case: of that
// one, whatever it might be matched with later.
func bookValue(m PaymentMatch) string { return strconv.Itoa(m.Payment.Line) + " " + string(m.Case) }

// deskRefundsBook books what somebody has seen to be sure or said to be right.
// Each payment is booked by its own number, so that neither a second click nor
// the same file again books anything twice.
func (p *Pages) deskRefundsBook(w http.ResponseWriter, r *http.Request, who session) {
	if !who.mayBook() {
		p.sorry(w, r, http.StatusForbidden, "error.not_allowed")
		return
	}
	form, ok := p.formOf(w, r, maxBookForm)
	if !ok {
		return
	}
	run, ok := p.refundsRun(w, r, who)
	if !ok {
		return
	}
	switch {
	case run.Result != "":
		back(w, r, refundsPath(run.ID), "web.refunds.again")
		return
	case len(form["book"]) == 0:
		back(w, r, refundsPath(run.ID), "web.refunds.none_ticked")
		return
	}
	matches, err := p.matched(r, run)
	if err != nil {
		p.failed(w, r, "refunds", err)
		return
	}
	confirm(matches, form["book"])
	after, err := p.Store.BookRefunds(r.Context(), matches, who.actorFor(refund.SellerPaid), p.Now())
	if err != nil {
		p.failed(w, r, "refunds", err) // what was booked is booked; sent again, it goes on from there
		return
	}
	results := make([]booked, len(after))
	for i, m := range after {
		results[i] = booked{Match: m, Now: m.State == MatchDone && matches[i].State == MatchSure}
	}
	if err := p.keepRun(r, run, results); err != nil {
		p.failed(w, r, "refunds", err)
		return
	}
	http.Redirect(w, r, refundsPath(run.ID), http.StatusSeeOther)
}

// confirm makes sure what a person has confirmed. What has become sure only
// after the person looked waits for another look.
func confirm(matches []PaymentMatch, confirmed []string) {
	said := make(map[string]bool, len(confirmed))
	for _, value := range confirmed {
		said[value] = true
	}
	for i := range matches {
		m := &matches[i]
		switch {
		case (m.State == MatchSure || m.State == MatchLikely) && said[bookValue(*m)]:
			m.State = MatchSure
		case m.State == MatchSure:
			m.State, m.Problem = MatchBroken, "web.refunds.why.changed"
		}
	}
}
