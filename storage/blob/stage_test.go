package blob

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestUnconfirmedAppendCountsNothing(t *testing.T) {
	f, _ := open(t)
	s := stage(t, f, "u1")
	f.disk.syncFile = func(*os.File) error { return errors.New("input/output error") }
	if n, err := s.Append(t.Context(), strings.NewReader("photo"), 5); n != 0 || !errors.Is(err, ErrSync) || s.Size() != 0 {
		t.Errorf("Append = %d, %v; Size = %d", n, err, s.Size())
	}
}
