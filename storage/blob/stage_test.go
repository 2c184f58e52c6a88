package blob

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"flawmark/app/qc"
)

func stage(t *testing.T, f *Folder, id string) *Staged {
	t.Helper()
	s, err := f.Stage(id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestUploadGoesOnWhereItBrokeOff(t *testing.T) {
	f, dir := open(t)
	broken := errors.New("connection reset")
	s := stage(t, f, "u1")
	n, err := s.Append(t.Context(), io.MultiReader(strings.NewReader("pho"), iotest.ErrReader(broken)), 100)
	if n != 3 || !errors.Is(err, broken) {
		t.Fatalf("Append = %d, %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = stage(t, f, "u1")
	if s.Size() != 3 {
		t.Fatalf("Size = %d", s.Size())
	}
	if n, err := s.Append(t.Context(), strings.NewReader("to and more"), 2); n != 2 || err != nil {
		t.Fatalf("Append = %d, %v", n, err)
	}
	want := qc.DigestOf([]byte("photo"))
	if _, ok, _ := f.Has(want); ok {
		t.Error("visible before it is published")
	}
	if size, err := s.Publish(t.Context(), want); size != 5 || err != nil {
		t.Fatalf("Publish = %d, %v", size, err)
	}
	if data, err := f.Read(want, 5); string(data) != "photo" || err != nil {
		t.Errorf("Read = %q, %v", data, err)
	}
	if names := left(t, dir, stagedDir); len(names) > 0 {
		t.Errorf("staged holds %v", names)
	}
}

func TestPublishRefusesOtherContent(t *testing.T) {
	f, dir := open(t)
	s := stage(t, f, "u1")
	if _, err := s.Append(t.Context(), strings.NewReader("phot0"), 5); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Publish(t.Context(), qc.DigestOf([]byte("photo"))); !errors.Is(err, ErrDigest) {
		t.Errorf("got %v", err)
	}
	if names := left(t, dir, stagedDir); len(names) > 0 {
		t.Errorf("staged holds %v", names)
	}
	for d, err := range f.All() {
		t.Errorf("stored %q, %v", d, err)
	}
}

func TestPublishWhatIsThere(t *testing.T) {
	f, dir := open(t)
	d, err := f.PutBytes(t.Context(), []byte("photo"))
	if err != nil {
		t.Fatal(err)
	}
	s := stage(t, f, "u1")
	if _, err := s.Append(t.Context(), strings.NewReader("photo"), 5); err != nil {
		t.Fatal(err)
	}
	if size, err := s.Publish(t.Context(), d); size != 5 || err != nil {
		t.Errorf("Publish = %d, %v", size, err)
	}
	if names := left(t, dir, stagedDir); len(names) > 0 {
		t.Errorf("staged holds %v", names)
	}
}

func TestUploadHasOneUser(t *testing.T) {
	f, _ := open(t)
	s := stage(t, f, "u1")
	if _, err := f.Stage("u1"); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
	stage(t, f, "u2")
	if err := s.Discard(); err != nil {
		t.Fatal(err)
	}
	if again := stage(t, f, "u1"); again.Size() != 0 {
		t.Errorf("discarded, and %d bytes are left", again.Size())
	}
}

func TestUploadNames(t *testing.T) {
	f, _ := open(t)
	for _, id := range []string{"", ".", "..", "../x", "a/b", `a\b`, "a.b", "a b", strings.Repeat("a", 129), "a\x00"} {
		if _, err := f.Stage(id); !errors.Is(err, ErrName) {
			t.Errorf("Stage(%q): %v", id, err)
		}
	}
}

func TestUnconfirmedAppendCountsNothing(t *testing.T) {
	f, _ := open(t)
	s := stage(t, f, "u1")
	f.disk.syncFile = func(*os.File) error { return errors.New("input/output error") }
	if n, err := s.Append(t.Context(), strings.NewReader("photo"), 5); n != 0 || !errors.Is(err, ErrSync) || s.Size() != 0 {
		t.Errorf("Append = %d, %v; Size = %d", n, err, s.Size())
	}
}
