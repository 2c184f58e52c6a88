// Package shops is the centre's door for the systems of shops: they bring orders
// and customers, follow cases, say for their customers whatever those could say
// on the order page, and use the balances.
// It checks who speaks and what arrives, and hands it to the centre's store; it
// decides nothing about the trade.
//
// A shop has keys, which an administrator makes; a key has scopes, and whatever
// it has no scope for is refused. A shop sees its own orders and what belongs to
// them, as their customers see it: a finding that is not released is not there.
// Keys for all orders see those of the command line and of every shop, too.
//
// What a system repeats because it heard no answer happens once: orders are
// taken over as they are, acts carry an idempotency key, and money moves under
// ids that the caller makes. Every refusal is a problem document of [wire].
package shops

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"
)

// The scopes of keys.
const (
	OrdersWrite  = "orders:write"
	CasesRead    = "cases:read"
	CasesDecide  = "cases:decide"
	BalanceRead  = "balance:read"
	BalanceWrite = "balance:write"
	EventsRead   = "events:read"
	HooksWrite   = "webhooks:write"
)

// Scopes lists the scopes of keys.
func Scopes() []string {
	return []string{OrdersWrite, CasesRead, CasesDecide, EventsRead, HooksWrite, BalanceRead, BalanceWrite}
}

// Config holds what the door needs. Everything without a default is required.
type Config struct {
	Centre Centre
	Open   func(d qc.Digest) (File, error) // qc.ErrNotFound
	// Picture makes a picture that somebody sent anew and keeps that.
	// [ErrNotPicture], [ErrPictureLarge], [ErrPictureDamaged].
	Picture func(ctx context.Context, data []byte) (refund.Picture, error)
	Flaws   qc.Catalogue
	EN, ZH  Words
	Now     func() time.Time
	Log     *slog.Logger

	// Requests a minute: of one key, of one address without a valid one. Zero
	// means 1,200 and 120.
	KeyRate, AddressRate int
}

// Door is the door for shops' systems.
type Door struct {
	Config
	strangers *httprate.RateLimiter
	receiving chan struct{} // who sends pictures now
	mu        sync.Mutex
	listening map[string]int // streams and long polls by key
}

// New returns a door.
func New(cfg Config) (*Door, error) {
	if cfg.Centre == nil || cfg.Open == nil || cfg.Picture == nil || cfg.EN == nil || cfg.ZH == nil || cfg.Now == nil || cfg.Log == nil {
		return nil, errors.New("open door for shops: Centre, Open, Picture, EN, ZH, Now and Log are required")
	}
	if cfg.KeyRate == 0 {
		cfg.KeyRate = 1200
	}
	if cfg.AddressRate == 0 {
		cfg.AddressRate = 120
	}
	return &Door{
		Config: cfg, listening: make(map[string]int), receiving: make(chan struct{}, receivedAtOnce),
		strangers: httprate.NewRateLimiter(cfg.AddressRate, time.Minute, httprate.WithLimitHandler(tooMany)),
	}, nil
}

// Limits of requests.
const (
	maxOrders  = 500
	maxImport  = 4 << 20
	maxBody    = 16 << 10
	maxCases   = 200
	maxEvents  = 500
	mostListen = 16 // streams and long polls of one key
	slowest    = time.Minute
)

// Mount puts the door's routes on r and into the description.
func (d *Door) Mount(r chi.Router, api huma.API) {
	d.describe(api)
	r.Group(func(r chi.Router) {
		r.Use(d.admitted, httprate.LimitBy(d.KeyRate, time.Minute, func(r *http.Request) (string, error) {
			return caller(r.Context()).ID, nil
		}, httprate.WithLimitHandler(tooMany)))
		with := func(scopes ...string) (chi.Router, huma.API) {
			behind := r.With(d.scoped(scopes))
			return behind, openapi.On(api, behind)
		}
		d.describeKey(with)
		d.describeOrders(with)
		d.describeCases(with)
		d.describeActions(with)
		d.describeWishes(with)
		d.describeTickets(with)
		d.describeEvents(with)
		d.describeBalance(with)
		d.describeMemos(with)
		d.describeHooks(with, api)
	})
}

// scopedTo returns routes for keys with one of the scopes.
type scopedTo func(scopes ...string) (chi.Router, huma.API)

const tag = "Shops"

func (d *Door) describe(api huma.API) {
	doc := api.OpenAPI()
	doc.Tags = append(doc.Tags, &huma.Tag{Name: tag, Description: "What the systems of shops ask: orders, cases, decisions, events, balances. " +
		"A shop sees its own orders and what belongs to them."})
	scopes := strings.Join(Scopes(), "`, `")
	doc.Components.SecuritySchemes["shop"] = &huma.SecurityScheme{
		Type: "http", Scheme: "bearer", BearerFormat: "fmk_ and 43 characters",
		Description: "A key that an administrator makes with `flawmark-central shop add NAME --scope …`, sent as `Authorization: Bearer fmk_…`. " +
			"Its scopes are of `" + scopes + "`. It works until `flawmark-central shop revoke ID`, which holds at once.",
	}
}

// operation fills in what all operations of the door have in common.
func operation(op huma.Operation, scopes ...string) huma.Operation {
	op.Tags = []string{tag}
	op.Security = nil
	for _, scope := range scopes {
		op.Security = append(op.Security, map[string][]string{"shop": {scope}})
	}
	if len(scopes) == 0 {
		op.Security = []map[string][]string{{"shop": {}}}
	}
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = maxBody
	}
	op.BodyReadTimeout = slowest
	return op
}

// refusals are the problems that every operation of the door has, and more.
func refusals(more ...string) []openapi.Refusal {
	return append(openapi.Problems(append([]string{wire.NotAuthenticated, wire.ScopeMissing, wire.Malformed}, more...)...),
		openapi.Refusal{URI: wire.Malformed, Status: http.StatusBadRequest})
}

type keyKey struct{}

// admittance is a key with the secret that it was admitted by.
type admittance struct {
	Key
	secret string
}

func caller(ctx context.Context) Key { return admission(ctx).Key }

func admission(ctx context.Context) admittance {
	a, _ := ctx.Value(keyKey{}).(admittance)
	return a
}

// admitted lets only holders of a valid key pass. Asking the store every time
// makes a revocation effective at once.
func (d *Door) admitted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Authorization", "If-Match", "Idempotency-Key"} {
			if len(r.Header.Values(name)) > 1 {
				refuse(w, wire.NewProblem(wire.Malformed, "the header "+name+" is there more than once; send one"))
				return
			}
		}
		scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		err := ErrKey
		var k Key
		if strings.EqualFold(scheme, "Bearer") && len(secret) <= 200 {
			k, err = d.Centre.ShopKey(r.Context(), secret, d.Now())
		}
		if errors.Is(err, ErrKey) {
			if d.strangers.RespondOnLimit(w, r, httprate.CanonicalizeIP(hostOf(r.RemoteAddr))) {
				return
			}
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, wire.NewProblem(wire.NotAuthenticated, "the key is missing, not known or revoked"))
			return
		}
		if err != nil {
			d.answer(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), keyKey{}, admittance{k, secret})))
	})
}

func hostOf(peer string) string {
	if i := strings.LastIndexByte(peer, ':'); i > 0 {
		return strings.Trim(peer[:i], "[]")
	}
	return peer
}

// scoped lets only keys pass that have one of the scopes; none: every key.
func (d *Door) scoped(scopes []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			has := func(scope string) bool { return slices.Contains(caller(r.Context()).Scopes, scope) }
			if len(scopes) > 0 && !slices.ContainsFunc(scopes, has) {
				refuse(w, wire.NewProblem(wire.ScopeMissing, "the scope "+strings.Join(scopes, " or ")+" is needed"))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// listen counts a stream or a long poll of a key, until the function is called.
func (d *Door) listen(key string) (func(), bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listening[key] >= mostListen {
		return nil, false
	}
	d.listening[key]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.listening[key]--; d.listening[key] == 0 {
			delete(d.listening, key)
		}
	}, true
}

func tooMany(w http.ResponseWriter, _ *http.Request) {
	if w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "5")
	}
	refuse(w, wire.NewProblem(wire.TooManyRequests, ""))
}

func refuse(w http.ResponseWriter, p *wire.Problem) { wire.Refuse(w, p.Status, p.Name(), p) }

// answer refuses with the problem that err is.
func (d *Door) answer(w http.ResponseWriter, err error) {
	problem := d.problem(err)
	wire.Refuse(w, problem.GetStatus(), problem.name(), problem)
}
