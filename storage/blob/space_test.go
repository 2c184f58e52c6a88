package blob

import (
	"errors"
	"testing"

	"flawmark/app/qc"
)

func TestFloorsFollowTheDiskUnlessTheyAreChosen(t *testing.T) {
	for _, c := range []struct {
		name                        string
		total, wantWarn, wantRefuse int64
		warn, refuse                int64
	}{
		{"large disk", 2e12, 0, 0, 48e9, 5e9},
		{"small disk", 60e9, 0, 0, 12e9, 3e9},
		{"chosen", 60e9, 20e9, 10e9, 20e9, 10e9},
		{"never below the other", 2e12, 1e9, 10e9, 10e9, 10e9},
	} {
		warn, refuse := Space{Total: c.total}.Floors(c.wantWarn, c.wantRefuse)
		if warn != c.warn || refuse != c.refuse {
			t.Errorf("%s: %d and %d", c.name, warn, refuse)
		}
	}
}

func TestNothingNewBelowTheFloor(t *testing.T) {
	f, err := OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kept, err := f.PutBytes(t.Context(), []byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	space, err := SpaceOf(f.root.Name())
	if err != nil || space.Free <= 0 || space.Total < space.Free {
		t.Fatalf("%+v, %v", space, err)
	}
	f.KeepFree(space.Total * 2)
	if _, err := f.PutBytes(t.Context(), []byte("new")); !errors.Is(err, ErrFull) {
		t.Errorf("Put: %v", err)
	}
	if err := f.Verify(t.Context(), kept); err != nil {
		t.Error(err)
	}
	if _, there, err := f.Has(qc.DigestOf([]byte("new"))); there || err != nil {
		t.Errorf("it is there: %t, %v", there, err)
	}
	f.KeepFree(1)
	if _, err := f.PutBytes(t.Context(), []byte("new")); err != nil {
		t.Error(err)
	}
}
