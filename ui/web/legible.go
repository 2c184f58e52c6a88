package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// legible reports whether text can be kept and shown: databases take no zero
// character, and what is no UTF-8 is nothing that a person has typed.
func legible(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

func legibleValues(values url.Values) bool {
	for name, list := range values {
		for _, value := range append(list, name) {
			if !legible(value) {
				return false
			}
		}
	}
	return true
}

// onlyLegible answers for addresses that can name nothing, before any store is
// asked.
func (p *Pages) onlyLegible(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !legible(r.URL.Path) || !legibleValues(r.URL.Query()) {
			p.nothingHere(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
