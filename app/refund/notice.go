package refund

import (
	"fmt"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// NoticeKind names what a customer, or a shop's program, is told of. Its words
// are under the key "notice.kind." plus it.
type NoticeKind string

// The kinds of notices.
const (
	TellProblem    NoticeKind = "qc_problem"        // a flaw, with its photos; the customer chooses
	TellPhotos     NoticeKind = "photos_ready"      // what was asked for more photos stands to be chosen again
	TellReminder   NoticeKind = "decision_reminder" // the time to choose is nearly over
	TellOffer      NoticeKind = "seller_offer"
	TellRefused    NoticeKind = "seller_refused"
	TellSentBack   NoticeKind = "return_dispatched" // with its waybill
	TellReturn     NoticeKind = "return_problem"
	TellRefunding  NoticeKind = "seller_refunding"
	TellCredited   NoticeKind = "credited"
	TellExchanged  NoticeKind = "exchanged"
	TellAutoKept   NoticeKind = "auto_kept"       // kept by the clock
	TellCorrection NoticeKind = "correction"      // what was said before does not hold any more
	TellAnswer     NoticeKind = "ticket_answered" // the desk has written in a ticket
	TellInstructed NoticeKind = "instructed"      // done by the customer's standing instructions, and by which
	TellChanged    NoticeKind = "changed"         // any other step; told to programs only
	TellTest       NoticeKind = "test"            // that a shop's program can be reached
)

// NoticeKinds lists the kinds that customers are told of.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{
		TellProblem, TellPhotos, TellReminder, TellOffer, TellRefused, TellSentBack, TellReturn,
		TellRefunding, TellCredited, TellExchanged, TellAutoKept, TellCorrection, TellInstructed, TellAnswer,
	}
}

// Event returns what programs know the kind by.
func (k NoticeKind) Event() string {
	if k == TellAnswer {
		return "ticket.answered"
	}
	return "case." + string(k)
}

// Asks reports whether the customer is asked for something, so that the notice
// does not wait for the morning, and means nothing once the case has moved on.
func (k NoticeKind) Asks() bool {
	switch k {
	case TellProblem, TellPhotos, TellReminder, TellOffer, TellRefused:
		return true
	default:
		return false
	}
}

// Progress reports whether the notice only tells how a case gets on: it asks for
// nothing, and nothing is decided or paid by it, so that a customer may do
// without its mail.
func (k NoticeKind) Progress() bool { return k == TellSentBack || k == TellRefunding }

// Asks returns as what kind of notice a case tells its customer what they are to
// answer now; empty: nothing.
func (c Case) Asks() NoticeKind {
	switch c.Status {
	case AwaitingDecision:
		return TellProblem
	case OfferPending:
		return TellOffer
	case SellerRefused:
		return TellRefused
	default:
		return ""
	}
}

// Told returns what is told when a case that was in before became after by on;
// both are empty where the case was opened. It is [TellChanged] for a step that
// only programs are told of, and empty while the customer knows nothing of the
// case.
func Told(before Status, after Case, on Kind) NoticeKind {
	if after.Status == Withdrawn && before != Flagged && before != "" {
		return TellCorrection
	}
	if !after.Status.Visible() {
		return ""
	}
	if before == "" && after.Sort == Correction {
		return TellCorrection
	}
	if last(after).Actor.Party == ByInstruction {
		return TellInstructed
	}
	switch on {
	case Offered:
		return TellOffer
	case Dispatched:
		return TellSentBack
	case ReturnCameBack:
		if before == Returning { // else it is known that there is a problem
			return TellReturn
		}
		return TellChanged
	case SellerPaid, AgentPaid, Goodwill, ClaimGranted:
		return TellCredited
	case Amended:
		return TellProblem
	case Reconsidered, SplitOff: // the customer's own word
		return TellChanged
	}
	if after.Status == Corrected {
		return TellCorrection
	}
	if after.Status == before {
		return TellChanged
	}
	switch after.Status {
	case AwaitingDecision:
		if before == PhotosRequested {
			return TellPhotos
		}
		return TellProblem
	case SellerRefused:
		return TellRefused
	case ReturnException:
		return TellReturn
	case SellerRefunding:
		return TellRefunding
	case Credited, CreditedKept:
		return TellCredited
	case Exchanged:
		return TellExchanged
	case Kept:
		if on == NoAnswer || last(after).Actor.Party == BySystem {
			return TellAutoKept
		}
	}
	return TellChanged
}

func last(c Case) Entry {
	if len(c.Timeline) == 0 {
		return Entry{}
	}
	return c.Timeline[len(c.Timeline)-1]
}

// NoticePolicy says when notices go out.
type NoticePolicy struct {
	Reminders    []time.Duration // before the time to choose is over
	QuietFrom    int             // hour of the customer's day from which what asks for nothing waits …
	QuietTo      int             // … until this one; the same: never
	DigestFrom   int             // notices of so many cases …
	DigestWithin time.Duration   // … within so long are one mail
	KeepTrying   time.Duration   // a mail that fails by no fault of its own is tried for so long
}

// DefaultNoticePolicy returns the policy where none is set.
func DefaultNoticePolicy() NoticePolicy {
	return NoticePolicy{
		Reminders: []time.Duration{24 * time.Hour, 6 * time.Hour, time.Hour},
		QuietFrom: 22, QuietTo: 7, DigestFrom: 3, DigestWithin: 10 * time.Minute, KeepTrying: 48 * time.Hour,
	}
}

// Due returns when a notice that arises at the time at goes out to a customer
// who lives in zone: at once, or when the quiet hours are over.
func (p NoticePolicy) Due(kind NoticeKind, at time.Time, zone *time.Location) time.Time {
	if kind.Asks() {
		return at
	}
	return p.awake(at, zone)
}

// awake returns at, or the end of the quiet hours that it falls into.
func (p NoticePolicy) awake(at time.Time, zone *time.Location) time.Time {
	if p.QuietFrom == p.QuietTo {
		return at
	}
	local := at.In(zone)
	hour := local.Hour()
	quiet := hour >= p.QuietFrom && hour < p.QuietTo
	if p.QuietFrom > p.QuietTo {
		quiet = hour >= p.QuietFrom || hour < p.QuietTo
	}
	if !quiet {
		return at
	}
	morning := time.Date(local.Year(), local.Month(), local.Day(), p.QuietTo, 0, 0, 0, zone)
	if !morning.After(at) {
		morning = morning.AddDate(0, 0, 1)
	}
	return morning.UTC()
}

// wakeFor is how much time must be left to choose, after a night's sleep, for a
// reminder to let somebody sleep.
const wakeFor = 6 * time.Hour

// RemindersOf returns when a customer who lives in zone and is asked at the time
// at is reminded of a choice that is open until by, each with how long before
// that is. In the quiet hours one waits for the morning where enough time is
// left then. What would follow the question at once is left out.
func (p NoticePolicy) RemindersOf(by, at time.Time, zone *time.Location) map[time.Duration]time.Time {
	all := make(map[time.Duration]time.Time)
	if by.IsZero() {
		return all
	}
	for _, ahead := range p.Reminders {
		due := by.Add(-ahead)
		if !due.After(at.Add(ahead / 2)) {
			continue
		}
		if morning := p.awake(due, zone); by.Sub(morning) > wakeFor {
			due = morning
		}
		all[ahead] = due
	}
	return all
}

// Snapshot is a case as those outside may see it, at one version; or a ticket,
// which may be of no case, at one of its messages.
type Snapshot struct {
	Case     qc.CaseID     `json:"case"`
	Order    qc.OrderID    `json:"order"`
	Item     qc.ItemID     `json:"item"`
	Customer qc.CustomerID `json:"customer"`
	Status   Status        `json:"status"`
	Intent   Decision      `json:"intent,omitempty"`
	Round    int           `json:"round"`
	// Sequence grows with every step of the case: what comes late and has a
	// smaller one is old.
	Sequence      int          `json:"sequence"`
	ChangedAt     time.Time    `json:"changed_at"`
	DecideBy      time.Time    `json:"decide_by,omitzero"`
	Offer         *Offer       `json:"offer,omitempty"`
	Credited      money.Amount `json:"credited"`
	Memo          MemoNumber   `json:"memo,omitempty"` // of the credit memo, where this step has one
	Carrier       string       `json:"carrier,omitempty"`
	ReturnWaybill qc.Waybill   `json:"return_waybill,omitempty"`
	Ticket        TicketID     `json:"ticket,omitempty"`
	Rule          Rule         `json:"rule,omitempty"` // of the standing instructions that did this step
}

// Snapshot returns what the customer is told of a ticket at its last message.
func (t Ticket) Snapshot() Snapshot {
	return Snapshot{
		Case: t.Case, Order: t.Order, Item: t.Item, Customer: t.Customer, Ticket: t.ID,
		Sequence: len(t.Messages), ChangedAt: t.ChangedAt,
	}
}

// Snapshot returns what those outside see of c.
func (c Case) Snapshot() Snapshot {
	s := Snapshot{
		Case: c.ID, Order: c.Order, Item: c.Item, Customer: c.Customer, Status: c.Status, Intent: c.Intent,
		Round: c.Round, Sequence: c.Version, ChangedAt: c.ChangedAt, Offer: c.Offer, Credited: c.Credited,
		Carrier: c.Carrier, ReturnWaybill: c.ReturnWaybill, Rule: last(c).Rule,
	}
	if c.Status == AwaitingDecision {
		s.DecideBy = c.DecideBy
	}
	return s
}

// Medium is how a notice travels.
type Medium string

// The media.
const (
	ByMail Medium = "mail"
	ByHook Medium = "hook"
	ByPush Medium = "push" // to a browser
)

// NoticeState is how far a notice has come.
type NoticeState string

// The states.
const (
	NoticeWaiting NoticeState = "waiting" // to be sent, or sent again
	NoticeSent    NoticeState = "sent"
	NoticeFailed  NoticeState = "failed" // given up until somebody retries it
	NoticeMoot    NoticeState = "moot"   // overtaken by events
	// NoticeUnwanted is never sent: the customer wants no mails of its kind.
	NoticeUnwanted NoticeState = "unwanted"
)

// Notice is one thing to tell one receiver.
type Notice struct {
	ID       string        `json:"id"` // the same with every attempt
	Kind     NoticeKind    `json:"kind"`
	Medium   Medium        `json:"medium"`
	Hook     string        `json:"hook,omitempty"`  // which, of ByHook and ByPush
	Ahead    time.Duration `json:"ahead,omitempty"` // of a reminder: before the end
	Snapshot Snapshot      `json:"snapshot"`

	State     NoticeState `json:"state"`
	Held      bool        `json:"held,omitempty"` // waits for others to be told together
	CreatedAt time.Time   `json:"created_at"`
	DueAt     time.Time   `json:"due_at"`
	SentAt    time.Time   `json:"sent_at,omitzero"`
	Attempts  int         `json:"attempts"`
	// Problem is the key of the sentence about the last failure, and Code what
	// the other side answered, such as "550".
	Problem string `json:"problem,omitempty"`
	Code    string `json:"code,omitempty"`
}

// DedupeKey names what n is about: there is never a second notice with it.
func (n Notice) DedupeKey() string {
	kind := string(n.Kind)
	if n.Ahead > 0 {
		kind += ":" + n.Ahead.String()
	}
	about := string(n.Snapshot.Case)
	if n.Snapshot.Ticket != "" {
		about = string(n.Snapshot.Ticket)
	}
	return fmt.Sprintf("%s/%s/%d/%d/%s:%s", about, kind, n.Snapshot.Round, n.Snapshot.Sequence, n.Medium, n.Hook)
}

// Consignment is notices that one sender has taken to send together; nobody
// else takes them before Until.
type Consignment struct {
	ID      string // the same with every attempt
	Notices []Notice
	Until   time.Time
	Hook    Webhook      // of ByHook
	Push    Subscription // of ByPush
}

// Outcome is what became of an attempt to send. State NoticeWaiting means that
// it is tried again at Again.
type Outcome struct {
	State   NoticeState
	Again   time.Time
	Problem string
	Code    string
}

// Webhook is where a shop's program listens.
type Webhook struct {
	ID     string `json:"id"`
	URL    string `json:"url"`
	Secret string `json:"-"`               // "whsec_…", that what is sent is signed with
	Local  bool   `json:"local,omitempty"` // it may be in this network, and without TLS

	Shop      string `json:"shop,omitempty"`       // whose cases it is told of; empty: the centre's own
	AllOrders bool   `json:"all_orders,omitempty"` // … or everybody's
	MadeBy    string `json:"made_by,omitempty"`    // the key that made it; empty: the administrator

	CreatedAt  time.Time `json:"created_at"`
	DisabledAt time.Time `json:"disabled_at,omitzero"` // it wanted no more
}
