package shops

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// ActionRequest is what a shop's system says for its customer.
type ActionRequest struct {
	Action string `json:"action" minLength:"1" maxLength:"40" doc:"One of the case's actions" example:"choose_refund"`
	Reason string `json:"reason,omitempty" maxLength:"2000" doc:"Where the action needs one; seen by clerks and in the timeline"`
	Amount *Money `json:"amount,omitempty" doc:"Where the action needs one, such as counter_offer"`
	// Consent is omitted where it is false: what asks for none is said as before.
	Consent bool `json:"consent,omitempty" doc:"That the customer has read the action's consent and agrees; needed where it has one"`
}

type actionInput struct {
	Case    string `path:"case" maxLength:"200"`
	IfMatch string `header:"If-Match" doc:"The ETag of the case as you saw it; needed" example:"\"4\""`
	Key     string `header:"Idempotency-Key" doc:"New for every new wish, and the same when it is repeated; needed. 1 to 200 printable ASCII characters; remembered for at least 24 hours" example:"decide-AC-90001-1"`
	Body    ActionRequest
}

// versioned is an answer with the version of what is in it.
type versioned[T any] struct {
	ETag string `header:"ETag" doc:"Its version, for If-Match" example:"\"4\""`
	Body T
}

func (d *Door) describeActions(with scopedTo) {
	_, decide := with(CasesDecide)
	op := operation(huma.Operation{
		OperationID: "shop-act", Method: http.MethodPost, Path: "/v1/shop/cases/{case}/actions",
		Summary: "Act for the customer",
		Description: "Decides, reconsiders, or answers an offer or a refusal, as if the customer had done so on the order page. " +
			"What can be done now is in the case's `actions`: " + strings.Join(customerKinds(), ", ") + ". " +
			"The answer is the case after it. Repeated with the same key and body, it happens once and is answered as the first time.",
	}, CasesDecide)
	openapi.Register(decide, op, refusals(wire.NotFound, wire.PreconditionRequired, wire.CaseChanged, wire.ActionRefused,
		wire.RequestRunning, wire.IdempotencyKeyNeeded, wire.IdempotencyKeyReused, wire.StorageFull, wire.TooLarge), d.act)
}

// customerKinds lists what customers can ever do.
func customerKinds() []string {
	var kinds []string
	for _, t := range refund.Transitions() {
		if slices.Contains(t.By, refund.ByCustomer) {
			kinds = append(kinds, string(t.On))
		}
	}
	return kinds
}

func (d *Door) act(ctx context.Context, in *actionInput) (*caseAnswer, error) {
	if err := known(in.Case); err != nil {
		return nil, err
	}
	event, err := in.Body.event(d.Now())
	if err != nil {
		return nil, err
	}
	version, err := versionOf(in.IfMatch)
	if err != nil {
		return nil, err
	}
	if !validKey(in.Key) {
		return nil, problemOf(wire.IdempotencyKeyNeeded, "")
	}
	return once(ctx, d, in.Key, fingerprint("act", in.Case, in.Body), func() (*caseAnswer, error) {
		if err := d.agreed(ctx, in.Case, event); err != nil {
			return nil, err
		}
		_, err := d.Centre.ActForShop(ctx, caller(ctx), qc.CaseID(in.Case), version, event, in.Key)
		if err != nil {
			return nil, d.conflict(ctx, in.Case, err)
		}
		return d.readCase(ctx, in.Case)
	})
}

// agreed refuses what a customer must agree to, and has not.
func (d *Door) agreed(ctx context.Context, id string, e refund.Event) error {
	if e.Consent || !slices.Contains([]refund.Kind{refund.ChoseRefund, refund.ChoseExchange, refund.Abandoned}, e.Kind) {
		return nil // a case needs to be looked at for these only
	}
	c, _, err := d.Centre.ShopCase(ctx, caller(ctx), qc.CaseID(id))
	if err != nil {
		return d.problem(err)
	}
	if d.consent(c, e.Kind) != nil {
		return d.problem(refund.ErrConsent)
	}
	return nil
}

// event reads what is wished for.
func (a ActionRequest) event(at time.Time) (refund.Event, error) {
	e := refund.Event{Kind: refund.Kind(a.Action), Reason: a.Reason, Consent: a.Consent, At: at}
	if !slices.Contains(customerKinds(), a.Action) {
		return e, problemOf(wire.Malformed, "no such action; there are "+strings.Join(customerKinds(), ", "))
	}
	if !utf8.ValidString(a.Reason) || strings.ContainsRune(a.Reason, 0) {
		return e, problemOf(wire.Malformed, "reason has a zero character")
	}
	if a.Amount != nil {
		amount, err := money.New(a.Amount.Minor, money.Currency(a.Amount.Currency))
		if err != nil {
			return e, problemOf(wire.Malformed, "amount is in CNY")
		}
		e.Amount = amount
	}
	return e, nil
}

// versionOf reads If-Match, which names one version. A star is none: it would
// act on whatever there is, unseen.
func versionOf(text string) (int, error) {
	if text == "" {
		return 0, problemOf(wire.PreconditionRequired, "")
	}
	inner, err := strconv.Unquote(text)
	version, bad := strconv.Atoi(inner)
	if err != nil || bad != nil || version < 1 || text != etag(version) {
		return 0, problemOf(wire.Malformed, `If-Match is the case's ETag as it stands, such as "4" with its quotation marks`)
	}
	return version, nil
}

// conflict tells of the case as it is when somebody else was first.
func (d *Door) conflict(ctx context.Context, id string, err error) error {
	if _, changed := errors.AsType[*Conflict](err); !changed {
		return d.problem(err)
	}
	now, err := d.readCase(ctx, id)
	if err != nil {
		return err
	}
	p := problemOf(wire.CaseChanged, "")
	p.Case, p.ETag = &now.Body, now.ETag
	return p
}

func validKey(key string) bool {
	return key != "" && len(key) <= 200 && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
}

// fingerprint tells requests apart by what they want, not by what their sender
// saw before: after a conflict the same wish may come with another version.
func fingerprint(wish ...any) string {
	text, err := json.Marshal(wish)
	if err != nil {
		return "" // never: these are texts and numbers
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// once carries a request out and keeps its answer, or gives the answer that it
// had before. What had no effect because of when it came, as a conflict or a
// failure of ours, is not kept: it may be tried again.
func once[T any](ctx context.Context, d *Door, key, print string, do func() (*versioned[T], error)) (*versioned[T], error) {
	k := caller(ctx)
	before, err := d.Centre.BeginShopRequest(ctx, k, key, print, d.Now())
	if err != nil {
		return nil, d.problem(err)
	}
	if before.Status != 0 {
		return recall[T](before)
	}
	answer, failed := do()
	kept := keep(answer, failed)
	// The effect is durable: its answer must be kept even when nobody waits for it.
	if err := d.Centre.EndShopRequest(context.WithoutCancel(ctx), k, key, kept, d.Now()); err != nil {
		d.Log.ErrorContext(ctx, "answer to a shop's request could not be kept", "key", k.ID, "error", err)
	}
	return answer, failed
}

// keep returns what of an outcome is to be said again.
func keep[T any](answer *versioned[T], failed error) Answer {
	if failed != nil {
		p, ok := errors.AsType[*Refusal](failed)
		if !ok || p.Status >= http.StatusInternalServerError || p.Type != wire.ActionRefused {
			return Answer{}
		}
		body, err := json.Marshal(p)
		if err != nil {
			return Answer{}
		}
		return Answer{Status: p.Status, Body: string(body)}
	}
	body, err := json.Marshal(answer.Body)
	if err != nil {
		return Answer{}
	}
	return Answer{Status: http.StatusOK, Headers: answer.ETag, Body: string(body)}
}

// recall says again what was said before.
func recall[T any](before Answer) (*versioned[T], error) {
	if before.Status >= http.StatusBadRequest {
		p := new(Refusal)
		if err := json.Unmarshal([]byte(before.Body), p); err != nil {
			return nil, fmt.Errorf("read kept answer: %w", err)
		}
		return nil, p
	}
	answer := &versioned[T]{ETag: before.Headers}
	if err := json.Unmarshal([]byte(before.Body), &answer.Body); err != nil {
		return nil, fmt.Errorf("read kept answer: %w", err)
	}
	return answer, nil
}

func codeOf(why string) string { return strings.TrimPrefix(why, "error.") }
