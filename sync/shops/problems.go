package shops

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// Refusal is a problem document with what this door has to say beside it.
type Refusal struct {
	wire.Problem
	Code   string       `json:"code,omitempty" doc:"Of what ends in -refused: the rule, for programs" example:"decision_late"`
	Why    *Text        `json:"why,omitempty" doc:"Of what ends in -refused: the rule in a sentence for people"`
	Faults []OrderFault `json:"faults,omitempty" doc:"Of orders-refused: at most 100 of what is wrong"`
	ETag   string       `json:"etag,omitempty" doc:"Of case-changed and instructions-changed: what to send as If-Match after looking at them" example:"\"4\""`
	Case   *Case        `json:"case,omitempty" doc:"Of case-changed: the case as it is now"`

	Instructions *InstructionsView `json:"instructions,omitempty" doc:"Of instructions-changed: what they are now"`
}

// OrderFault says what is wrong with an order or an item.
type OrderFault struct {
	Order  string `json:"order" doc:"The order's id, as it was sent"`
	Item   string `json:"item,omitempty" doc:"The item's id; absent: the order itself"`
	Member string `json:"member,omitempty" doc:"The member that is wrong; absent: no single one" example:"unit_price_fen"`
	Fault  string `json:"fault" doc:"What is wrong with it"`
}

func (p *Refusal) name() string { return p.Name() }

// GetStatus returns the status that the problem is answered with.
func (p *Refusal) GetStatus() int { return p.Status }

var _ huma.StatusError = (*Refusal)(nil)

func problemOf(uri, detail string) *Refusal { return &Refusal{Problem: *wire.NewProblem(uri, detail)} }

// rules are the refusals of the trade and of the balance, which are said under
// "error." plus their text. What both know is of the balance.
func rules() (trade, balance []error) {
	balance = []error{
		refund.ErrFunds, refund.ErrHoldBroken, refund.ErrHoldChanged, refund.ErrHoldOver, refund.ErrHoldAmount,
		refund.ErrCurrency, refund.ErrWithdrawalOver, refund.ErrUnapproved,
	}
	trade = slices.DeleteFunc(append(refund.Refusals(), ErrClaimed), func(rule error) bool { return slices.Contains(balance, rule) })
	return trade, balance
}

// letters are the refusals of messages: those that have to do with when they
// come, and those of what is in them.
func letters() (late, wrong []error) {
	late = []error{refund.ErrTicketOften, refund.ErrTicketDay, refund.ErrTicketMany}
	wrong = []error{
		refund.ErrTicketEmpty, refund.ErrTicketLong, refund.ErrTicketPictures, refund.ErrTicketTopic,
		ErrNotPicture, ErrPictureLarge, ErrPictureDamaged,
	}
	return late, wrong
}

// problem returns the document for an error of the store.
func (d *Door) problem(err error) *Refusal {
	if known, ok := errors.AsType[*Refusal](err); ok {
		return known
	}
	if known, ok := errors.AsType[*wire.Problem](err); ok {
		return &Refusal{Problem: *known}
	}
	if syntax, ok := errors.AsType[*Syntax](err); ok {
		return problemOf(wire.Malformed, syntax.Problem)
	}
	if faults, ok := errors.AsType[*Faults](err); ok {
		p := problemOf(wire.OrdersRefused, "")
		for _, f := range faults.Faults {
			p.Faults = append(p.Faults, OrderFault{Order: string(f.Order), Item: string(f.Item), Member: f.Member, Fault: f.Problem})
		}
		return p
	}
	if hook, ok := errors.AsType[*HookRefused](err); ok {
		p := problemOf(wire.WebhookRefused, "")
		if hook.Address {
			p.Status = http.StatusUnprocessableEntity
		}
		p.Code, p.Why = hook.Key[strings.LastIndexByte(hook.Key, '.')+1:], d.said(hook.Key)
		return p
	}
	trade, balance := rules()
	late, wrong := letters()
	for _, refused := range []struct {
		uri    string
		status int
		list   []error
	}{
		{wire.MoneyRefused, http.StatusConflict, balance},
		{wire.ActionRefused, http.StatusConflict, trade},
		{wire.MessageRefused, http.StatusConflict, late},
		{wire.MessageRefused, http.StatusUnprocessableEntity, wrong},
	} {
		for _, rule := range refused.list {
			if errors.Is(err, rule) {
				p := problemOf(refused.uri, "")
				p.Status, p.Code, p.Why = refused.status, rule.Error(), d.said("error."+rule.Error())
				return p
			}
		}
	}
	for _, known := range []struct {
		err error
		uri string
	}{
		{ErrKey, wire.NotAuthenticated},
		{ErrKeyReused, wire.IdempotencyKeyReused},
		{ErrRunning, wire.RequestRunning},
		{ErrCursorGone, wire.CursorExpired},
		{ErrFull, wire.StorageFull},
		{ErrAway, wire.StorageAway},
		{money.ErrCurrency, wire.Malformed},
		{money.ErrOverflow, wire.Malformed},
		{qc.ErrNotFound, wire.NotFound},
		{qc.ErrCursor, wire.Malformed},
		{context.Canceled, wire.Interrupted},
	} {
		if errors.Is(err, known.err) {
			return problemOf(known.uri, "")
		}
	}
	d.Log.Error("door for shops refused for an unforeseen reason", "error", err)
	return problemOf(wire.Internal, "")
}

// said returns a sentence in both languages.
func (d *Door) said(key string, pairs ...string) *Text {
	return &Text{EN: d.EN.Text(key, pairs...), ZH: d.ZH.Text(key, pairs...)}
}

// Problems describes the problems that have members of their own.
func (d *Door) Problems(api huma.API) map[string]*huma.Schema {
	schema := schemaOf[Refusal](api)
	return map[string]*huma.Schema{
		wire.OrdersRefused: schema, wire.CaseChanged: schema, wire.ActionRefused: schema, wire.MoneyRefused: schema,
		wire.InstructionsChanged: schema, wire.MessageRefused: schema, wire.WebhookRefused: schema,
	}
}

// printable reports whether text is an id or a key that can be looked up: some
// databases take neither zero characters nor broken UTF-8.
func printable(text string, most int) bool {
	if text == "" || len(text) > most {
		return false
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return false
		}
	}
	return true
}

// longestID bounds the ids of others.
const longestID = 200

// known fails with the problem of what is not there for ids that nothing has.
func known(ids ...string) error {
	for _, id := range ids {
		if !printable(id, longestID) {
			return problemOf(wire.NotFound, "")
		}
	}
	return nil
}

const created = http.StatusCreated
