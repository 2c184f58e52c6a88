package main

import (
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/sync/intake"
)

// A customer's silence counts only while the centre could be spoken to.
func TestPatience(t *testing.T) {
	t.Parallel()
	minutely := func(from time.Time, n int) []time.Time {
		var all []time.Time
		for i := range n {
			all = append(all, from.Add(time.Duration(i)*time.Minute))
		}
		return all
	}
	day := morning.Add(24 * time.Hour)
	for name, test := range map[string]struct {
		looks []time.Time
		want  bool // of the last
	}{
		"just started":          {minutely(morning, 1), false},
		"nearly there":          {minutely(morning, 360), false},
		"long enough":           {minutely(morning, 361), true},
		"slept for a day":       {append(minutely(morning, 400), day), false},
		"awake again":           {append(minutely(morning, 400), minutely(day, 361)...), true},
		"clock put back":        {append(minutely(morning, 400), morning), false},
		"clock put forward":     {append(minutely(morning, 400), minutely(day, 359)...), false},
		"a busy minute or two":  {append(minutely(morning, 400), morning.Add(403*time.Minute)), true},
		"clock put back and on": {append(minutely(morning, 400), minutely(morning, 361)...), true},
	} {
		var p patience
		var got bool
		for _, now := range test.looks {
			got = p.over(now)
		}
		if got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// No file of an upload outlives what the store knows of it.
func TestUploads_LeaveNothingBehind(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stations := h.c.forIntake()
	stage := func(id string) int64 {
		staged, err := h.c.blobs.Stage(id)
		h.must(err)
		_, err = staged.Append(t.Context(), strings.NewReader("half a photo"), 100)
		h.must(err)
		size := staged.Size()
		h.must(staged.Close())
		return size
	}
	begin := func(id string) intake.Upload {
		u, err := stations.BeginUpload(t.Context(), intake.Upload{
			ID: id, Station: h.bench, Digest: qc.DigestOf([]byte("photo")), Length: 100, ExpiresAt: h.now.Add(time.Hour),
		})
		h.must(err)
		return u
	}
	begin("u1")
	once := stage("u1")
	h.now = h.now.Add(2 * time.Hour)
	if u := begin("u2"); u.ID != "u2" {
		t.Fatalf("an expired upload goes on: %+v", u)
	}
	if size := stage("u1"); size != once {
		t.Errorf("what was replaced is still there: %d bytes after as many as %d", size, once)
	}
	h.now = time.Now().Add(9 * 24 * time.Hour) // files have the disk's time
	h.c.clearUploads(t.Context())
	if size := stage("u1"); size != once {
		t.Errorf("what nobody knows of is still there: %d bytes after as many as %d", size, once)
	}
}

// After an outage customers get time to answer before anything is decided.
func TestHeedSilence_AfterAnOutage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(qc.FindingRecorded, h.finding("f1", 1, flaw("a", "H11", "")))
	status := func() refund.Status {
		cases, err := h.c.store.Cases(t.Context(), central.CaseFilter{})
		h.must(err)
		return cases[0].Status
	}
	var p patience
	h.now = morning.Add(100 * time.Hour) // long after the time to decide
	for range 360 {
		h.c.heedSilence(t.Context(), &p)
		h.now = h.now.Add(time.Minute)
	}
	if got := status(); got != refund.AwaitingDecision {
		t.Fatalf("six hours after the start the case is %s", got)
	}
	h.c.heedSilence(t.Context(), &p)
	if got := status(); got != refund.Kept {
		t.Errorf("after six hours the case is %s", got)
	}
}

// Originals whose time is over leave the disk; the page still shows the item.
func TestLetGo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	f := h.finding("f1", 1)
	h.say(qc.FindingRecorded, f)
	original, preview := f.Photos[0].Digest, f.Photos[0].Preview.Digest
	has := func(d qc.Digest) bool {
		_, here, err := h.c.blobs.Has(d)
		h.must(err)
		return here
	}
	none := 0
	h.c.settings.Retention.PassedDays = &none
	h.now = morning.Add(91 * 24 * time.Hour)
	h.c.letGo(t.Context())
	if !has(original) {
		t.Fatal("went although the settings keep it for ever")
	}
	h.c.settings.Retention.PassedDays = nil
	h.c.letGo(t.Context())
	if has(original) || !has(preview) {
		t.Errorf("original %t, preview %t", has(original), has(preview))
	}
	token, err := h.c.store.LinkOrder(t.Context(), "1", "", h.now)
	h.must(err)
	h.token = token
	page := h.page("/o/1") + h.page("/o/1/photos/"+string(original))
	if !strings.Contains(page, string(original)+"/preview") {
		t.Error("the page lacks the photo")
	}
	if got := h.page("/o/1/photos/" + string(original) + "/preview"); len(got) == 0 {
		t.Error("the preview is not served")
	}
}
