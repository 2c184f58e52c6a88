package central_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"

	"github.com/anishathalye/porcupine"
)

// turn is something that one of many did with a case at the same time as the
// others, and what came of it.
type turn struct {
	acted   bool // else it was only read
	version int  // that was acted on
}

// outcome is what the store said: done, with the version it made or found.
type outcome struct {
	done    bool
	version int
}

// oneAtATime is how a case is to behave, however many are at it: an act happens
// on the version that it was meant for, and makes the next one.
func oneAtATime(first int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return first },
		Step: func(state, input, output any) (bool, any) {
			now, did, said := state.(int), input.(turn), output.(outcome)
			switch {
			case !did.acted:
				return said.version == now, now
			case said.done:
				return did.version == now && said.version == now+1, now + 1
			}
			return did.version != now && said.version == now, now
		},
	}
}

// acting does a turn with a case.
type acting func(ctx context.Context, id qc.CaseID, version int) (refund.Case, error)

// history lets several at a case at once and writes down who was told what.
func (w world) history(id qc.CaseID, act acting) []porcupine.Operation {
	var mu sync.Mutex
	var all []porcupine.Operation
	var crowd sync.WaitGroup
	begun := time.Now()
	for client := range 6 {
		crowd.Go(func() {
			seen := w.load(id).Version
			for n := range 8 {
				did := turn{acted: (client+n)%3 > 0, version: seen}
				op := porcupine.Operation{ClientId: client, Input: did, Call: int64(time.Since(begun))}
				said := outcome{}
				if did.acted {
					after, err := act(w.t.Context(), id, seen)
					conflict, overtaken := errors.AsType[*central.Conflict](err)
					switch {
					case err == nil:
						said = outcome{done: true, version: after.Version}
					case overtaken:
						said.version = conflict.Case.Version
					default:
						w.t.Errorf("acted on version %d: %v", seen, err)
					}
				} else {
					said.version = w.load(id).Version
				}
				op.Return, op.Output = int64(time.Since(begun)), said
				seen = said.version
				mu.Lock()
				all = append(all, op)
				mu.Unlock()
			}
		})
	}
	crowd.Wait()
	return all
}

// gift is an act that may follow upon itself.
func (w world) gift() acting {
	e := refund.Event{Kind: refund.Goodwill, Actor: clerk, Amount: money.Fen(1), Reason: "sorry", At: noon}
	return func(ctx context.Context, id qc.CaseID, version int) (refund.Case, error) {
		return w.Act(ctx, id, version, e, "")
	}
}

// testOneAtATime: what many do with a case at once is as if one had done it
// after the other.
func (open opener) testOneAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	c = w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	history := w.history(c.ID, w.gift())
	if !porcupine.CheckOperations(oneAtATime(c.Version), history) {
		t.Errorf("no order explains these %d turns: %+v", len(history), history)
	}
	done := 0
	for _, op := range history {
		if op.Output.(outcome).done {
			done++
		}
	}
	if now := w.load(c.ID); now.Version != c.Version+done || now.Credited != money.Fen(int64(done)) || done == 0 {
		t.Errorf("%d gifts of a fen made %s at version %d", done, now.Credited, now.Version)
	}
	w.sound()
}

// Whoever drops the comparison of versions is found out.
func TestOneAtATime_SeesPlantedFaults(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(world, acting) acting{
		"versions are not compared": func(w world, act acting) acting {
			return func(ctx context.Context, id qc.CaseID, _ int) (refund.Case, error) { return act(ctx, id, 0) }
		},
		"a stale answer": func(w world, act acting) acting {
			return func(ctx context.Context, id qc.CaseID, version int) (refund.Case, error) {
				c, err := act(ctx, id, version)
				c.Version--
				return c, err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, openSQLite)
			c := w.visible("20481-2")
			c = w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
			if porcupine.CheckOperations(oneAtATime(c.Version), w.history(c.ID, plant(w, w.gift()))) {
				t.Error("nobody has noticed")
			}
		})
	}
}

// testFiftyAtOnce: the same payment of a seller, entered by fifty at once, with
// the same key and with others, is credited once.
func (open opener) testFiftyAtOnce(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]func(int) string{
		"one key": func(int) string { return "same" }, "no key": func(int) string { return "" },
		"own keys": func(n int) string { return string(rune('a'+n/26)) + string(rune('a'+n%26)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open)
			c := w.visible("20481-2")
			w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
			c = w.act(c.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
			owed, err := c.Owed()
			w.must(err)
			paid := refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: owed, SellerRef: "R-1", At: noon}
			var crowd sync.WaitGroup
			for n := range 50 {
				crowd.Go(func() {
					if after, err := w.Act(t.Context(), c.ID, c.Version, paid, key(n)); err != nil || after.Status != refund.Credited {
						t.Errorf("number %d is told %s, %v", n, after.Status, err)
					}
				})
			}
			crowd.Wait()
			if w.balance() != owed.Minor() {
				t.Errorf("%d is on the balance, the seller paid %s", w.balance(), owed)
			}
			if now := w.load(c.ID); now.Version != c.Version+1 {
				t.Errorf("the case went from version %d to %d", c.Version, now.Version)
			}
			w.sound()
		})
	}
}
