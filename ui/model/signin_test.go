package model_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/ui/model"
	"flawmark/ui/model/modeltest"
)

// remembering is a store that keeps wrong PINs.
type remembering struct {
	*modeltest.Store
	kept map[qc.StaffID]qc.Tries
}

func (r *remembering) Tries(context.Context) (map[qc.StaffID]qc.Tries, error) {
	return maps.Clone(r.kept), nil
}

func (r *remembering) NoteTries(_ context.Context, id qc.StaffID, t qc.Tries) error {
	if t == (qc.Tries{}) {
		delete(r.kept, id)
		return nil
	}
	r.kept[id] = t
	return nil
}

// TestSignIn_BackOffOutlivesTheProgram starts it again after each few tries.
func TestSignIn_BackOffOutlivesTheProgram(t *testing.T) {
	t.Parallel()
	kept := make(map[qc.StaffID]qc.Tries)
	start := func() *bench {
		t.Helper()
		return newBenchWith(t, func(p *model.Parts) {
			p.Store = &remembering{p.Store.(*modeltest.Store), kept}
		})
	}
	for range 2 {
		b := start()
		b.SignIn.Enter("u12")
		for range 3 {
			b.SignIn.PIN("0000")
			b.settle()
		}
	}
	b := start()
	b.SignIn.Enter("u12")
	b.SignIn.PIN("2580")
	b.settle()
	if _, in := b.SignIn.Person(); in {
		t.Fatal("starting the program again gave five more tries")
	}
	b.said("station.signin.locked")
	b.now = b.now.Add(time.Hour)
	b.SignIn.PIN("2580")
	b.settle()
	if _, in := b.SignIn.Person(); !in || len(kept) != 0 {
		t.Errorf("signed in %v, kept %v", in, kept)
	}

	kept["u12"] = qc.Tries{Count: 9, Until: monday.AddDate(1, 0, 0)} // the clock was a year ahead
	b = start()
	b.now = b.now.Add(16 * time.Minute)
	b.SignIn.Enter("u12")
	b.SignIn.PIN("2580")
	b.settle()
	if _, in := b.SignIn.Person(); !in {
		t.Error("a clock that was wrong once locks out for good")
	}
}
