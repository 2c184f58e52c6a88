package journey

import (
	"fmt"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/storage/local"
)

// The bars of a station that comes back after a week.
const (
	usableWithin   = 2 * time.Second
	acceptedWithin = 30 * time.Second
	photosEach     = 5
)

// TestDrillOffline has a station work for a week without a network, switches it
// off without a word, on again, and lets it send.
func TestDrillOffline(t *testing.T) {
	rig := drill.Begin(t, "offline", drill.Sizes{Test: 40, Short: 300, Long: 3000})
	folder := inMemory
	if rig.Asked { // then the times count, and the disk with them
		folder = onDisk
	}
	site := newDrillSite(t, rig, folder)
	station := site.enrolStation(t, site.server.URL, nil)
	for _, item := range site.orders(t, rig.Tries) {
		station.record(t, item, photosEach)
	}
	station.powerOff(t)

	begun := time.Now()
	station.open(t)
	counts, err := station.store.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := station.store.Recorded(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	usable := time.Since(begun)
	out := drill.Outcome{Tries: rig.Tries, Lost: rig.Tries - counts.EventsWaiting + rig.Tries*photosEach - counts.PhotosWaiting}

	_, stop := station.run(t)
	accepted := station.waitFor(t, "the findings to be accepted", 5*time.Minute, func(c local.Counts) bool { return c.EventsWaiting == 0 })
	all := accepted + station.waitFor(t, "the photos to arrive", 30*time.Minute, drained)
	stop()
	if problems := station.refused(t); len(problems) > 0 {
		t.Errorf("%d findings were refused: %s", len(problems), problems[0])
	}
	lost, doubled := site.compare(t, rig.Tries)
	out.Lost, out.Doubled = out.Lost+lost, doubled
	if rig.Asked && (usable > usableWithin || accepted > acceptedWithin) {
		t.Errorf("usable after %v, accepted after %v", usable, accepted)
	}
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.2f_s", d.Seconds()) }
	out.Figures = []string{"usable", seconds(usable), "accepted", seconds(accepted), "with_photos", seconds(all)}
	rig.Done(out)
}
