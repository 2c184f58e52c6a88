package shops

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// SplitRequest asks for some pieces to be decided by themselves.
type SplitRequest struct {
	Pieces int `json:"pieces" minimum:"1" maximum:"100000" doc:"How many go their own way; the case's split says how many at most" example:"1"`
}

// Halves are what became of a case that was split.
type Halves struct {
	Rest Case `json:"rest" doc:"The other pieces; it keeps the case's id"`
	Part Case `json:"part" doc:"The pieces that go their own way: a case of their own"`
}

// ClaimRequest reports a flaw that no inspection found.
type ClaimRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"What the customer has found, in their words" example:"The left sole comes off at the heel."`
}

// InstructionsRequest is what a customer wants done without being asked.
type InstructionsRequest struct {
	Grave     string `json:"grave,omitempty" enum:",keep,refund,exchange" doc:"Where a flaw is major or worse; empty: ask" example:"refund"`
	Minor     string `json:"minor,omitempty" enum:",keep,discount" doc:"Where none is; empty: ask. discount is a part of the price back, else keep, and needs offer_from" example:"discount"`
	OfferFrom int    `json:"offer_from,omitempty" minimum:"0" maximum:"100" doc:"Per cent of the price from which a seller's offer is accepted; 0: ask" example:"10"`
}

// InstructionsView is what a customer wants done without being asked.
type InstructionsView struct {
	InstructionsRequest
	SetAt time.Time `json:"set_at,omitzero" doc:"When they were last changed; absent: never said"`
	ETag  string    `json:"etag" doc:"What to send as If-Match with others" example:"\"1764148440000000\""`
}

func (d *Door) describeWishes(with scopedTo) {
	_, read := with(CasesRead)
	_, decide := with(CasesDecide)
	onCase := refusals(wire.NotFound, wire.PreconditionRequired, wire.CaseChanged, wire.ActionRefused,
		wire.RequestRunning, wire.IdempotencyKeyNeeded, wire.IdempotencyKeyReused, wire.StorageFull, wire.TooLarge)
	openapi.Register(decide, operation(huma.Operation{
		OperationID: "shop-split-case", Method: http.MethodPost, Path: "/v1/shop/cases/{case}/split",
		Summary: "Decide for some of the pieces by themselves",
		Description: "A case of several pieces becomes two, and what was paid is divided to the fen; then each is decided by itself. " +
			"Whether it can be is in the case's `split`. Repeated with the same key and body, it happens once.",
	}, CasesDecide), onCase, d.split)
	openapi.Register(decide, operation(huma.Operation{
		OperationID: "shop-claim-flaw", Method: http.MethodPost, Path: "/v1/shop/items/{item}/claims",
		Summary: "Report a flaw that was not found", DefaultStatus: http.StatusCreated,
		Description: "Of an item that passed, or was kept; whether it can be is in the item's `claim`. It opens a case, which people of the centre look at. " +
			"Photos go with a message of the topic missed_flaw. There is one such case an item.",
	}, CasesDecide), refusals(wire.NotFound, wire.ActionRefused, wire.RequestRunning, wire.IdempotencyKeyNeeded,
		wire.IdempotencyKeyReused, wire.StorageFull, wire.TooLarge), d.claim)
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-instructions", Method: http.MethodGet, Path: "/v1/shop/customers/{customer}/instructions",
		Summary:     "Read a customer's standing instructions",
		Description: "What is done without asking, as soon as a flaw is confirmed or a seller makes an offer. They never cost what was not agreed to.",
	}, CasesRead), refusals(wire.NotFound), d.instructions)
	openapi.Register(decide, operation(huma.Operation{
		OperationID: "shop-instruct", Method: http.MethodPut, Path: "/v1/shop/customers/{customer}/instructions",
		Summary: "Set a customer's standing instructions",
		Description: "For cases from now on; those that the customer sees already are not touched. All members together are the instructions: " +
			"what is left out is asked again. The same again changes nothing.",
	}, CasesDecide), refusals(wire.NotFound, wire.PreconditionRequired, wire.InstructionsChanged, wire.StorageFull, wire.TooLarge), d.instruct)
}

type splitInput struct {
	Case    string `path:"case" maxLength:"200"`
	IfMatch string `header:"If-Match" doc:"The ETag of the case as you saw it; needed" example:"\"4\""`
	Key     string `header:"Idempotency-Key" doc:"New for every new wish, and the same when it is repeated; needed" example:"split-AC-90001-1"`
	Body    SplitRequest
}

func (d *Door) split(ctx context.Context, in *splitInput) (*versioned[Halves], error) {
	if err := known(in.Case); err != nil {
		return nil, err
	}
	version, err := versionOf(in.IfMatch)
	if err != nil {
		return nil, err
	}
	if !validKey(in.Key) {
		return nil, problemOf(wire.IdempotencyKeyNeeded, "")
	}
	return once(ctx, d, in.Key, fingerprint("split", in.Case, in.Body), func() (*versioned[Halves], error) {
		part, err := d.Centre.SplitForShop(ctx, caller(ctx), qc.CaseID(in.Case), version, in.Body.Pieces, in.Key)
		if err != nil {
			return nil, d.conflict(ctx, in.Case, err)
		}
		rest, err := d.readCase(ctx, in.Case)
		if err != nil {
			return nil, err
		}
		other, err := d.readCase(ctx, string(part))
		if err != nil {
			return nil, err
		}
		return &versioned[Halves]{ETag: rest.ETag, Body: Halves{Rest: rest.Body, Part: other.Body}}, nil
	})
}

type claimInput struct {
	Item string `path:"item" maxLength:"200"`
	Key  string `header:"Idempotency-Key" doc:"New for every new wish, and the same when it is repeated; needed" example:"claim-AC-90001-1"`
	Body ClaimRequest
}

func (d *Door) claim(ctx context.Context, in *claimInput) (*caseAnswer, error) {
	if err := known(in.Item); err != nil {
		return nil, err
	}
	reason := refund.PlainText(in.Body.Reason)
	if reason == "" {
		return nil, problemOf(wire.Malformed, "reason says what was found")
	}
	if !validKey(in.Key) {
		return nil, problemOf(wire.IdempotencyKeyNeeded, "")
	}
	return once(ctx, d, in.Key, fingerprint("claim", in.Item, reason), func() (*caseAnswer, error) {
		opened, err := d.Centre.ClaimForShop(ctx, caller(ctx), qc.ItemID(in.Item), reason)
		if err != nil {
			return nil, d.problem(err)
		}
		return d.readCase(ctx, string(opened.ID))
	})
}

func (d *Door) instructions(ctx context.Context, in *customerPath) (*versioned[InstructionsView], error) {
	if err := known(in.Customer); err != nil {
		return nil, err
	}
	now, err := d.Centre.ShopInstructions(ctx, caller(ctx), qc.CustomerID(in.Customer))
	if err != nil {
		return nil, d.problem(err)
	}
	return instructionsAnswer(now), nil
}

func instructionsAnswer(i qc.Instructions) *versioned[InstructionsView] {
	view := instructionsView(i)
	return &versioned[InstructionsView]{ETag: view.ETag, Body: view}
}

func instructionsView(i qc.Instructions) InstructionsView {
	return InstructionsView{
		InstructionsRequest: InstructionsRequest{Grave: string(i.Grave), Minor: string(i.Minor), OfferFrom: i.OfferFrom},
		SetAt:               i.SetAt, ETag: strconv.Quote(strconv.FormatInt(setAt(i), 10)),
	}
}

// setAt numbers the versions of instructions; 0: none were ever given.
func setAt(i qc.Instructions) int64 {
	if i.SetAt.IsZero() {
		return 0
	}
	return i.SetAt.UnixMicro()
}

type instructInput struct {
	Customer string `path:"customer" maxLength:"200"`
	IfMatch  string `header:"If-Match" doc:"The ETag of the instructions as you saw them; needed" example:"\"0\""`
	Body     InstructionsRequest
}

func (d *Door) instruct(ctx context.Context, in *instructInput) (*versioned[InstructionsView], error) {
	if err := known(in.Customer); err != nil {
		return nil, err
	}
	seen, err := timeOf(in.IfMatch)
	if err != nil {
		return nil, err
	}
	given := qc.Instructions{Grave: qc.Wish(in.Body.Grave), Minor: qc.Wish(in.Body.Minor), OfferFrom: in.Body.OfferFrom}
	now, err := d.Centre.InstructForShop(ctx, caller(ctx), qc.CustomerID(in.Customer), given, seen)
	if moved, ok := errors.AsType[*InstructionsMoved](err); ok {
		p := problemOf(wire.InstructionsChanged, "")
		view := instructionsView(moved.Now)
		p.Instructions, p.ETag = &view, view.ETag
		return nil, p
	}
	if errors.Is(err, qc.ErrInstructions) {
		return nil, problemOf(wire.Malformed, d.EN.Text("error."+qc.ErrInstructions.Error()))
	}
	if err != nil {
		return nil, d.problem(err)
	}
	return instructionsAnswer(now), nil
}

// timeOf reads the If-Match of instructions.
func timeOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, problemOf(wire.PreconditionRequired, "")
	}
	inner, err := strconv.Unquote(text)
	micros, bad := strconv.ParseInt(inner, 10, 64)
	if err != nil || bad != nil || micros < 0 || text != strconv.Quote(strconv.FormatInt(micros, 10)) {
		return time.Time{}, problemOf(wire.Malformed, `If-Match is the ETag of the instructions as it stands, such as "0" with its quotation marks`)
	}
	if micros == 0 {
		return time.Time{}, nil
	}
	return time.UnixMicro(micros), nil
}
