package central_test

import (
	"math"
	"strconv"
	"sync"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/anishathalye/porcupine"
)

// unknown is what somebody knows whose centre was killed before it answered.
const unknown = -1

// perhaps is [oneAtATime] where a kill leaves open whether an act has happened.
func perhaps(first int) porcupine.Model {
	sure := oneAtATime(first)
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{sure.Init()} },
		Step: func(state, input, output any) []any {
			if did := input.(turn); output.(outcome).version == unknown {
				if now := state.(int); did.acted && did.version == now {
					return []any{now, now + 1}
				}
				return []any{state}
			}
			if ok, next := sure.Step(state, input, output); ok {
				return []any{next}
			}
			return nil
		},
		Equal: func(a, b any) bool { return a.(int) == b.(int) },
	}
	return model.ToModel()
}

// crowdOf lets several at a case of a mortal centre at once, kills it in their
// midst, and returns who was told what.
func (m *mortal) crowdOf(id qc.CaseID, first int, gift refund.Event) []porcupine.Operation {
	const clients, turns = 6, 8
	var (
		mu    sync.Mutex // of all and names
		all   []porcupine.Operation
		names = clients
		up    sync.RWMutex // held by who kills
		crowd sync.WaitGroup
	)
	begun := time.Now()
	for name := range clients {
		crowd.Go(func() {
			seen := first
			for n := range turns {
				did := turn{acted: (name+n)%3 > 0, version: seen}
				do := Deed{Call: "read", Case: id, At: m.at()}
				if did.acted {
					do.Call, do.Version, do.Event = "act", seen, gift
				}
				op := porcupine.Operation{ClientId: name, Input: did, Call: int64(time.Since(begun))}
				up.RLock()
				client := m.client
				up.RUnlock()
				var said Answer
				err := client.Call("Deeds.Do", do, &said)
				op.Return = int64(time.Since(begun))
				switch {
				case err != nil: // it may happen yet; whoever asks next is somebody else
					op.Output, op.Return = outcome{version: unknown}, math.MaxInt64
					mu.Lock()
					name, names = names, names+1
					mu.Unlock()
				case said.Conflict != nil:
					seen = said.Conflict.Version
					op.Output = outcome{version: seen}
				default:
					seen = said.Case.Version
					op.Output = outcome{done: did.acted, version: seen}
				}
				mu.Lock()
				all = append(all, op)
				mu.Unlock()
				if err != nil {
					time.Sleep(time.Millisecond) // until it is up again
				}
			}
		})
	}
	time.Sleep(time.Duration(m.chance.Int64N(int64(clients*turns*m.takes)/2 + 1)))
	up.Lock()
	m.kill()
	up.Unlock()
	crowd.Wait()
	return all
}

// contest is a case that many are at while its centre is killed.
type contest struct {
	*mortal
	of refund.Case
}

func newContest(t *testing.T, seed uint64, fault string) contest {
	t.Helper()
	l := newMortal(t, seed, place{Dir: t.TempDir()}, fault)
	m := l.centre.(*mortal)
	m.every, m.risen = math.MaxInt, func() {}
	f := l.bench.flag("f1", "20481-1")
	f.Flaws[0].Severity = qc.Major
	l.send(f.Photos[0].Preview.Digest)
	l.say(qc.FindingRecorded, "u12", f)
	l.say(qc.ReviewGiven, "lead7", qc.Review{Finding: "f1", Revision: 1, Outcome: qc.Confirmed, By: "lead7"})
	l.compare()
	c, _ := l.pick()
	_, err := m.Act(t.Context(), c.ID, 0, refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: noon}, "choice")
	l.must(err)
	return contest{mortal: m, of: c}
}

// round has one crowd, and reports whether there is an order that explains what
// they were told, and whether the case has just what was given.
func (x *contest) round() (history []porcupine.Operation, explained, exact bool) {
	x.t.Helper()
	before, err := x.ask(Deed{Call: "read", Case: x.of.ID})
	if err != nil {
		x.t.Fatal(err)
	}
	first := before.Case
	history = x.crowdOf(first.ID, first.Version, refund.Event{Kind: refund.Goodwill, Actor: clerk, Amount: money.Fen(1), Reason: "sorry", At: noon})
	after, err := x.ask(Deed{Call: "read", Case: x.of.ID})
	if err != nil {
		x.t.Fatal(err)
	}
	given := after.Case.Credited.Minor() - first.Credited.Minor()
	return history, porcupine.CheckOperations(perhaps(first.Version), history), given == int64(after.Case.Version-first.Version)
}

// TestDrillLives_LinearWhileKilled: what many do with a case at once is as if
// one had done it after the other, also where the centre is killed in between.
func TestDrillLives_LinearWhileKilled(t *testing.T) {
	t.Parallel()
	rig := drill.Begin(t, "lives", drill.Sizes{Test: 3, Short: 20, Long: 200})
	x := newContest(t, rig.Seed, "")
	var found drill.Outcome
	turns, cut := 0, 0
	for x.kills < rig.Tries {
		history, explained, exact := x.round()
		if !explained {
			t.Errorf("no order explains these %d turns: %+v", len(history), history)
			found.Lost++
		}
		if !exact {
			t.Error("more was given than the case says, or less")
			found.Doubled++
		}
		turns += len(history)
		for _, op := range history {
			if op.Output.(outcome).version == unknown {
				cut++
			}
		}
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	found.Tries = x.kills
	found.Figures = []string{"linear_kills", strconv.Itoa(x.kills), "linear_turns", strconv.Itoa(turns), "linear_turns_cut", strconv.Itoa(cut)}
	rig.Done(found)
}

// Whoever answers before it is done is found out.
func TestDrillLives_LinearSeesPlantedFaults(t *testing.T) {
	t.Parallel()
	x := newContest(t, 1, "acts are promised too early")
	for range 10 {
		if _, explained, _ := x.round(); !explained {
			if err := x.Close(); err != nil {
				t.Error(err)
			}
			return
		}
	}
	t.Error("nobody has noticed")
}
