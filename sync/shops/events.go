package shops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/follow"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// EventView is one step of a case.
type EventView struct {
	ID   string    `json:"id" doc:"Where to go on from: the numbers behind the point grow by one with every event" example:"0193f1e2-7b4c-7c1a-9d55-0242ac120002.17"`
	Type string    `json:"type" doc:"What happened, as in webhooks; new ones may be added" example:"case.qc_problem"`
	At   time.Time `json:"timestamp" doc:"When"`
	Data Snapshot  `json:"data" doc:"The case as it was then"`
}

// Snapshot is a case at one version, as webhooks tell it.
type Snapshot struct {
	Case          string    `json:"case" doc:"The case's id"`
	Order         string    `json:"order" doc:"Its order"`
	Item          string    `json:"item" doc:"Its item"`
	Customer      string    `json:"customer" doc:"Its customer"`
	Status        string    `json:"status" doc:"Where it stood" example:"awaiting_decision"`
	Intent        string    `json:"intent,omitempty" doc:"What the customer had chosen"`
	Round         int       `json:"round" doc:"Which delivery it is of"`
	Sequence      int       `json:"sequence" doc:"The case's version: what comes late and has a smaller one is old"`
	ChangedAt     time.Time `json:"changed_at" doc:"When it had last changed"`
	DecideBy      time.Time `json:"decide_by,omitzero" doc:"While the customer must choose: until when"`
	Offer         *Offer    `json:"offer,omitempty" doc:"The seller's offer"`
	Credited      Money     `json:"credited" doc:"What was on the balance from this case"`
	Carrier       string    `json:"carrier,omitempty" doc:"Of the parcel to the seller"`
	ReturnWaybill string    `json:"return_waybill,omitempty" doc:"Of the parcel to the seller"`
	Memo          int64     `json:"memo,omitempty" doc:"The number of the credit memo that this step wrote"`
	Ticket        string    `json:"ticket,omitempty" doc:"Of ticket.answered: which; then sequence is the number of the answer, and case is empty where it is about no case"`
	Rule          string    `json:"rule,omitempty" doc:"Which of the customer's standing instructions did this step: grave, minor, offer or else"`
}

// EventPage is a piece of what happened.
type EventPage struct {
	Items    []EventView `json:"items" doc:"Oldest first"`
	Next     string      `json:"next" doc:"What to send as after next time; keep it in the same step that uses the items"`
	UpToDate bool        `json:"up_to_date" doc:"Whether there is nothing more for now"`
}

func (d *Door) describeEvents(with scopedTo) {
	router, api := with(EventsRead)
	router.Get("/v1/shop/events", d.events)
	page := schemaOf[EventPage](api)
	openapi.Raw(api, operation(huma.Operation{
		OperationID: "shop-events", Method: http.MethodGet, Path: "/v1/shop/events", Summary: "Follow what happens",
		Description: "Every step of the cases of your orders that their customers know of, as a long poll or, with `Accept: text/event-stream`, as an event stream. " +
			"The numbers have no gaps and become visible in their order, so that nothing is ever skipped. A stream says `id: ` (what `Last-Event-ID` goes on from), " +
			"`event: ` (the type) and `data: ` (the event as JSON); a comment comes every 15 seconds. It ends when the key is revoked. " +
			"Events are kept for 90 days. At most 16 streams and long polls of one key are open at a time.",
		Parameters: []*huma.Param{
			openapi.Param("query", "after", "next of the page before, or events of a list of cases; absent: the oldest that is kept", false, openapi.Text(""), nil),
			openapi.Param("query", "limit", "At most so many", false, openapi.Number(1, maxEvents), 100),
			openapi.Param("query", "wait", "Seconds to wait for something to happen when there is nothing", false, openapi.Number(0, 25), 25),
			openapi.Param("header", "Last-Event-ID", "Of a stream: the last id that was received", false, openapi.Text(""), nil),
		},
		Responses: map[string]*huma.Response{"200": {
			Description: "What happened, or an empty page when the wait is over",
			Content: map[string]*huma.MediaType{
				wire.JSONType:   {Schema: page},
				wire.StreamType: {Schema: openapi.Text(""), Example: "id: 0193f1e2.17\nevent: case.qc_problem\ndata: {\"id\":\"0193f1e2.17\",\"type\":\"case.qc_problem\", …}\n\n"},
			},
		}},
	}, EventsRead), refusals(wire.CursorExpired))
}

func (d *Door) events(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	from := query.Get("after")
	if last := r.Header.Get("Last-Event-ID"); follow.Wanted(r) && last != "" {
		from = last
	}
	after, err := qc.ParseCursor(from)
	if err != nil {
		refuse(w, wire.NewProblem(wire.Malformed, "after is next of the page before"))
		return
	}
	limit, bad := number(query.Get("limit"), 100, 1, maxEvents)
	wait, worse := number(query.Get("wait"), 0, 0, int(wire.MaxWait/time.Second))
	if err := errors.Join(bad, worse); err != nil {
		refuse(w, wire.NewProblem(wire.Malformed, "limit is 1 to 500, wait is 0 to 25 seconds"))
		return
	}
	done, ok := d.listen(caller(r.Context()).ID)
	if !ok {
		tooMany(w, r)
		return
	}
	defer done()
	if follow.Wanted(r) {
		d.stream(w, r, after, limit)
		return
	}
	page, problem := follow.Poll(r.Context(), d.Centre.Watch, time.Duration(wait)*time.Second, func(ctx context.Context) (Events, bool, *wire.Problem) {
		page, problem := d.happened(ctx, after, limit)
		return page, len(page.Events) == 0, problem
	})
	if problem != nil {
		refuse(w, problem)
		return
	}
	answer := EventPage{Items: []EventView{}, Next: page.Next.String(), UpToDate: page.UpToDate}
	for _, e := range page.Events {
		answer.Items = append(answer.Items, eventView(e, page.Next.Epoch))
	}
	w.Header().Set("Content-Type", wire.JSONType)
	_ = json.NewEncoder(w).Encode(answer)
}

func number(text string, otherwise, least, most int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err == nil && (n < least || n > most) {
		err = strconv.ErrRange
	}
	return n, err
}

// happened reads what there is. The key may have been revoked since it asked.
func (d *Door) happened(ctx context.Context, after qc.Cursor, limit int) (Events, *wire.Problem) {
	k, err := d.Centre.ShopKey(ctx, admission(ctx).secret, d.Now())
	if err == nil {
		var page Events
		if page, err = d.Centre.ShopEvents(ctx, k, after, limit); err == nil {
			return page, nil
		}
	}
	problem := d.problem(fmt.Errorf("read events after %s: %w", after, err)).Problem
	return Events{}, &problem
}

// stream sends events as they come.
func (d *Door) stream(w http.ResponseWriter, r *http.Request, after qc.Cursor, limit int) {
	follow.Stream(w, r, d.Centre.Watch, func(ctx context.Context) ([]follow.Event, bool, *wire.Problem) {
		page, problem := d.happened(ctx, after, limit)
		if problem != nil {
			return nil, false, problem
		}
		events := make([]follow.Event, 0, len(page.Events))
		for _, e := range page.Events {
			view := eventView(e, page.Next.Epoch)
			data, err := json.Marshal(view)
			if err != nil {
				problem := d.problem(fmt.Errorf("write event %s: %w", view.ID, err)).Problem
				return nil, false, &problem
			}
			events = append(events, follow.Event{ID: view.ID, Kind: view.Type, Data: data})
		}
		after = page.Next
		return events, !page.UpToDate, nil
	})
}

func eventView(e Event, epoch string) EventView {
	s := e.Snapshot
	view := EventView{
		ID: qc.Cursor{Epoch: epoch, Seq: e.N}.String(), Type: e.Kind.Event(), At: e.At,
		Data: Snapshot{
			Case: string(s.Case), Order: string(s.Order), Item: string(s.Item), Customer: string(s.Customer), Status: string(s.Status),
			Intent: string(s.Intent), Round: s.Round, Sequence: s.Sequence, ChangedAt: s.ChangedAt, DecideBy: s.DecideBy,
			Credited: moneyOf(s.Credited), Carrier: s.Carrier, ReturnWaybill: string(s.ReturnWaybill),
			Memo: int64(s.Memo), Ticket: string(s.Ticket), Rule: string(s.Rule),
		},
	}
	if s.Offer != nil {
		view.Data.Offer = offerView(*s.Offer)
	}
	return view
}

func offerView(o refund.Offer) *Offer {
	view := &Offer{Amount: moneyOf(o.Amount), ExpiresAt: o.ExpiresAt}
	if !o.Counter.IsZero() {
		counter := moneyOf(o.Counter)
		view.Counter = &counter
	}
	return view
}
