// Package intake is the centre's door for stations: protocol version 1 over
// HTTP. It checks who speaks and what arrives, and hands it to the centre's
// store and to the blob folder; it decides nothing about the trade.
//
// A station is admitted once by enrolment (an administrator approves the code
// it shows), proves its Ed25519 key for a token of fifteen minutes, pushes
// signed batches of events, uploads photo files by tus 1.0, and follows the
// feed by long poll or as an event stream. Every answer names the centre
// ([wire.InstanceHeader]); every refusal is a problem document of [wire].
//
// Bytes of an upload are acknowledged only once they are on disk. A newer
// request for an upload takes it over from an older one, because after a lost
// connection the older one is a ghost.
package intake

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
)

// Enrolment is a request for admission that waits for an administrator.
type Enrolment struct {
	UserCode   string
	DeviceCode string
	ExpiresAt  time.Time
}

// Station is what the centre knows of a station.
type Station struct {
	ID        qc.StationID
	Key       ed25519.PublicKey
	AckedSeq  uint64
	RevokedAt time.Time // zero: admitted
}

// Upload is a file on its way in.
type Upload struct {
	ID        string
	Station   qc.StationID
	Digest    qc.Digest
	Length    int64
	MediaType string
	ExpiresAt time.Time
}

// Centre is the store behind the door. Absent things are [qc.ErrNotFound];
// other refusals are named by [Refusals].
type Centre interface {
	BeginEnrolment(ctx context.Context, name string, key ed25519.PublicKey, at time.Time) (Enrolment, error)
	PollEnrolment(ctx context.Context, deviceCode string, at time.Time) (qc.StationID, error)
	Station(ctx context.Context, id qc.StationID) (Station, error)
	// ApplyEvents applies a batch in one step; the effect and its
	// acknowledgement are never apart.
	ApplyEvents(ctx context.Context, id qc.StationID, batch qc.Batch, at time.Time) (qc.Ack, error)
	LackedBlobs(ctx context.Context, digests []qc.Digest) ([]qc.Digest, error)
	BlobStored(ctx context.Context, d qc.Digest, size int64, mediaType string, at time.Time) error
	// BeginUpload returns the unfinished upload of the same station and digest
	// where there is one.
	BeginUpload(ctx context.Context, upload Upload) (Upload, error)
	Upload(ctx context.Context, id string) (Upload, error)
	DropUpload(ctx context.Context, id string) error
	Changes(ctx context.Context, after qc.Cursor, limit int) (qc.Page, error)
	// Watch returns a channel that ticks after every change, and its end.
	Watch() (<-chan struct{}, func())
}

// Staged is an unfinished file outside the final names.
type Staged interface {
	Size() int64
	// Append writes at most limit bytes and returns once they are on disk.
	Append(ctx context.Context, r io.Reader, limit int64) (int64, error)
	// Publish checks the whole against want and gives it its final name.
	Publish(ctx context.Context, want qc.Digest) (int64, error)
	Discard() error
	Close() error
}

// File is a stored photo file.
type File interface {
	io.ReadSeeker
	io.Closer
}

// Refusals names the errors that the store and the folder refuse with, so that
// each is answered with its own problem. A nil entry never matches.
type Refusals struct {
	// Gap returns the number that the centre expects next.
	Gap        func(error) (expected uint64, ok bool)
	Fork       error // another event is known under that number
	Batch      error // what was pushed cannot be read
	Revoked    error // the station is no longer admitted
	Pending    error // nobody has approved the code yet
	Expired    error // the code has expired
	Code       error // there is no such code
	CursorGone error // the feed no longer reaches back that far
	Digest     error // a published file is not what it was said to be
	Full       error // no room on the disk for files
	StoreFull  error // nor for the database
	Overtaken  error // somebody else has appended to the same upload meanwhile
	// Away reports that the database, or the place of the files, does not answer.
	Away func(error) bool
}

// Beside is another door that shares the address and the description.
type Beside interface {
	Mount(r chi.Router, api huma.API)
	// Problems returns the documents of problems that have members of their own,
	// by their URIs.
	Problems(api huma.API) map[string]*huma.Schema
}

// Config holds what the door needs. Everything without a default is required.
type Config struct {
	Centre   Centre
	Stage    func(id string) (Staged, error)
	Open     func(d qc.Digest) (File, error) // qc.ErrNotFound
	Refusals Refusals
	Instance string // the centre's name for itself
	Secret   []byte // 32 random bytes, kept across restarts
	Now      func() time.Time
	Log      *slog.Logger
	// Answered hears of every request when it has been answered, by the pattern
	// of its route; nil: nobody does.
	Answered func(method, route string, status int, took time.Duration)

	Beside  Beside          // nil: there is no other door
	Retired openapi.Retired // operations that will end

	// Requests a minute: of one station in all, of one address without a token.
	// Zero means 12,000 and 240.
	StationRate, AddressRate int
	// ReadTimeout ends an upload that brings nothing for so long. Zero means 20 s.
	ReadTimeout time.Duration
}

type service struct {
	Config
	tokens  tokens
	uploads *claims
}

// New returns the handler of /v1, /openapi.json and /healthz. Long polls and
// event streams end with their request's context: give the server a base
// context that ends at shutdown.
func New(cfg Config) (http.Handler, error) {
	switch {
	case cfg.Centre == nil, cfg.Stage == nil, cfg.Open == nil, cfg.Now == nil, cfg.Log == nil:
		return nil, errors.New("open intake: Centre, Stage, Open, Now and Log are required")
	case cfg.Instance == "", len(cfg.Secret) < 32:
		return nil, errors.New("open intake: Instance and a Secret of 32 bytes are required")
	}
	if cfg.Refusals.Gap == nil {
		cfg.Refusals.Gap = func(error) (uint64, bool) { return 0, false }
	}
	if cfg.Refusals.Away == nil {
		cfg.Refusals.Away = func(error) bool { return false }
	}
	if cfg.Answered == nil {
		cfg.Answered = func(string, string, int, time.Duration) {}
	}
	if cfg.StationRate == 0 {
		cfg.StationRate = 12_000
	}
	if cfg.AddressRate == 0 {
		cfg.AddressRate = 240
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = 20 * time.Second
	}
	s := &service{Config: cfg, tokens: tokens{secret: cfg.Secret, now: cfg.Now}, uploads: newClaims()}

	root := chi.NewRouter()
	root.Use(s.recovered, s.named, legible, s.logged)
	root.NotFound(func(w http.ResponseWriter, r *http.Request) { refuse(w, wire.NewProblem(wire.NotFound, "")) })
	root.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, wire.NewProblem(wire.MethodNotAllowed, ""))
	})
	root.Get("/healthz", s.health)
	api := s.newAPI(root)
	root.Group(func(open chi.Router) {
		open.Use(s.perAddress(), s.Retired.Mark)
		api := openapi.On(api, open)
		s.describePing(api)
		s.describeProblems(open, api)
		s.describeEnrolment(api)
		s.describeTokens(api)
	})
	root.Options("/v1/uploads", s.uploadOptions)
	root.Options("/v1/uploads/{id}", s.uploadOptions)
	root.Group(func(closed chi.Router) {
		closed.Use(s.spoken, s.admitted, s.perStation(), s.Retired.Mark)
		api := openapi.On(api, closed)
		s.describeEvents(api)
		s.describeBlobs(api)
		s.routeUploads(closed, api)
		s.routeChanges(closed, api)
		s.routePhotos(closed, api)
	})
	var extended map[string]*huma.Schema
	if s.Beside != nil {
		root.Group(func(beside chi.Router) {
			beside.Use(s.Retired.Mark)
			s.Beside.Mount(beside, api)
		})
		extended = s.Beside.Problems(api)
	}
	openapi.Finish(api, parameters(), extended, s.Retired)
	return root, nil
}

// newAPI returns the description of the routes and serves it.
func (s *service) newAPI(root chi.Router) huma.API {
	cfg := huma.DefaultConfig("Flawmark centre", "1")
	cfg.Info.Description = about
	cfg.DocsPath, cfg.SchemasPath = "", ""
	cfg.CreateHooks = nil // no schema links inside documents that travel
	cfg.AllowAdditionalPropertiesByDefault = true
	cfg.Transformers = []huma.Transformer{asProblem}
	cfg.Tags = []*huma.Tag{
		{Name: stationTag, Description: "What stations ask: enrolment, tokens, events, photo files, the feed."},
		{Name: generalTag, Description: "What anybody may ask."},
	}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"station": {
		Type: "http", Scheme: "bearer", BearerFormat: "opaque",
		Description: "An access token of fifteen minutes, which a station exchanges for a signed nonce (`/v1/token:challenge`, `/v1/token`).",
	}}
	return humachi.New(root, cfg)
}

// asProblem turns what the library refuses by itself into our own documents.
func asProblem(_ huma.Context, _ string, answer any) (any, error) {
	model, ok := answer.(*huma.ErrorModel)
	if !ok {
		return answer, nil
	}
	problem := wire.NewProblem(wire.Malformed, model.Detail)
	switch model.Status {
	case http.StatusRequestEntityTooLarge:
		problem = wire.NewProblem(wire.TooLarge, model.Detail)
	case http.StatusRequestTimeout:
		problem = wire.NewProblem(wire.Interrupted, "the request came too slowly")
	case http.StatusInternalServerError:
		problem = wire.NewProblem(wire.Internal, "")
	}
	problem.Status = model.Status // already on its way
	for _, each := range model.Errors {
		problem.Detail += "; " + each.Location + " " + each.Message
	}
	return problem, nil
}

// problem returns the document for an error of the store or the folder.
func (s *service) problem(err error) *wire.Problem {
	if problem, ok := errors.AsType[*wire.Problem](err); ok {
		return problem
	}
	if expected, ok := s.Refusals.Gap(err); ok {
		problem := wire.NewProblem(wire.SequenceGap, "")
		problem.Expected = expected
		return problem
	}
	for _, known := range []struct {
		err error
		uri string
	}{
		{s.Refusals.Fork, wire.SequenceFork},
		{s.Refusals.Batch, wire.Malformed},
		{s.Refusals.Revoked, wire.NotAuthorised},
		{s.Refusals.Expired, wire.CodeExpired},
		{s.Refusals.Code, wire.CodeUnknown},
		{s.Refusals.CursorGone, wire.CursorExpired},
		{s.Refusals.Digest, wire.DigestMismatch},
		{s.Refusals.Full, wire.StorageFull},
		{s.Refusals.StoreFull, wire.StorageFull},
		{s.Refusals.Overtaken, wire.OffsetConflict},
		{qc.ErrNotFound, wire.NotFound},
		{qc.ErrChain, wire.Malformed},
		{qc.ErrCursor, wire.Malformed},
		{qc.ErrDigest, wire.Malformed},
	} {
		if known.err != nil && errors.Is(err, known.err) {
			return wire.NewProblem(known.uri, "")
		}
	}
	if errors.Is(err, context.Canceled) {
		return wire.NewProblem(wire.Interrupted, "")
	}
	if s.Refusals.Away(err) {
		s.Log.Warn("intake does not reach its storage", "error", err)
		return wire.NewProblem(wire.StorageAway, "")
	}
	s.Log.Error("intake refused for an unforeseen reason", "error", err)
	return wire.NewProblem(wire.Internal, "")
}

// health looks one file up, whichever: a store that is asked for nothing does
// not touch its database.
func (s *service) health(w http.ResponseWriter, r *http.Request) {
	if _, err := s.Centre.LackedBlobs(r.Context(), []qc.Digest{qc.DigestOf(nil)}); err != nil {
		refuse(w, s.problem(fmt.Errorf("check health: %w", err)))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}
