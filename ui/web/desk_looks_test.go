package web

import (
	"net/http"
	"regexp"
	"testing"

	"flawmark/app/qc"
)

var postForm = regexp.MustCompile(`<form[^>]*method="post"[^>]*action="([^"]*)"`)

// Whoever only looks is offered nothing that would be refused.
func TestDesk_OffersNothingToWhomItIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	askedWorld(t, w)
	for _, id := range []qc.StaffID{"V01", "A01"} {
		b := w.reader(t)
		b.signIn(id)
		for _, address := range []string{
			"/desk", "/desk?show=all", "/desk/cases/K-20481-2", "/desk/tickets", "/desk/tickets?show=all", "/desk/tickets/20481-T1", "/desk/refunds",
		} {
			got := b.do(http.MethodGet, address, nil)
			if got.status != http.StatusOK {
				t.Errorf("%s asks for %s: status %d", id, address, got.status)
			}
			for _, form := range postForm.FindAllStringSubmatch(got.body, -1) {
				if form[1] != "/desk/sign-out" {
					t.Errorf("%s is offered %s on %s", id, form[1], address)
				}
			}
		}
	}
	b := w.reader(t)
	b.signIn("D01")
	if forms := postForm.FindAllString(b.get("/desk/cases/K-20481-2", http.StatusOK), -1); len(forms) < 3 {
		t.Errorf("a clerk is offered %q: the test looks for the wrong thing", forms)
	}
}
