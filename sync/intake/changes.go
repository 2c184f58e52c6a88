package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

// heartbeat keeps proxies from closing a quiet event stream.
const heartbeat = 15 * time.Second

func (s *service) routeChanges(r chi.Router, api huma.API) {
	r.Get("/v1/stations/{sid}/changes", s.changes)
	s.mention(api, http.MethodGet, "/v1/stations/{sid}/changes", "changes",
		"Changes behind a cursor (after, limit, wait), as a long poll or an event stream", http.StatusOK)
}

func (s *service) changes(w http.ResponseWriter, r *http.Request) {
	stream := strings.Contains(r.Header.Get("Accept"), wire.StreamType)
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
	ticks, stop := s.Centre.Watch() // before reading, so that no change falls between
	defer stop()
	ends := time.NewTimer(wait)
	defer ends.Stop()
	for {
		page, problem := s.page(r.Context(), after, limit)
		if problem != nil {
			refuse(w, problem)
			return
		}
		if len(page.Changes) == 0 && wait > 0 {
			select {
			case <-ticks:
				continue
			case <-ends.C:
				wait = 0
				continue
			case <-r.Context().Done():
			}
		}
		s.sendPage(r.Context(), w, page)
		return
	}
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
	ticks, stop := s.Centre.Watch()
	defer stop()
	control := http.NewResponseController(w)
	began := false
	for {
		page, problem := s.page(r.Context(), after, limit)
		if problem != nil && !began {
			refuse(w, problem)
			return
		}
		if problem != nil {
			return // the reader comes back with its last id, and is told then
		}
		if !began {
			began = true
			w.Header().Set("Content-Type", wire.StreamType)
			w.Header().Set("X-Accel-Buffering", "no")
			w.WriteHeader(http.StatusOK)
		}
		if writeChanges(w, page) != nil || control.Flush() != nil {
			return
		}
		after = page.Next
		if !page.UpToDate && len(page.Changes) > 0 {
			continue
		}
		select {
		case <-ticks:
		case <-time.After(heartbeat):
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func writeChanges(w http.ResponseWriter, page qc.Page) error {
	for _, change := range page.Changes {
		data, err := json.Marshal(wire.Change{Seq: change.Seq, Type: string(change.Kind), Data: change.Data})
		if err != nil {
			return err
		}
		id := qc.Cursor{Epoch: page.Next.Epoch, Seq: change.Seq}
		if _, err := fmt.Fprintf(w, "id: %s\ndata: %s\n\n", id, data); err != nil {
			return err
		}
	}
	return nil
}
