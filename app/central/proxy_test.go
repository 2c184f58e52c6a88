package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"flawmark/app/settings"
)

func TestBehindProxies(t *testing.T) {
	t.Parallel()
	trusted := settings.Centre{TrustedProxies: []string{"10.0.0.0/8", "127.0.0.1", "fd00::/8"}}.Proxies()
	for name, test := range map[string]struct {
		peer string
		hops []string
		want string
	}{
		"no proxy":                {"203.0.113.7:4000", nil, "203.0.113.7:4000"},
		"a stranger's claim":      {"203.0.113.7:4000", []string{"198.51.100.1"}, "203.0.113.7:4000"},
		"one proxy":               {"127.0.0.1:4000", []string{"203.0.113.7"}, "203.0.113.7:0"},
		"the client's own claims": {"127.0.0.1:4000", []string{"1.1.1.1, 203.0.113.7"}, "203.0.113.7:0"},
		"claims in two lines":     {"127.0.0.1:4000", []string{"1.1.1.1", "203.0.113.7"}, "203.0.113.7:0"},
		"two proxies":             {"[fd00::1]:4000", []string{"1.1.1.1, 203.0.113.7, 10.1.2.3"}, "203.0.113.7:0"},
		"IPv4 in IPv6":            {"[::ffff:10.0.0.1]:4000", []string{"::ffff:203.0.113.7"}, "203.0.113.7:0"},
		"IPv6 client":             {"10.0.0.1:4000", []string{"2001:db8::7"}, "[2001:db8::7]:0"},
		"with ports":              {"10.0.0.1:4000", []string{"203.0.113.7:99, [fd00::2]:99"}, "203.0.113.7:0"},
		"only proxies":            {"10.0.0.1:4000", []string{"10.0.0.9"}, "10.0.0.9:0"},
		"no hop":                  {"10.0.0.1:4000", nil, "10.0.0.1:4000"},
		"nonsense":                {"10.0.0.1:4000", []string{"203.0.113.7, unknown"}, "10.0.0.1:4000"},
		"nonsense further on":     {"10.0.0.1:4000", []string{"unknown, 10.0.0.9"}, "10.0.0.9:0"},
		"a socket":                {"@", []string{"203.0.113.7"}, "@"},
	} {
		var got string
		handler := behindProxies(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = test.peer
		for _, hop := range test.hops {
			r.Header.Add("X-Forwarded-For", hop)
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if r.RemoteAddr != test.peer {
			t.Errorf("%s: the server's own request was changed", name)
		}
	}
}

// Behind a trusted proxy one customer's tries are not another's.
func TestHandler_LimitsClientsNotTheirProxy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.c.settings.TrustedProxies = []string{"192.0.2.0/24"}
	pages, closePages, err := h.c.pages(t.Context())
	h.must(err)
	t.Cleanup(func() { _ = closePages() })
	handler, err := h.c.handler(t.Context(), pages)
	h.must(err)
	ask := func(client string) int {
		r := httptest.NewRequest(http.MethodGet, "/o/1?t=guess", nil) // from 192.0.2.1
		r.Header.Set("X-Forwarded-For", client)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	limited := false
	for range 2000 {
		if limited = ask("203.0.113.7") == http.StatusTooManyRequests; limited {
			break
		}
	}
	if code := ask("203.0.113.8"); !limited || code == http.StatusTooManyRequests {
		t.Errorf("one client is limited: %v; the other got status %d", limited, code)
	}
}
