package intake_test

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"flawmark/sync/intake"
	"flawmark/sync/intake/intaketest"

	"github.com/go-chi/chi/v5"
)

// Whoever adds a route says who may ask it, in the centre's table, which is
// tested there. The table is read as text: this room does not know the centre.
func TestRoutes_EachSaysWhoMayPass(t *testing.T) {
	const table = "app/central/access_test.go"
	text, err := os.ReadFile("../../" + table)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := intake.New(intaketest.New("s1", nil).Config())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = chi.Walk(handler.(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		n++
		if pattern := method + " " + route; !strings.Contains(string(text), strconv.Quote(pattern)) {
			t.Errorf("route %q has no row in %s: add who may ask it and what everybody else is answered, "+
				"and run go test -tags ci ./app/central -run TestAccess", pattern, table)
		}
		return nil
	})
	if err != nil || n < 10 {
		t.Fatalf("%d routes, %v", n, err)
	}
}
