package intake

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"flawmark/app/qc"
	"flawmark/sync/wire"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"
)

// refuse answers with a problem document.
func refuse(w http.ResponseWriter, problem *wire.Problem) {
	wire.Refuse(w, problem.Status, problem.Name(), problem)
}

// named puts the centre's name and version on every answer.
func (s *service) named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set(wire.InstanceHeader, s.Instance)
		h.Set(wire.ProtocolHeader, strconv.Itoa(wire.Version))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// spoken refuses other protocol versions. A sender that names none speaks
// version 1.
func (s *service) spoken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if said := r.Header.Get(wire.ProtocolHeader); said != "" && said != strconv.Itoa(wire.Version) {
			refuse(w, wire.NewProblem(wire.ProtocolTooOld, "version 1 is spoken here"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// legible answers for addresses that name nothing: some databases do not even
// take the question.
func legible(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !utf8.ValidString(r.URL.Path) || strings.ContainsFunc(r.URL.Path, unicode.IsControl) {
			refuse(w, wire.NewProblem(wire.NotFound, ""))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recovered keeps one request's defect from ending its connection silently.
func (s *service) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch cause := recover(); cause {
			case nil:
			case http.ErrAbortHandler:
				panic(cause)
			default:
				s.Log.Error("intake panicked", "cause", cause, "method", r.Method)
				refuse(w, wire.NewProblem(wire.Internal, ""))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// logged writes one line a request: never a token, a query or a body.
func (s *service) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Now()
		noted := &notedWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(noted, r)
		route, took := chi.RouteContext(r.Context()).RoutePattern(), s.Now().Sub(began)
		s.Log.Debug("intake answered", "method", r.Method, "route", route, "status", noted.status, "took", took)
		s.Answered(r.Method, route, noted.status, took)
	})
}

type notedWriter struct {
	http.ResponseWriter
	status int
}

func (w *notedWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets response controllers reach the connection.
func (w *notedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type stationKey struct{}

// caller returns the station that a request was admitted for.
func caller(ctx context.Context) Station {
	station, _ := ctx.Value(stationKey{}).(Station)
	return station
}

// admitted lets only stations with a valid token pass, and those only to their
// own resources.
func (s *service) admitted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		id, ok := s.tokens.verify(token)
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, wire.NewProblem(wire.NotAuthenticated, ""))
			return
		}
		station, problem := s.station(r.Context(), id)
		if problem != nil {
			refuse(w, problem)
			return
		}
		if sid := chi.URLParam(r, "sid"); sid != "" && sid != string(station.ID) && !mayCarry(r) {
			refuse(w, wire.NewProblem(wire.NotAuthorised, "the token is another station's"))
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), stationKey{}, station)))
	})
}

// mayCarry reports whether a request may be about another station: events under
// that station's own signature, which one that is cut off sent by another's
// hands. They are the only thing; what they say is not the carrier's word.
func mayCarry(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/events")
}

// station returns an admitted station. Asking the store every time makes a
// revocation effective at once.
func (s *service) station(ctx context.Context, id qc.StationID) (Station, *wire.Problem) {
	station, err := s.Centre.Station(ctx, id)
	if err != nil {
		problem := s.problem(err)
		if problem.Type == wire.NotFound {
			problem = wire.NewProblem(wire.NotAuthorised, "no such station")
		}
		return Station{}, problem
	}
	if !station.RevokedAt.IsZero() {
		return Station{}, wire.NewProblem(wire.NotAuthorised, "the station has been revoked")
	}
	return station, nil
}

func tooMany(w http.ResponseWriter, _ *http.Request) {
	if w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "5")
	}
	refuse(w, wire.NewProblem(wire.TooManyRequests, ""))
}

func (s *service) perAddress() func(http.Handler) http.Handler {
	return httprate.LimitBy(s.AddressRate, time.Minute, func(r *http.Request) (string, error) {
		return caughtBy(r.RemoteAddr), nil
	}, httprate.WithLimitHandler(tooMany))
}

// caughtBy returns what a peer is counted under: its host, or the whole network
// of a host on IPv6, which may take a new address for every request.
func caughtBy(peer string) string {
	if host, _, err := net.SplitHostPort(peer); err == nil {
		return httprate.CanonicalizeIP(host)
	}
	return peer // not of TCP
}

func (s *service) perStation() func(http.Handler) http.Handler {
	return httprate.LimitBy(s.StationRate, time.Minute, func(r *http.Request) (string, error) {
		return string(caller(r.Context()).ID), nil
	}, httprate.WithLimitHandler(tooMany))
}
