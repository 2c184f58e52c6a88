package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/ui/web/signon"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// idp is a provider of another make (zitadel's, which is certified), with
// people of its own and a sign-in page.
type idp struct {
	*httptest.Server
	t       *testing.T
	handler atomic.Pointer[http.ServeMux]
	away    atomic.Bool
}

const backHere = "http://centre.test" + backPath

// names are what the provider calls people, by what they type there.
type names map[string]*storage.User

func (n names) GetUserByUsername(name string) *storage.User { return n[name] }
func (names) ExampleClientID() string                       { return "service" }
func (n names) GetUserByID(id string) *storage.User {
	for _, user := range n {
		if user.ID == id {
			return user
		}
	}
	return nil
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	i := &idp{t: t}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.away.Load() {
			http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
			return
		}
		i.handler.Load().ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	i.restart()
	return i
}

// restart begins anew, with another signing key.
func (i *idp) restart() {
	people := names{}
	for _, name := range []string{"D01", "I01", "D09", "stranger"} {
		people[name] = &storage.User{ID: "id-" + name, Username: name, Password: "at home", Email: name + "@house.example", EmailVerified: name == "D01"}
	}
	store := storage.NewStorageWithClients(people, map[string]*storage.Client{"flawmark": storage.WebClient("flawmark", "shared secret", backHere)})
	config := &op.Config{CodeMethodS256: true}
	_, _ = rand.Read(config.CryptoKey[:])
	provider, err := op.NewProvider(config, store, op.StaticIssuer(i.URL), op.WithAllowInsecure())
	if err != nil {
		i.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", provider)
	mux.HandleFunc("POST /login/username", func(w http.ResponseWriter, r *http.Request) {
		id := r.FormValue("id")
		if err := store.CheckUsernamePassword(r.FormValue("username"), r.FormValue("password"), id); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		http.Redirect(w, r, op.AuthCallbackURL(provider)(op.ContextWithIssuer(r.Context(), i.URL), id), http.StatusSeeOther)
	})
	i.handler.Store(mux)
}

// signIn does at the provider what a browser and its person do, and returns
// where the browser is sent then.
func (i *idp) signIn(address, who string) string {
	i.t.Helper()
	client := i.Client()
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "centre.test" || strings.HasPrefix(r.URL.Path, "/login") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	onward := func(answer *http.Response, err error) *url.URL {
		i.t.Helper()
		if err != nil {
			i.t.Fatal(err)
		}
		defer answer.Body.Close()
		at, err := answer.Location()
		if err != nil {
			i.t.Fatalf("the provider answers %s: %v", answer.Status, err)
		}
		return at
	}
	login := onward(client.Get(address))
	form := url.Values{"id": {login.Query().Get("authRequestID")}, "username": {who}, "password": {"at home"}}
	return onward(client.PostForm(i.URL+"/login/username", form)).RequestURI()
}

// withSignOn is a reader of a centre that has i as its provider.
func (w *world) withSignOn(t *testing.T, i *idp, change func(*signon.Config)) *reader {
	t.Helper()
	b := w.reader(t)
	config := signon.Config{
		Issuer: i.URL, ClientID: "flawmark", Secret: "shared secret", Claim: "preferred_username", Redirect: backHere,
		Now: func() time.Time { return w.now },
	}
	if change != nil {
		change(&config)
	}
	b.pages.SignOn = signon.New(config)
	return b
}

// begin goes to the provider and returns its address.
func (b *reader) begin() string {
	b.t.Helper()
	got := b.do(http.MethodGet, "/desk/sign-in/elsewhere", nil)
	b.body(got, http.StatusSeeOther)
	return got.header.Get("Location")
}

// lands follows an address of ours and expects to be sent to another.
func (b *reader) lands(address, want string) {
	b.t.Helper()
	got := b.do(http.MethodGet, address, nil)
	if at := got.header.Get("Location"); got.status != http.StatusSeeOther || at != want {
		b.t.Errorf("status %d to %q, want %q", got.status, at, want)
	}
}

const problemAt = "/desk/sign-in?problem=web.signon."

// Whoever wanted a page comes to it by the provider, too.
func TestSignOn_GoesOn(t *testing.T) {
	t.Parallel()
	i := newIDP(t)
	for next, want := range map[string]string{
		"/desk/tickets?show=all": "/desk/tickets?show=all", "https://evil.example/desk/": "/desk", "/o/20481": "/desk",
	} {
		w := newWorld(t)
		w.now = time.Now()
		b := w.withSignOn(t, i, nil)
		way := "/desk/sign-in/elsewhere?" + url.Values{"next": {next}}.Encode()
		if page := b.get("/desk/sign-in?"+url.Values{"next": {next}}.Encode(), http.StatusOK); strings.Contains(page, `href="`+way+`"`) != (next == want) {
			t.Errorf("the door's way for %s: %.900s", next, page)
		}
		got := b.do(http.MethodGet, way, nil)
		b.body(got, http.StatusSeeOther)
		b.lands(i.signIn(got.header.Get("Location"), "D01"), want)
	}
}

func TestSignOn_LetsInWhoWorksAtTheDesk(t *testing.T) {
	t.Parallel()
	i := newIDP(t)
	for who, want := range map[string]string{
		"D01": "/desk", "I01": problemAt + "unknown", "D09": problemAt + "unknown", "stranger": problemAt + "unknown",
	} {
		w := newWorld(t)
		w.now = time.Now()
		b := w.withSignOn(t, i, nil)
		if page := b.get("/desk/sign-in", http.StatusOK); !strings.Contains(page, `href="/desk/sign-in/elsewhere"`) {
			t.Error("the sign-in page does not offer it")
		}
		address := b.begin()
		asked, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		query := asked.Query()
		if query.Get("redirect_uri") != backHere || query.Get("code_challenge_method") != "S256" || query.Get("nonce") == "" || len(query.Get("state")) < 40 {
			t.Errorf("asked by %s", address)
		}
		b.lands(i.signIn(address, who), want)
		status := http.StatusSeeOther
		if want == "/desk" {
			status = http.StatusOK
		}
		b.get("/desk", status)
		if strings.Contains(w.log.String(), "shared secret") || strings.Contains(w.log.String(), "code=") {
			t.Errorf("the log holds a secret: %s", w.log)
		}
	}
}

// What comes back is used once, by the browser that asked, in time.
func TestSignOn_RefusesWhatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	i := newIDP(t)
	const refused = problemAt + "refused"
	fresh := func() (*world, *reader, string) {
		w := newWorld(t)
		w.now = time.Now()
		b := w.withSignOn(t, i, nil)
		return w, b, i.signIn(b.begin(), "D01")
	}
	cookie := flowCookie + "/desk/sign-in"

	_, b, back := fresh()
	kept := *b.jar[cookie]
	b.lands(back, "/desk")
	b.sent("/desk/sign-out", url.Values{})
	b.lands(back, refused)
	b.jar[cookie] = &kept
	b.lands(back, refused) // the provider takes a code once

	_, _, back = fresh()
	_, victim, _ := fresh()
	victim.lands(back, refused) // another's answer, as a link

	_, b, back = fresh()
	delete(b.jar, cookie)
	b.lands(back, refused)

	_, b, back = fresh()
	b.lands(strings.Replace(back, "state=", "state=x", 1), refused)

	_, b, back = fresh()
	b.lands(back+"&iss=https%3A%2F%2Fother.example", refused)

	w, b, back := fresh()
	w.now = w.now.Add(11 * time.Minute)
	b.lands(back, refused)

	_, b, _ = fresh()
	b.lands(backPath, refused)
	b.lands(backPath+"?error=access_denied", refused)

	for name, change := range map[string]func(*signon.Flow){
		"another verifier": func(f *signon.Flow) { f.Verifier += "x" },
		"another nonce":    func(f *signon.Flow) { f.Nonce += "x" },
		"none":             func(*signon.Flow) {},
	} {
		_, b, back := fresh()
		flow, err := b.pages.openErrand(b.jar[cookie].Value)
		if err != nil {
			t.Fatal(err)
		}
		change(&flow.Flow)
		sealed, err := b.pages.sealErrand(flow)
		if err != nil {
			t.Fatal(err)
		}
		b.jar[cookie].Value = sealed
		want := refused
		if name == "none" {
			want = "/desk"
		}
		t.Log(name)
		b.lands(back, want)
	}
	_, b, back = fresh()
	payload, _, _ := strings.Cut(b.jar[cookie].Value, ".")
	b.jar[cookie].Value = payload + ".AAAA"
	b.lands(back, refused)
}

// The provider's keys change, and its clock is a little wrong.
func TestSignOn_KeysAndClocks(t *testing.T) {
	t.Parallel()
	i := newIDP(t)
	w := newWorld(t)
	w.now = time.Now()
	b := w.withSignOn(t, i, nil)
	b.lands(i.signIn(b.begin(), "D01"), "/desk")
	i.restart()
	b.lands(i.signIn(b.begin(), "D01"), "/desk")

	const lifetime = time.Hour // of a token there
	for ahead, want := range map[time.Duration]string{
		-5 * time.Minute: "/desk", lifetime + 30*time.Second: "/desk", lifetime + 3*time.Minute: problemAt + "refused",
	} {
		w.now = time.Now().Add(ahead)
		t.Log(ahead)
		b.lands(i.signIn(b.begin(), "D01"), want)
	}
}

// Without the provider the password still opens the desk, and the page says so.
func TestSignOn_PasswordsOpenWhileTheProviderIsAway(t *testing.T) {
	t.Parallel()
	i := newIDP(t)
	w := newWorld(t)
	w.now = time.Now()
	b := w.withSignOn(t, i, nil)
	i.away.Store(true)
	b.lands("/desk/sign-in/elsewhere", problemAt+"away")
	if page := b.get(problemAt+"away", http.StatusOK); !strings.Contains(page, "does not answer now") || !strings.Contains(page, `name="password"`) {
		t.Errorf("the page says %s", page)
	}
	i.away.Store(false)
	back := i.signIn(b.begin(), "D01")
	i.away.Store(true)
	b.lands(back, problemAt+"away")
	b.signIn("D01")
	b.get("/desk", http.StatusOK)
	if page := b.get("/desk/sign-in?problem=error.unexpected", http.StatusOK); strings.Contains(page, `role="alert"`) {
		t.Error("an address makes the page say anything")
	}
}

// Names of the provider stand for staff; an address must be verified there.
func TestSignOn_Claims(t *testing.T) {
	t.Parallel()
	i := newIDP(t)
	people := map[string]qc.StaffID{"D01@house.example": "L01", "stranger@house.example": "L01"}
	for who, want := range map[string]string{"D01": "/desk", "stranger": problemAt + "refused"} {
		w := newWorld(t)
		w.now = time.Now()
		b := w.withSignOn(t, i, func(c *signon.Config) { c.Claim = "email" })
		b.pages.People = people
		b.lands(i.signIn(b.begin(), who), want)
	}
	w := newWorld(t)
	w.now = time.Now()
	b := w.withSignOn(t, i, nil)
	b.pages.People = people // in which no D01 is
	b.lands(i.signIn(b.begin(), "D01"), problemAt+"unknown")
	wrong := w.withSignOn(t, i, func(c *signon.Config) { c.Secret = "guess" })
	wrong.lands(i.signIn(wrong.begin(), "D01"), problemAt+"refused")
	if _, _, err := signon.New(signon.Config{Issuer: i.URL + "/other", Now: time.Now}).Begin(context.Background()); err == nil {
		t.Error("an issuer that calls itself otherwise is taken")
	}
}
