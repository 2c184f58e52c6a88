// Package notify tells customers by mail and in their browsers, and shops' programs
// by webhooks, what became of their cases.
//
// What is to be told lies in the centre's outbox, written there by the step of
// the case itself. A [Sender] takes it from there, sends it and says what became
// of it. Its promises:
//
//   - At least once: a crash between sending and noting it sends again, under
//     the same name (a mail's Message-ID, a webhook's webhook-id).
//   - A mail points to the order's page, which is the truth: it carries a link
//     with a new secret, which is neither stored nor logged, and no photo.
//   - What fails is tried again with growing patience, then parked with the key
//     of a sentence about why; one that fails holds up nobody else.
//   - A webhook reaches no address inside the centre's own network unless it is
//     meant to: that is decided on the address that is dialled.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"

	"golang.org/x/sync/errgroup"
)

// Outbox holds what is to be told. Its methods are those of the centre's store.
type Outbox interface {
	ClaimNotices(ctx context.Context, medium refund.Medium, lease time.Duration, at time.Time) (refund.Consignment, error)
	SettleNotices(ctx context.Context, notices []refund.Notice, until time.Time, o refund.Outcome, at time.Time) error
	DisableWebhook(ctx context.Context, id string, at time.Time) error
	DropSubscription(ctx context.Context, id string, at time.Time) error
}

// Subject is what a mail about a case is written from, as it is now.
type Subject struct {
	Case     refund.Case
	Item     qc.Item
	Customer qc.Customer
	// Found names the flaws that the customer may know of, the gravest first.
	Found []qc.Bilingual
}

// Words are the texts of one language; see [Speech].
type Words interface {
	Text(key string, pairs ...string) string
}

// Config is what a [Sender] works with.
type Config struct {
	Outbox Outbox
	// Subject reads the case of a notice, or only the order where it is of none.
	Subject func(context.Context, refund.Snapshot) (Subject, error)
	// Link returns an address of the order's page with a new secret.
	Link func(context.Context, qc.OrderID) (string, error)
	// Stop returns an address with a new secret, at which a customer ends mails of
	// progress with one POST.
	Stop func(context.Context, qc.CustomerID) (string, error)
	// Words returns the texts of a language, "en" or "zh".
	Words func(language string) Words
	// Mail is the way to the mail server; nil: mails wait.
	Mail *Mailer
	// Hooks is the way to shops' programs.
	Hooks *Poster
	// Push is the way to customers' browsers; nil: what is for them waits. Page
	// returns an order's address, without any secret.
	Push *Pusher
	Page func(qc.OrderID) string
	// KeepTrying is for how long a mail is tried that fails by no fault of its
	// own, such as while the mail server is away.
	KeepTrying time.Duration
	Now        func() time.Time
	Log        *slog.Logger
	// Wake ticks when something may have come into the outbox; nil: it is
	// looked into every pollEvery only.
	Wake <-chan struct{}
}

// Sender sends what the outbox holds.
type Sender struct{ Config }

// New returns a sender; [Sender.Run] does its work.
func New(c Config) *Sender { return &Sender{Config: c} }

const (
	// pollEvery is how often is looked for what fell due by itself.
	pollEvery = 5 * time.Second
	// lease is longer than any attempt takes.
	lease = 3 * time.Minute
	// posters is how many webhooks are called at once. The outbox gives each shop
	// two of them at most, so that slow ones keep nobody else waiting.
	posters = 8
	// poison is after how many attempts a notice is parked that nobody ever
	// came back from.
	poison = 30
	// stale is how old news may be; what asks something is as new as its case.
	stale = 14 * 24 * time.Hour
)

// Run sends until ctx ends. It returns nil then, and nothing it started goes on.
func (s *Sender) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	var wakes []chan struct{}
	worker := func(medium refund.Medium) {
		wake := make(chan struct{}, 1)
		wakes = append(wakes, wake)
		group.Go(func() error { return s.work(ctx, medium, wake) })
	}
	if s.Mail != nil {
		worker(refund.ByMail)
	}
	if s.Push != nil {
		worker(refund.ByPush)
	}
	for range posters {
		worker(refund.ByHook)
	}
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-s.Wake:
				for _, wake := range wakes {
					select {
					case wake <- struct{}{}:
					default:
					}
				}
			}
		}
	})
	return group.Wait()
}

func (s *Sender) work(ctx context.Context, medium refund.Medium, wake <-chan struct{}) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		if _, err := s.Drain(ctx, medium); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "could not look into the outbox of notices", "medium", medium, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-poll.C:
		}
	}
}

// Drain sends everything that is due by a medium and returns how many
// consignments that were, sent or not.
func (s *Sender) Drain(ctx context.Context, medium refund.Medium) (int, error) {
	for n := 0; ; n++ {
		c, err := s.Outbox.ClaimNotices(ctx, medium, lease, s.Now())
		if errors.Is(err, qc.ErrNotFound) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if err := s.send(ctx, medium, c); err != nil {
			return n, err
		}
	}
}

func (s *Sender) send(ctx context.Context, medium refund.Medium, c refund.Consignment) error {
	attempts := 0
	for _, n := range c.Notices {
		attempts = max(attempts, n.Attempts)
	}
	if attempts > poison {
		return s.settle(ctx, c, c.Notices, refund.Outcome{State: refund.NoticeFailed, Problem: "notice.problem.poison"})
	}
	if medium == refund.ByHook {
		return s.settle(ctx, c, c.Notices, s.post(ctx, c, attempts))
	}
	var current []letter
	for _, n := range c.Notices {
		about, err := s.Subject(ctx, n.Snapshot)
		if err != nil {
			return s.settle(ctx, c, c.Notices, s.again(c, attempts, mailPatience, Trouble{Key: "notice.problem.internal", cause: err}))
		}
		if s.moot(n, about) {
			if err := s.settle(ctx, c, []refund.Notice{n}, refund.Outcome{State: refund.NoticeMoot}); err != nil {
				return err
			}
			continue
		}
		current = append(current, letter{notice: n, about: about})
	}
	if len(current) == 0 {
		return nil
	}
	// What is to be answered comes first.
	slices.SortStableFunc(current, func(a, b letter) int { return b.urgency() - a.urgency() })
	notices := make([]refund.Notice, len(current))
	for i := range current {
		notices[i] = current[i].notice
	}
	var err error
	if medium == refund.ByPush {
		err = s.push(ctx, c, current)
	} else {
		err = s.mail(ctx, c.ID, current)
	}
	if err == nil {
		return s.settle(ctx, c, notices, refund.Outcome{State: refund.NoticeSent})
	}
	trouble := troubleOf(err)
	if trouble.Key == pushGoneKey { // which makes all that waits for it moot
		return s.Outbox.DropSubscription(ctx, c.Push.ID, s.Now())
	}
	return s.settle(ctx, c, notices, s.again(c, attempts, mailPatience, trouble))
}

// moot reports whether n says nothing worth reading any more.
func (s *Sender) moot(n refund.Notice, about Subject) bool {
	if !n.Kind.Asks() {
		return s.Now().Sub(n.CreatedAt) > stale
	}
	moved := about.Case.Status != n.Snapshot.Status
	return moved || n.Snapshot.Status == refund.AwaitingDecision && !about.Case.DecideBy.Equal(n.Snapshot.DecideBy)
}

func (s *Sender) settle(ctx context.Context, c refund.Consignment, notices []refund.Notice, o refund.Outcome) error {
	if o.Problem != "" && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "could not send a notice", "consignment", c.ID, "problem", o.Problem, "code", o.Code, "then", o.State)
	}
	// What was sent is noted even if the service stops this very moment.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return s.Outbox.SettleNotices(ctx, notices, c.Until, o, s.Now())
}

// Trouble is why something was not sent, as the key of a sentence.
type Trouble struct {
	Key  string
	Code string // what the other side answered, such as "550"
	// Final: trying again would not help.
	Final bool
	// Everybody: it is not the notice's fault, so that it never counts against it.
	Everybody bool
	// Wait is for how long the other side wants to be left alone.
	Wait  time.Duration
	cause error
}

func (t Trouble) Error() string {
	text := t.Key
	if t.Code != "" {
		text += " (" + t.Code + ")"
	}
	if t.cause != nil {
		return fmt.Sprintf("%s: %v", text, t.cause)
	}
	return text
}

func (t Trouble) Unwrap() error { return t.cause }

func troubleOf(err error) Trouble {
	if trouble, ok := errors.AsType[Trouble](err); ok {
		return trouble
	}
	return Trouble{Key: "notice.problem.internal", cause: err}
}

// mailPatience and hookPatience are how long is waited after each attempt that
// failed; after the last one the notice is parked.
var (
	mailPatience = patience{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour}
	hookPatience = patience{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
	}
)

type patience []time.Duration

// again decides when a consignment is tried once more, if ever.
func (s *Sender) again(c refund.Consignment, attempts int, p patience, t Trouble) refund.Outcome {
	o := refund.Outcome{State: refund.NoticeFailed, Problem: t.Key, Code: t.Code}
	if t.Final {
		return o
	}
	if attempts > len(p) {
		if !t.Everybody || s.Now().Sub(c.Notices[0].CreatedAt) > s.KeepTrying {
			return o
		}
		attempts = len(p)
	}
	wait := p[max(attempts, 1)-1]
	if t.Everybody {
		wait = min(wait, 30*time.Minute)
	}
	o.State, o.Again = refund.NoticeWaiting, s.Now().Add(max(wait, t.Wait))
	return o
}
