package central_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/storage/central"
)

// A person is kept out where wrong passwords come from, and nowhere else.
func (open opener) testSignInIsThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	enter := func() {
		w.must(w.AddStaff(t.Context(), central.NewStaff{ID: "c1", Name: "李", Role: qc.Clerk, Password: "right"}, noon))
	}
	enter()
	stranger := func(n int) central.Source { return central.Source{Name: fmt.Sprint("198.51.100.", n)} }
	mine := central.Source{Name: "a browser", Known: true}
	try := func(password string, from central.Source, at time.Time) (until time.Time, in bool) {
		t.Helper()
		person, err := w.SignIn(t.Context(), "c1", password, from, at)
		if err == nil {
			return time.Time{}, person.ID == "c1"
		}
		wantErr(t, err, central.ErrSignIn)
		if locked, ok := errors.AsType[*central.Locked](err); ok {
			until = locked.Until
		}
		return until, false
	}
	wrong := func(n int, from central.Source, at time.Time) {
		t.Helper()
		for range n {
			if until, in := try("wrong", from, at); in || !until.IsZero() {
				t.Fatalf("a wrong password: in %t, until %s", in, until)
			}
		}
	}
	locked := func(from central.Source, at time.Time, wait time.Duration) {
		t.Helper()
		if until, in := try("right", from, at); in || !until.Equal(at.Add(wait)) {
			t.Errorf("in %t, until %s, want to wait %s", in, until, wait)
		}
	}
	gets := func(from central.Source, at time.Time) {
		t.Helper()
		if until, in := try("right", from, at); !in {
			t.Errorf("kept out until %s", until)
		}
	}

	wrong(5, stranger(1), noon)
	locked(stranger(1), noon, 30*time.Second)
	gets(stranger(2), noon)
	gets(mine, noon)
	at := noon.Add(30 * time.Second)
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} { // minutes, of which each wrong one doubles them
		wrong(1, stranger(1), at)
		locked(stranger(1), at, wait*time.Minute)
		at = at.Add(wait * time.Minute)
	}
	locked(stranger(1), at.Add(-time.Second), time.Second)
	gets(stranger(1), at)
	wrong(5, stranger(1), at) // as many as at first
	locked(stranger(1), at, 30*time.Second)

	// Somebody with many addresses keeps out who is new, and nobody else.
	at = at.Add(25 * time.Hour)
	for n := range 10 {
		wrong(4, stranger(n), at)
	}
	wrong(4, stranger(10), at)
	gets(stranger(10), at) // which takes back what it was counted for
	for n := range 10 {
		wrong(1, stranger(n), at)
	}
	locked(stranger(11), at, 30*time.Second)
	gets(mine, at)
	at = at.Add(30 * time.Second)
	for n, wait := range []time.Duration{1, 2, 4, 8, 15, 15} {
		wrong(1, stranger(20+n), at)
		locked(stranger(30+n), at, wait*time.Minute)
		at = at.Add(wait * time.Minute)
	}
	wrong(1, stranger(40), at)
	gets(mine, at)

	// What is known has no more tries than others, and others have their own.
	wrong(5, mine, at)
	locked(mine, at, 30*time.Second)
	gets(central.Source{Name: "another browser", Known: true}, at)
	gets(mine, at.Add(-30*24*time.Hour)) // after the clock was put back
	wrong(5, mine, at)
	enter()
	gets(mine, at)
	gets(stranger(41), at)

	// Nobody is told who works here by how many tries there are.
	for range 5 {
		_, err := w.SignIn(t.Context(), "nobody", "wrong", stranger(1), at)
		wantErr(t, err, central.ErrSignIn)
	}
	_, err := w.SignIn(t.Context(), "nobody", "wrong", stranger(1), at)
	if got, ok := errors.AsType[*central.Locked](err); !ok || !got.Until.Equal(at.Add(30*time.Second)) {
		t.Errorf("somebody who is not known: %v", err)
	}
	w.sound()
}
