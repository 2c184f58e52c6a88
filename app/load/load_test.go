package load

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flawmark/app/qc"
)

func TestNoise_NamesEachFileRightly(t *testing.T) {
	t.Parallel()
	n, err := newNoise(1000)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[qc.Digest]bool)
	for range 20 {
		digest, data := n.file()
		if len(data) != 1000 || digest != qc.DigestOf(data) || seen[digest] {
			t.Fatalf("a file of %d bytes is called %s, which is %s; seen before: %t", len(data), digest, qc.DigestOf(data), seen[digest])
		}
		seen[digest] = true
	}
}

func TestTimes_Percentile(t *testing.T) {
	t.Parallel()
	var times Times
	for i := 100; i > 0; i-- {
		times = append(times, time.Duration(i))
	}
	for p, want := range map[float64]time.Duration{0: 1, 50: 50, 99: 99, 99.5: 100, 100: 100} {
		if got := times.Percentile(p); got != want {
			t.Errorf("percentile %v is %d, want %d", p, got, want)
		}
	}
	if got := (Times{}).Percentile(99); got != 0 {
		t.Errorf("of none: %v", got)
	}
}

// TestPaced_BeginsWhatIsDueThoughNothingIsAnswered has every piece of work take
// longer than all of them are apart.
func TestPaced_BeginsWhatIsDueThoughNothingIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var mu sync.Mutex
		late := make(map[int]time.Duration)
		err := paced(t.Context(), begun, time.Second, 10, func(i int, due time.Time) {
			mu.Lock()
			late[i] = time.Since(due)
			mu.Unlock()
			time.Sleep(time.Minute)
		})
		if err != nil || len(late) != 10 {
			t.Fatalf("%d began: %v", len(late), err)
		}
		for i, by := range late {
			if by != 0 {
				t.Errorf("%d began %v late", i, by)
			}
		}
		if took := time.Since(begun); took != 9*time.Second+time.Minute {
			t.Errorf("all took %v", took)
		}
	})
}

func TestNarrowLine_CarriesNoMoreThanItsRate(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	line := NarrowLine(200_000)
	defer line.CloseIdleConnections()
	begun := time.Now()
	response, err := (&http.Client{Transport: line}).Post(server.URL, "text/plain", strings.NewReader(strings.Repeat("x", 100_000)))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	// Half a second's worth, less what a line holds at once; slower machines take longer.
	if took := time.Since(begun); took < 400*time.Millisecond {
		t.Errorf("100 kB took %v at 200 kB/s", took)
	}
}
