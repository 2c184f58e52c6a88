package web

import (
	"context"
	"errors"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Desk is what the desk needs of the centre beside the cases themselves. Its
// errors are those of a [Store].
type Desk interface {
	Refunds
	// Worklist returns one page of cases: what runs out first comes first.
	Worklist(ctx context.Context, filter WorkFilter) (Work, error)
	// WorkCounts counts the open cases at a moment, for a person.
	WorkCounts(ctx context.Context, me qc.StaffID, at time.Time) (WorkCounts, error)
	// Assign gives a case to somebody of the desk, or to nobody.
	Assign(ctx context.Context, id qc.CaseID, to, by qc.StaffID, at time.Time) error
	// SellerRecords returns how every seller has dealt with us since then, by name.
	SellerRecords(ctx context.Context, since time.Time) ([]refund.Record, error)
	// The reports tell of a period, row by row; the first row names the columns
	// by the keys of their words. Times are in RFC 3339; what has words of its own,
	// such as a status or a flaw, is told by its code.
	ReportCases(ctx context.Context, from, to time.Time, row func([]string) error) error
	ReportMoney(ctx context.Context, from, to time.Time, row func([]string) error) error
	ReportFlaws(ctx context.Context, from, to time.Time, row func([]string) error) error
	ReportPeople(ctx context.Context, from, to time.Time, row func([]string) error) error
	ReportTimes(ctx context.Context, from, to time.Time, row func([]string) error) error
	// Templates returns the latest version of every text of the desk, retired
	// ones too.
	Templates(ctx context.Context) ([]refund.Template, error)
	// TemplateVersions returns every version of a text, the latest first.
	TemplateVersions(ctx context.Context, id string) ([]refund.Template, error)
	// SaveTemplate keeps a new version of a text; [ErrTemplateMoved] where
	// t.Version is not the one after the latest.
	SaveTemplate(ctx context.Context, t refund.Template) error
	// KeepLetter records what was written about a case; the same id twice once.
	KeepLetter(ctx context.Context, letter refund.Letter) error
	// KeepRun keeps a run, or the result of one that is known and has none.
	KeepRun(ctx context.Context, run Run) error
	// Run returns a person's run; [qc.ErrNotFound], also where it is another's.
	Run(ctx context.Context, id string, of qc.StaffID) (Run, error)
	// Telling returns what became of the notices to a case's customer.
	Telling(ctx context.Context, id qc.CaseID, at time.Time) (Telling, error)
	// Retell sends once more what a case's customer could not be told, and returns
	// how many notices those are; asked for twice, the second time none.
	Retell(ctx context.Context, id qc.CaseID, by qc.StaffID, at time.Time) (int, error)
	// CorrectContact corrects where and in which language the customer of a case is
	// written to, whose [qc.Correction] somebody saw in a version; it fails with
	// [ErrContactMoved] where it is another by now, and with [qc.ErrContact].
	CorrectContact(ctx context.Context, id qc.CaseID, seen int, to qc.Contact, by qc.StaffID, at time.Time) error
	// AllStaff returns everybody who was ever entered.
	AllStaff(ctx context.Context) ([]qc.Staff, error)
}

// ErrTemplateMoved says that somebody else has changed the text meanwhile.
var ErrTemplateMoved = errors.New("text has been changed meanwhile")

// ErrContactMoved says that somebody else, or the shop, has changed a customer's
// address or language meanwhile.
var ErrContactMoved = errors.New("contact has been changed meanwhile")

// WorkFilter narrows the worklist; zero fields leave nothing out.
type WorkFilter struct {
	Open       bool // only cases that have not ended
	Status     refund.Status
	Side       refund.Side // whose turn it is
	Seller     string
	Overdue    bool // what runs out first has run out at At
	At         time.Time
	Assignee   qc.StaffID  // only those this person looks after
	Unassigned bool        // only those nobody looks after
	Untold     bool        // only those whose customer could not be told, at At
	Cases      []qc.CaseID // only these
	Search     refund.Search
	Skip       int
	Limit      int // 0: the store's own
}

// Work is one page of the worklist.
type Work struct {
	Rows  []WorkRow
	Total int // cases that fit the filter
}

// WorkRow is a case with what the worklist says of it.
type WorkRow struct {
	Case     refund.Case
	Item     qc.Item
	Customer qc.Customer
	Assignee qc.StaffID // empty: nobody
	Waiting  int        // messages about the item or the order that nobody has dealt with
	Untold   bool       // the customer could not be told
}

// WorkCounts says how much work there is.
type WorkCounts struct {
	Open       int
	Overdue    int
	Mine       int
	Unassigned int
	Untold     int // whose customer could not be told
	Sides      map[refund.Side]int
	Statuses   map[refund.Status]int
	Sellers    []SellerCount // the most cases first
}

// SellerCount is how many open cases a seller has.
type SellerCount struct {
	Seller string
	N      int
}

// Telling is what is known of whether a case's customer has been told.
type Telling struct {
	Notices []refund.Notice // by mail and to browsers, the newest first
	Untold  bool            // the customer does not know of the last
}

// Run is what somebody at the desk does in one go, such as one step with many
// cases: what was asked for, and what came of it.
type Run struct {
	ID      string
	Kind    string
	Staff   qc.StaffID
	At      time.Time
	Request string // as the desk wrote it
	Result  string // empty: not done
}
