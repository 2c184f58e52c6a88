package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flawmark/app/qc"
)

// A browser is known for whom it has signed in before, and for nobody else; a
// cookie that was made up or is of another centre says nothing.
func TestDesk_KnowsBrowsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, second := w.reader(t), w.reader(t)
	b.pages.refusing, second.pages.refusing = 0, 0
	from := func(b *reader, id, given string) Source {
		t.Helper()
		b.do(http.MethodPost, "/desk/sign-in", url.Values{"id": {id}, "password": {given}})
		return w.triedFrom[len(w.triedFrom)-1]
	}
	stranger := from(b, "D01", "guess")
	if stranger.Known || stranger.Name == "" || b.jar[deviceCookie+"/desk"] != nil {
		t.Errorf("at first it is %+v", stranger)
	}
	from(b, "D01", password)
	known := from(b, "D01", "guess")
	if !known.Known || known.Name == stranger.Name {
		t.Errorf("after signing in it is %+v", known)
	}
	if other := from(b, "L01", "guess"); other != stranger {
		t.Errorf("for somebody else it is %+v", other)
	}
	from(b, "L01", password)
	if both := from(b, "D01", "guess"); both != known {
		t.Errorf("after somebody else has signed in, too, it is %+v, was %+v", both, known)
	}
	cookie := b.jar[deviceCookie+"/desk"]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || strings.Contains(cookie.Value, "D01") || cookie.MaxAge < 30*24*3600 {
		t.Errorf("the cookie is %+v", cookie)
	}
	name, marks, _ := strings.Cut(cookie.Value, ".")
	for _, value := range []string{"", name, name + ".", name + "." + strings.Repeat("A", 22), "x" + name[1:] + "." + marks, "." + marks, strings.Repeat(marks+".", 9)} {
		second.jar[deviceCookie+"/desk"] = &http.Cookie{Name: deviceCookie, Value: value}
		if got := from(second, "D01", "guess"); got.Known {
			t.Errorf("%q is known", value)
		}
	}
	for i := range 20 { // many people share it: the last of them are known
		id := qc.StaffID(fmt.Sprint("S", i))
		w.staff[id] = qc.Staff{ID: id, Name: "谁", Role: qc.Clerk, Active: true}
		from(b, string(id), password)
	}
	if first, last := from(b, "S0", "guess"), from(b, "S12", "guess"); first.Known || !last.Known {
		t.Errorf("the first is %+v, one of the last %+v", first, last)
	}
}

// The second person's password is tried as often as the first lets it be, and
// no more: what is wrong is counted under who is signed in.
func TestDesk_ApproversAreTriedFromTheDesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	b := w.reader(t)
	b.signIn("D01")
	b.stepped(url.Values{"event": {"withdraw"}, "version": {"1"}, "reason": {"ours"}, "approver": {"A01"}, "approver_password": {"guess"}})
	if got := w.triedFrom[len(w.triedFrom)-1]; !got.Known || !strings.Contains(got.Name, "D01") {
		t.Errorf("tried from %+v", got)
	}
}
