package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
	_ "time/tzdata" // customers' time zones, on machines that have none

	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/imaging/photo"
	"flawmark/ui/web/darkroom"

	"github.com/go-chi/httprate"
)

// Config names what the pages are made of. All fields but Budget, Secure and
// Public are needed.
type Config struct {
	Store     Store
	Blobs     Blobs
	Derived   darkroom.Derived        // what is made of originals, bounded
	Budget    *photo.Budget           // of the memory for that; nil: unbounded
	Words     map[string]assets.Words // by language: "en" and "zh"
	Catalogue qc.Catalogue
	Now       func() time.Time
	Log       *slog.Logger
	Secret    []byte // signs sessions; at least 32 bytes, the same after a restart
	// Secure: the pages are reached by https even where requests arrive
	// without it, as behind a proxy. Cookies then never travel in the clear.
	Secure bool
	// SignOn is the house's identity provider; nil: there are passwords only.
	// People says who somebody is whom it names; nil: it names staff ids.
	SignOn SignOn
	People map[string]qc.StaffID
	// PushKey is the centre's key for Web Push; empty: it is not offered.
	PushKey string
	// Away reports that an error means only that the database, or where files
	// are kept, does not answer now; nil: none does.
	Away func(error) bool
	// NoMail: no mail server is set, so that nobody is written to by mail.
	NoMail bool
	// Public is the base URL of links made for customers, such as
	// "https://qc.example.com"; empty: where the clerk's request went.
	Public string
}

// Pages are the centre's pages. They are safe for concurrent use.
type Pages struct {
	Config
	templates templates
	files     assetFiles
	darkroom  *darkroom.Darkroom
	drawing   chan struct{} // who draws regions now
	inbox     *inbox        // of customers' pictures
	listeners *listeners
	refusing  time.Duration // what refusing a sign-in takes at least
}

// Limits of what is taken in.
const (
	maxForm          = 16 << 10 // bytes of a form
	maxText          = 500      // letters of a field
	formTime         = 30 * time.Second
	signInsPerMinute = 60  // of one address; the store also slows a staff id down
	linksPerMinute   = 600 // of one address: a customer's network may hide many
	tilesPerMinute   = 6000
	visitsPerMinute  = 12_000 // of one address, whatever it asks for
	writesPerMinute  = 60     // of one address; the store also counts what an order's customer writes
)

// New returns the pages, or says what is missing.
func New(config Config) (*Pages, error) {
	switch {
	case config.Store == nil, config.Blobs == nil, config.Derived == nil, config.Now == nil, config.Log == nil:
		return nil, errors.New("pages need a store, blobs, a cache, a clock and a log")
	case len(config.Secret) < 32:
		return nil, errors.New("pages need a secret of at least 32 bytes")
	}
	for _, language := range assets.Languages() {
		if _, ok := config.Words[language]; !ok {
			return nil, fmt.Errorf("pages need the words of language %q", language)
		}
	}
	files, err := readAssets(assets.Web())
	if err != nil {
		return nil, err
	}
	files.add("icon.svg", assets.IconSVG())
	parsed, err := parseTemplates(files)
	if err != nil {
		return nil, err
	}
	dark, err := darkroom.New(darkroom.Config{Originals: config.Blobs, Derived: config.Derived, Budget: config.Budget, Log: config.Log})
	if err != nil {
		return nil, err
	}
	return &Pages{
		Config: config, templates: parsed, files: files, darkroom: dark, drawing: make(chan struct{}, atOnce),
		inbox: newInbox(), listeners: &listeners{open: map[string]int{}}, refusing: refusalTakes,
	}, nil
}

// Run develops photos for the pages until ctx ends. Pages that are served
// without it show previews only.
func (p *Pages) Run(ctx context.Context) error { return p.darkroom.Run(ctx) }

// Handler returns the pages' routes. It answers everything it is asked, so it
// is mounted last, at the root.
func (p *Pages) Handler() http.Handler {
	visits := httprate.LimitBy(visitsPerMinute, time.Minute, peer, httprate.WithLimitHandler(p.tooMany))
	return p.headers(visits(http.NewCrossOriginProtection().Handler(p.onlyLegible(p.routes()))))
}

func (p *Pages) routes() *routes {
	mux := &routes{ServeMux: http.NewServeMux()}
	links := httprate.LimitBy(linksPerMinute, time.Minute, peer, httprate.WithLimitHandler(p.tooMany))
	signIns := httprate.LimitBy(signInsPerMinute, time.Minute, peer, httprate.WithLimitHandler(p.tooMany))
	many := httprate.LimitBy(tilesPerMinute, time.Minute, peer, httprate.WithLimitHandler(p.tooMany))

	mux.Handle("GET /assets/", p.files)
	mux.Handle("GET /{$}", http.RedirectHandler("/desk", http.StatusSeeOther))

	mux.Handle("GET /o/{order}", p.linkFirst(links, http.HandlerFunc(p.orderPage)))
	mux.HandleFunc("GET /"+pushWorker, p.pushScript)
	mux.HandleFunc("GET /o/{order}/events", p.orderEvents)
	mux.Handle("POST /o/{order}/push", links(http.HandlerFunc(p.orderPush)))
	mux.HandleFunc("POST /o/{order}/cases/{case}/decision", p.orderDecide)
	mux.HandleFunc("POST /o/{order}/cases/{case}/split", p.orderSplit)
	mux.HandleFunc("POST /o/{order}/instructions", p.orderInstruct)
	mux.HandleFunc("POST /o/{order}/mails", p.orderMails)
	mux.Handle("GET "+mailsPath, links(http.HandlerFunc(p.mailsPage)))
	mux.Handle("POST "+mailsPath, links(http.HandlerFunc(p.mailsChoose)))
	mux.HandleFunc("GET /o/{order}/photos/{digest}", p.orderPhotoPage)
	mux.HandleFunc("GET /o/{order}/photos/{digest}/{size}", p.orderPhoto)

	writes := httprate.LimitBy(writesPerMinute, time.Minute, peer, httprate.WithLimitHandler(p.tooMany))
	mux.HandleFunc("GET /o/{order}/tickets", p.orderTickets)
	mux.Handle("POST /o/{order}/tickets", writes(http.HandlerFunc(p.orderOpenTicket)))
	mux.HandleFunc("GET /o/{order}/tickets/{ticket}", p.orderTicket)
	mux.Handle("POST /o/{order}/tickets/{ticket}", writes(http.HandlerFunc(p.orderWrite)))
	mux.HandleFunc("GET /o/{order}/tickets/{ticket}/pictures/{digest}/{size}", p.orderTicketPicture)

	for _, rest := range []string{"", "/info.json", "/{region}/{size}/{rotation}/{file}"} {
		mux.Handle("GET /o/{order}/iiif/{digest}"+rest, many(http.HandlerFunc(p.orderIIIF)))
		mux.Handle("GET /desk/cases/{case}/iiif/{digest}"+rest, many(p.staffOnly(p.deskIIIF)))
	}

	mux.HandleFunc("GET /o/{order}/memos/{number}", p.orderMemo)
	mux.Handle("GET /o/{order}/memos/{number}/{file}", writes(http.HandlerFunc(p.orderMemo)))
	mux.HandleFunc("GET /desk/memos/{number}", p.staffOnly(p.deskMemo))
	mux.HandleFunc("GET /desk/memos/{number}/{file}", p.staffOnly(p.deskMemo))

	mux.HandleFunc("GET /desk/sign-in", p.signInPage)
	mux.Handle("POST /desk/sign-in", signIns(http.HandlerFunc(p.signIn)))
	mux.Handle("GET /desk/sign-in/elsewhere", signIns(http.HandlerFunc(p.signOnBegin)))
	mux.Handle("GET "+backPath, signIns(http.HandlerFunc(p.signOnBack)))
	mux.HandleFunc("POST /desk/sign-out", p.signOut)
	mux.HandleFunc("GET /desk", p.staffOnly(p.deskList))
	mux.HandleFunc("GET /desk/events", p.staffOnly(p.deskEvents))
	mux.HandleFunc("GET /desk/bulk", p.staffOnly(p.deskBulk))
	mux.HandleFunc("POST /desk/bulk", p.staffOnly(p.deskBulkAct))
	mux.HandleFunc("GET /desk/bulk/{run}", p.staffOnly(p.deskBulkDone))
	mux.HandleFunc("GET /desk/cases/{case}", p.staffOnly(p.deskCase))
	mux.HandleFunc("POST /desk/cases/{case}/events", p.staffOnly(p.deskAct))
	mux.HandleFunc("POST /desk/cases/{case}/split", p.staffOnly(p.deskSplit))
	mux.HandleFunc("POST /desk/cases/{case}/assignee", p.staffOnly(p.deskAssign))
	mux.HandleFunc("POST /desk/cases/{case}/correction", p.staffOnly(p.deskCorrect))
	mux.HandleFunc("POST /desk/cases/{case}/claim", p.staffOnly(p.deskClaim))
	mux.HandleFunc("GET /desk/cases/{case}/letters", p.staffOnly(p.deskLetters))
	mux.HandleFunc("POST /desk/cases/{case}/letters", p.staffOnly(p.deskLetterSent))
	mux.HandleFunc("POST /desk/cases/{case}/notices", p.staffOnly(p.deskRetell))
	mux.Handle("POST /desk/cases/{case}/contact", writes(p.staffOnly(p.deskContact)))
	mux.HandleFunc("GET /desk/reports", p.staffOnly(p.deskReports))
	mux.HandleFunc("GET /desk/reports/{file}", p.staffOnly(p.deskReport))
	mux.HandleFunc("GET /desk/refunds", p.staffOnly(p.deskRefunds))
	mux.HandleFunc("POST /desk/refunds", p.staffOnly(p.deskRefundsRead))
	mux.HandleFunc("GET /desk/refunds/{run}", p.staffOnly(p.deskRefundsRun))
	mux.HandleFunc("POST /desk/refunds/{run}", p.staffOnly(p.deskRefundsBook))
	mux.HandleFunc("GET /desk/sellers", p.staffOnly(p.deskSellers))
	mux.HandleFunc("GET /desk/texts", p.staffOnly(p.deskTexts))
	mux.HandleFunc("GET /desk/texts/{text}", p.staffOnly(p.deskText))
	mux.HandleFunc("POST /desk/texts/{text}", p.staffOnly(p.deskTextSave))
	mux.HandleFunc("POST /desk/cases/{case}/link", p.staffOnly(p.deskLink))
	mux.HandleFunc("GET /desk/cases/{case}/evidence.zip", p.staffOnly(p.deskEvidence))
	mux.HandleFunc("GET /desk/cases/{case}/photos/{digest}", p.staffOnly(p.deskPhotoPage))
	mux.HandleFunc("GET /desk/cases/{case}/photos/{digest}/{size}", p.staffOnly(p.deskPhoto))
	mux.HandleFunc("GET /desk/tickets", p.staffOnly(p.deskTickets))
	mux.HandleFunc("GET /desk/tickets/events", p.staffOnly(p.deskTicketEvents))
	mux.HandleFunc("GET /desk/tickets/{ticket}", p.staffOnly(p.deskTicket))
	mux.HandleFunc("POST /desk/tickets/{ticket}", p.staffOnly(p.deskAnswer))
	mux.HandleFunc("POST /desk/tickets/{ticket}/settle", p.staffOnly(p.deskSettle))
	mux.HandleFunc("GET /desk/tickets/{ticket}/pictures/{digest}/{size}", p.staffOnly(p.deskTicketPicture))
	mux.HandleFunc("/", p.nothingHere)
	return mux
}

// linkFirst sends requests that bring a link's secret through a limit, so that
// secrets cannot be guessed, and all others straight on.
func (p *Pages) linkFirst(limit func(http.Handler) http.Handler, next http.Handler) http.Handler {
	limited := limit(http.HandlerFunc(p.orderLink))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("t") {
			limited.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// headers sets what holds for every answer. Pages load nothing from elsewhere,
// run no inline script, and cannot be framed.
func (p *Pages) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		// Not no-referrer: browsers would send forms without their origin.
		// No address that is left after a redirect holds a secret.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if p.secure(r) { // from now on this host is asked by https only
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// failed answers a request that nobody could have answered, and logs why.
func (p *Pages) failed(w http.ResponseWriter, r *http.Request, what string, err error) {
	if errors.Is(err, context.Canceled) || r.Context().Err() != nil {
		return // the reader has left
	}
	p.Log.ErrorContext(r.Context(), "page failed", "what", what, "error", err)
	status, key := p.fault(w, err)
	p.sorry(w, r, status, key)
}

// fault says what to answer where nobody who asks is at fault.
func (p *Pages) fault(w http.ResponseWriter, err error) (status int, key string) {
	if p.Away != nil && p.Away(err) {
		w.Header().Set("Retry-After", "10")
		return http.StatusServiceUnavailable, "web.away"
	}
	return http.StatusInternalServerError, "error.unexpected"
}

func (p *Pages) tooMany(w http.ResponseWriter, r *http.Request) {
	p.sorry(w, r, http.StatusTooManyRequests, "web.too_many")
}

func (p *Pages) nothingHere(w http.ResponseWriter, r *http.Request) {
	p.sorry(w, r, http.StatusNotFound, "web.nothing_here")
}

// peer returns what a request is counted under: the host that sent it, or the
// whole network of a host on IPv6, which may take a new address each time. A
// main behind a proxy puts the client's address in its place first.
func peer(r *http.Request) (string, error) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr, nil //nolint:nilerr // not of TCP: counted as it is
	}
	return httprate.CanonicalizeIP(host), nil
}
