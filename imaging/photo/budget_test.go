package photo

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		first, err := b.Acquire(t.Context(), 60)
		if err != nil {
			t.Fatal(err)
		}
		granted := false
		go func() {
			release, err := b.Acquire(t.Context(), 1000) // more than there is: it runs alone
			if err == nil {
				granted = true
				release()
			}
		}()
		synctest.Wait()
		if granted {
			t.Fatal("granted beside the first")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Acquire(ctx, 80); !errors.Is(err, context.Canceled) {
			t.Errorf("after the context's end: %v", err)
		}
		first()
		first() // once more does nothing
		synctest.Wait()
		if !granted {
			t.Error("not granted when everything was free")
		}
	})
	var none *Budget
	release, err := none.Acquire(t.Context(), 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	release()
}
