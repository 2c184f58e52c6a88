package central_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"
)

// centres opens so many stores on one database, all at once, each with a folder
// of its own.
func centres(t *testing.T, address string, n int) []*central.Store {
	t.Helper()
	stores, errs := make([]*central.Store, n), make([]error, n)
	var group sync.WaitGroup
	for i := range stores {
		c := config(t, t.TempDir())
		c.URL = address
		group.Go(func() { stores[i], errs[i] = central.Open(t.Context(), c) })
	}
	group.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("centre %d: %v", i+1, err)
		}
		t.Cleanup(func() {
			if err := stores[i].Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return stores
}

// follow has a store listen until the test ends.
func follow(t *testing.T, s *central.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Follow(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestSeveral(t *testing.T) {
	t.Parallel()
	server := storagetest.StartPostgres(t)
	t.Run("start at once on an empty database", func(t *testing.T) {
		t.Parallel()
		for _, s := range centres(t, server.Database(t), 6)[1:] {
			if s.Instance() == "" {
				t.Error("a centre has no name")
			}
		}
	})
	t.Run("wake each other", func(t *testing.T) {
		t.Parallel()
		both := centres(t, server.Database(t), 2)
		follow(t, both[1])
		ticks, stop := both[1].Watch()
		defer stop()
		<-ticks // it listens now
		for i := range 20 {
			begun := time.Now()
			stored(t, both[0], fmt.Sprint("photo ", i))
			select {
			case <-ticks:
			case <-time.After(4 * time.Second): // sooner than it would look by itself
				t.Fatalf("not woken in %v by change %d", time.Since(begun), i)
			}
		}
	})
	t.Run("keep out whose photos the others do not see", func(t *testing.T) {
		t.Parallel()
		keepOut(t, server.Database(t))
	})
	t.Run("see to what is due once", func(t *testing.T) {
		t.Parallel()
		stores := centres(t, server.Database(t), 3)
		w := newWorld(t, func(testing.TB) *central.Store { return stores[0] })
		c := w.visible("20481-2")
		told := len(w.feed(qc.CaseChanged))
		acted := make([]int, len(stores))
		var group sync.WaitGroup
		for i, s := range stores {
			group.Go(func() {
				n, err := s.RunTimers(t.Context(), c.DecideBy)
				if err != nil {
					t.Error(err)
				}
				acted[i] = n
			})
		}
		group.Wait()
		if acted[0]+acted[1]+acted[2] != 1 || w.status(refund.Kept).Version != c.Version+1 || len(w.feed(qc.CaseChanged)) != told+1 {
			t.Errorf("the centres acted %v times", acted)
		}
		w.sound()
	})
	t.Run("number one feed", func(t *testing.T) {
		t.Parallel()
		numberOneFeed(t, centres(t, server.Database(t), 3))
	})
}

func keepOut(t *testing.T, address string) {
	open := func(alone bool) (*central.Store, error) {
		c := config(t, t.TempDir())
		c.URL, c.Alone = address, alone
		return central.Open(t.Context(), c)
	}
	for _, test := range []struct{ first, second, both bool }{
		{first: false, second: false, both: true}, {first: false, second: true}, {first: true, second: false}, {first: true, second: true},
	} {
		first, err := open(test.first)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		ticks, stop := first.Watch()
		go func() { ended <- first.Follow(ctx) }()
		<-ticks // it is at work
		second, err := open(test.second)
		if (err == nil) != test.both || err != nil && !errors.Is(err, central.ErrOthers) {
			t.Errorf("%+v: %v", test, err)
		}
		stop()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if second != nil {
			err = second.Close()
		} else if second, err = open(test.second); err == nil { // its place is free now
			err = second.Close()
		}
		if err = errors.Join(err, first.Close()); err != nil {
			t.Errorf("%+v, afterwards: %v", test, err)
		}
	}
}

func stored(t *testing.T, s *central.Store, text string) {
	t.Helper()
	if err := s.BlobStored(t.Context(), qc.DigestOf([]byte(text)), 1, "image/jpeg", noon); err != nil {
		t.Error(err)
	}
}

// numberOneFeed has all stores write at once while somebody follows the feed,
// now at this one, now at that one, and misses nothing.
func numberOneFeed(t *testing.T, stores []*central.Store) {
	const each = 60
	var writers sync.WaitGroup
	for n, s := range stores {
		for half := range 2 {
			writers.Go(func() {
				for i := range each / 2 {
					stored(t, s, fmt.Sprint(n, half, i))
				}
			})
		}
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	seen := make(map[qc.Digest]int)
	var cursor qc.Cursor
	for last, turn := false, 0; !last; turn++ {
		select {
		case <-done:
			last = true
		default:
		}
		for upToDate := false; !upToDate; {
			page, err := stores[turn%len(stores)].Changes(t.Context(), cursor, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page.Changes {
				if c.Seq != cursor.Seq+1 {
					t.Fatalf("the feed goes from %d to %d", cursor.Seq, c.Seq)
				}
				cursor.Seq = c.Seq
				if c.Kind == qc.PhotoStored {
					seen[qc.Digest(c.Data)]++
				}
			}
			cursor, upToDate = page.Next, page.UpToDate
		}
	}
	if len(seen) != each*len(stores) {
		t.Errorf("saw %d changes of %d", len(seen), each*len(stores))
	}
	for _, s := range stores {
		report, err := s.Verify(t.Context())
		if err != nil || !report.OK() {
			t.Errorf("%v %v", report.Problems, err)
		}
	}
}

// TestSeveral_PostgresRestarts takes the database away and gives it back: what
// was said to be written is, nobody has to be restarted, and readers are woken.
func TestSeveral_PostgresRestarts(t *testing.T) {
	t.Parallel()
	server := storagetest.StartPostgres(t)
	both := centres(t, server.Database(t), 2)
	follow(t, both[1])
	ticks, stop := both[1].Watch()
	defer stop()
	<-ticks
	stored(t, both[0], "before")
	server.Stop(t)
	for _, s := range both {
		err := s.BlobStored(t.Context(), qc.DigestOf([]byte("meanwhile")), 1, "image/jpeg", noon)
		if !central.IsAway(err) {
			t.Errorf("while it is away, writing: %v", err)
		}
		if _, err := s.Blob(t.Context(), qc.DigestOf([]byte("before"))); !central.IsAway(err) {
			t.Errorf("while it is away, reading: %v", err)
		}
	}
	server.Start(t)
	for i, s := range both {
		begun := time.Now()
		for {
			err := s.BlobStored(t.Context(), qc.DigestOf(fmt.Append(nil, "after ", i)), 1, "image/jpeg", noon)
			if err == nil {
				break
			}
			if !central.IsAway(err) || time.Since(begun) > 10*time.Second {
				t.Fatalf("centre %d, after %v: %v", i, time.Since(begun), err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	for _, text := range []string{"before", "after 0", "after 1"} {
		if _, err := both[1].Blob(t.Context(), qc.DigestOf([]byte(text))); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	// The line is made anew, and works.
	deadline := time.After(20 * time.Second)
	for i := 0; ; i++ {
		for len(ticks) > 0 {
			<-ticks
		}
		stored(t, both[0], fmt.Sprint("again ", i))
		select {
		case <-ticks:
			return
		case <-time.After(time.Second):
		case <-deadline:
			t.Fatal("nobody is woken any more")
		}
	}
}
