// Package locale gives the toolkit a language where the system names none.
//
// Fyne reads the locale when its packages are initialised and prints a
// complaint about "C", which servers, scripts and services commonly run under.
// Go initialises packages in the order of their import paths where they do not
// depend on each other, so this one, which depends on nothing of ours, comes
// before fyne.io. What people read is chosen by --lang and not by this.
package locale

import (
	"os"
	"strings"
)

func init() {
	if !named(os.Getenv) {
		// Cannot fail for this name; if it did, only the complaint would stay.
		_ = os.Setenv("LANGUAGE", "en")
	}
}

// named reports whether the environment names a language.
func named(getenv func(string) string) bool {
	for _, name := range []string{"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			language, _, _ := strings.Cut(value, ".")
			return language != "C" && language != "POSIX"
		}
	}
	return false
}
