package model_test

import (
	"context"
	"testing"

	"flawmark/ui/model"
)

// TestWork_IdleWorkWaitsForTheRest: what nobody waits for begins only when the
// other lanes have nothing to do, and then by itself.
func TestWork_IdleWorkWaitsForTheRest(t *testing.T) {
	t.Parallel()
	w := model.NewWork(func(f func()) { f() })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	begun, release := make(chan bool), make(chan bool)
	order := make(chan string, 4)
	w.Do(model.LaneView, func(context.Context) func() {
		close(begun)
		<-release
		order <- "view"
		return nil
	})
	go func() { ended <- w.Run(ctx) }()
	<-begun
	w.Do(model.LaneIdle, func(context.Context) func() {
		order <- "idle"
		return nil
	})
	w.Do(model.LaneRead, func(context.Context) func() {
		order <- "read"
		return nil
	})
	if first := <-order; first != "read" {
		t.Errorf("%s came before the list", first)
	}
	close(release)
	if second, third := <-order, <-order; second != "view" || third != "idle" {
		t.Errorf("then came %s and %s", second, third)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestWork_IdleWorkEndsWithTheProgram: what is under way hears of the end, and
// what waits is left.
func TestWork_IdleWorkEndsWithTheProgram(t *testing.T) {
	t.Parallel()
	w := model.NewWork(func(f func()) { f() })
	ctx, cancel := context.WithCancel(t.Context())
	ended, begun := make(chan error, 1), make(chan bool)
	w.Do(model.LaneIdle, func(ctx context.Context) func() {
		close(begun)
		<-ctx.Done()
		return nil
	})
	w.Do(model.LaneIdle, func(context.Context) func() {
		t.Error("begun after the end")
		return nil
	})
	go func() { ended <- w.Run(ctx) }()
	<-begun
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestWork_Saving: a save counts until it has ended, not only until it begins.
func TestWork_Saving(t *testing.T) {
	t.Parallel()
	w := model.NewWork(func(f func()) { f() })
	ctx, cancel := context.WithCancel(t.Context())
	ended, begun, release, saved := make(chan error, 1), make(chan bool), make(chan bool), make(chan bool)
	w.Do(model.LaneSave, func(context.Context) func() {
		close(begun)
		<-release
		return nil
	})
	if !w.Saving() {
		t.Error("a save that waits is taken for done")
	}
	go func() { ended <- w.Run(ctx) }()
	<-begun
	if !w.Saving() {
		t.Error("a save under way is taken for done")
	}
	w.Do(model.LaneIdle, func(context.Context) func() {
		close(saved)
		return nil
	})
	close(release)
	<-saved
	if w.Saving() {
		t.Error("nothing is left to save")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
