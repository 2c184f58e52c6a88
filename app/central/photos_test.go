package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/storage/blob"
)

func TestOpenDerived_IsNothingWhereThereIsNothing(t *testing.T) {
	t.Parallel()
	cache, err := blob.OpenDerived(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	derived, d := openDerived{cache}, qc.DigestOf([]byte("a photo"))
	if file, err := derived.Get(t.Context(), d, "index-1"); file != nil || !errors.Is(err, qc.ErrNotFound) {
		t.Errorf("nothing is %v, %v", file, err)
	}
	if err := derived.Put(t.Context(), d, "index-1", func(w io.Writer) error { _, err := io.WriteString(w, "made"); return err }); err != nil {
		t.Fatal(err)
	}
	file, err := derived.Get(t.Context(), d, "index-1")
	if err != nil || file.Size() != 4 {
		t.Fatalf("what was put: %v, %v", file, err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}

// The service develops a photo once somebody looks at it, and keeps what it made
// on the disk.
func TestPages_DevelopWhatIsLookedAt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	f := h.finding("f1", 1, flaw("a", "H11", ""))
	h.say(qc.FindingRecorded, f)
	pages, closePages, err := h.c.pages(t.Context())
	h.must(err)
	h.pages, err = h.c.handler(t.Context(), pages)
	h.must(err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- pages.Run(ctx) }()
	digest := string(f.Photos[0].Digest)
	if info := h.page("/o/1/iiif/" + digest + "/info.json"); !strings.Contains(info, `"level2"`) {
		t.Errorf("info.json is %s", info)
	}
	looks := time.NewTicker(10 * time.Millisecond)
	defer looks.Stop()
	for made := 0; made < 2; {
		select {
		case <-looks.C:
		case <-t.Context().Done():
			t.Fatal("the photo was never developed")
		}
		files, err := filepath.Glob(filepath.Join(h.c.settings.Data, "derived", digest[:2], digest+".*"))
		h.must(err)
		made = len(files)
	}
	stop()
	h.must(<-ended)
	h.must(closePages())
	if _, err := os.Stat(filepath.Join(h.c.settings.Data, "derived")); err != nil {
		t.Error(err)
	}
}
