package notify_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flawmark/app/refund"
	"flawmark/assets" //nolint:depguard // the test sends the real words
	"flawmark/sync/notify/pushtest"

	"github.com/google/go-cmp/cmp"
)

// What reaches a browser is golden: the test of the pages gives it to the script
// that shows it.
func TestPush_IsAsTheGoldenOne(t *testing.T) {
	t.Parallel()
	for _, language := range assets.Languages() {
		m := pushtest.Start(t)
		s, _, _ := browsing(t, m, language, notice(refund.TellProblem))
		if _, err := s.Drain(t.Context(), refund.ByPush); err != nil {
			t.Fatal(err)
		}
		got := m.Taken()[0].Text + "\n"
		file := filepath.Join("testdata", "push-"+language+".json")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("push differs (go test -update rewrites it):\n%s", diff)
		}
	}
}

// A maker that wants to be left alone for a while is.
func TestPush_WaitsAsLongAsTheMakerWants(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"": time.Minute, "10": time.Minute, "1800": 30 * time.Minute, "999999999999": 6 * time.Hour, "9999999999999999999999": time.Minute,
		"-5": time.Minute, "soon": time.Minute, time.Now().Add(-time.Hour).UTC().Format(httpDate): time.Minute,
	} {
		m := pushtest.Start(t)
		m.Answer(429)
		m.Later(header)
		s, b, _ := browsing(t, m, "en", notice(refund.TellProblem))
		if _, err := s.Drain(t.Context(), refund.ByPush); err != nil {
			t.Fatal(err)
		}
		if got := b.outcomes[0].Again.Sub(noon); b.outcomes[0].State != refund.NoticeWaiting || got != want {
			t.Errorf("Retry-After %q: %s, tried again after %s, want %s", header, b.outcomes[0].State, got, want)
		}
	}
}

const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// Whatever an item is called, the message is no longer than makers take (which
// pushtest checks), and still says what it is about.
func TestPush_IsNeverTooLong(t *testing.T) {
	t.Parallel()
	for _, name := range []string{strings.Repeat("<&>", 2000), strings.Repeat("鞋", 2000), strings.Repeat("\"\\", 2000), strings.Repeat("🧦", 2000)} {
		m := pushtest.Start(t)
		var all []refund.Notice
		for range 3 {
			n := notice(refund.TellSentBack)
			n.Snapshot.Carrier = name
			all = append(all, n)
		}
		s, b, _ := browsing(t, m, "en", all...)
		if _, err := s.Drain(t.Context(), refund.ByPush); err != nil {
			t.Fatal(err)
		}
		if got := m.Taken(); len(got) != 1 || !strings.Contains(got[0].Text, "20481") {
			t.Errorf("%.10s: taken %+v, %+v", name, got, b.outcomes)
		}
	}
}
