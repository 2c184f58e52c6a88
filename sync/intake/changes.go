package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/follow"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

func (s *service) routeChanges(r chi.Router, api huma.API) {
	r.Get("/v1/stations/{sid}/changes", s.changes)
	openapi.Raw(api, forStations(huma.Operation{
		OperationID: "changes", Method: http.MethodGet, Path: "/v1/stations/{sid}/changes", Summary: "Follow the centre's feed",
		Description: "Changes behind a cursor, oldest first, as a long poll or, with `Accept: text/event-stream`, as an event stream: " +
			"`id: ` is the cursor, `data: ` the change as JSON, and a comment comes every 15 seconds.",
		Parameters: []*huma.Param{
			openapi.Param("query", "after", "next of the page before; absent: the beginning", false, openapi.Text(""), nil),
			openapi.Param("query", "limit", "At most so many", false, openapi.Number(1, wire.MaxPage), 500),
			openapi.Param("query", "wait", "Seconds to wait for a change when there is none; more than 25 are 25", false, openapi.Number(0, 3600), 25),
			openapi.Param("header", "Last-Event-ID", "Of a stream: the last id that was received", false, openapi.Text(""), nil),
		},
		Responses: map[string]*huma.Response{"200": {
			Description: "The changes, or an empty page when the wait is over",
			Content: map[string]*huma.MediaType{
				wire.JSONType:   {Schema: openapi.Of[wire.Page](api)},
				wire.StreamType: {Schema: openapi.Text(""), Example: "id: 0193f1e2.17\ndata: {\"seq\":17,\"type\":\"photo.stored\", …}\n\n"},
			},
		}},
	}), append(admission(), openapi.Problems(wire.Malformed, wire.CursorExpired)...))
}

func (s *service) changes(w http.ResponseWriter, r *http.Request) {
	stream := follow.Wanted(r)
	query := r.URL.Query()
	from := query.Get("after")
	if last := r.Header.Get("Last-Event-ID"); stream && last != "" {
		from = last
	}
	after, err := qc.ParseCursor(from)
	if err != nil {
		refuse(w, s.problem(err))
		return
	}
	limit, err := number(query.Get("limit"), wire.MaxPage)
	if err != nil || limit < 1 {
		refuse(w, wire.NewProblem(wire.Malformed, "limit is a number from 1"))
		return
	}
	wait, err := number(query.Get("wait"), 0)
	if err != nil || wait < 0 {
		refuse(w, wire.NewProblem(wire.Malformed, "wait is a number of seconds"))
		return
	}
	limit = min(limit, wire.MaxPage)
	if stream {
		s.stream(w, r, after, limit)
		return
	}
	s.poll(w, r, after, limit, min(time.Duration(wait)*time.Second, wire.MaxWait))
}

func number(text string, otherwise int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	return strconv.Atoi(text)
}

// poll answers with the next page, or with an empty one after wait.
func (s *service) poll(w http.ResponseWriter, r *http.Request, after qc.Cursor, limit int, wait time.Duration) {
	page, problem := follow.Poll(r.Context(), s.Centre.Watch, wait, func(ctx context.Context) (qc.Page, bool, *wire.Problem) {
		page, problem := s.page(ctx, after, limit)
		return page, len(page.Changes) == 0, problem
	})
	if problem != nil {
		refuse(w, problem)
		return
	}
	s.sendPage(r.Context(), w, page)
}

// page reads what a station may hear now. It may have been revoked since it
// asked.
func (s *service) page(ctx context.Context, after qc.Cursor, limit int) (qc.Page, *wire.Problem) {
	if _, problem := s.station(ctx, caller(ctx).ID); problem != nil {
		return qc.Page{}, problem
	}
	page, err := s.Centre.Changes(ctx, after, limit)
	if err != nil {
		return qc.Page{}, s.problem(fmt.Errorf("read changes after %s: %w", after, err))
	}
	return page, nil
}

func (s *service) sendPage(ctx context.Context, w http.ResponseWriter, page qc.Page) {
	answer := wire.Page{
		Items: make([]wire.Change, 0, len(page.Changes)), Next: page.Next.String(),
		UpToDate: page.UpToDate, AckedThrough: caller(ctx).AckedSeq,
	}
	for _, change := range page.Changes {
		answer.Items = append(answer.Items, wire.Change{Seq: change.Seq, Type: string(change.Kind), Data: change.Data})
	}
	w.Header().Set("Content-Type", wire.JSONType)
	_ = json.NewEncoder(w).Encode(answer)
}

// stream sends changes as they come, each with the cursor behind it as its id.
func (s *service) stream(w http.ResponseWriter, r *http.Request, after qc.Cursor, limit int) {
	follow.Stream(w, r, s.Centre.Watch, func(ctx context.Context) ([]follow.Event, bool, *wire.Problem) {
		page, problem := s.page(ctx, after, limit)
		if problem != nil {
			return nil, false, problem
		}
		events := make([]follow.Event, 0, len(page.Changes))
		for _, change := range page.Changes {
			data, err := json.Marshal(wire.Change{Seq: change.Seq, Type: string(change.Kind), Data: change.Data})
			if err != nil {
				return nil, false, s.problem(fmt.Errorf("write change %d: %w", change.Seq, err))
			}
			id := qc.Cursor{Epoch: page.Next.Epoch, Seq: change.Seq}
			events = append(events, follow.Event{ID: id.String(), Data: data})
		}
		after = page.Next
		return events, !page.UpToDate && len(page.Changes) > 0, nil
	})
}
