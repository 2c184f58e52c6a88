package web

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// Whoever adds a page says who may see it, in the centre's table, which is
// tested there. The table is read as text: this room does not know the centre.
func TestRoutes_EachSaysWhoMayPass(t *testing.T) {
	t.Parallel()
	const table = "app/central/access_test.go"
	text, err := os.ReadFile("../../" + table)
	if err != nil {
		t.Fatal(err)
	}
	patterns := newWorld(t).pages(t).Routes()
	if len(patterns) < 20 {
		t.Fatalf("only %d routes", len(patterns))
	}
	for _, pattern := range patterns {
		if !strings.Contains(string(text), strconv.Quote(pattern)) {
			t.Errorf("route %q has no row in %s: add who may ask it and what everybody else is answered, "+
				"and run go test -tags ci ./app/central -run TestAccess", pattern, table)
		}
	}
}
