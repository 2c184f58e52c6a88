package main

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// behindProxies lets next see the client's address instead of its proxy's, so
// that limits hold for each client and not for all together. Only trusted
// proxies are believed; without any, nothing is.
func behindProxies(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if client, ok := forwardedFor(r, trusted); ok {
			r = r.WithContext(r.Context()) // a copy: the server's own stays as it is
			r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
		}
		next.ServeHTTP(w, r)
	})
}

// forwardedFor returns whom a trusted proxy speaks for: the last hop that is no
// trusted proxy itself. What stands before that hop, its sender may have made up.
func forwardedFor(r *http.Request, trusted []netip.Prefix) (netip.Addr, bool) {
	isProxy := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(network netip.Prefix) bool { return network.Contains(a) })
	}
	peer, err := parseHop(r.RemoteAddr)
	if err != nil || !isProxy(peer) {
		return netip.Addr{}, false
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	client := peer
	for _, hop := range slices.Backward(hops) {
		address, err := parseHop(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if client = address; !isProxy(client) {
			break
		}
	}
	return client, client != peer
}

// parseHop reads an address with or without a port.
func parseHop(text string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap(), nil
	}
	address, err := netip.ParseAddr(text)
	return address.Unmap(), err
}
