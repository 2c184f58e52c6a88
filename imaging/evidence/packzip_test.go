package evidence

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"
)

func TestPack_WriteZip(t *testing.T) {
	t.Parallel()
	p := Pack{Files: []File{{Name: "1-overview.jpg", JPEG: []byte("one")}, {Name: "2-detail.jpg", JPEG: []byte("two")}}, Text: "开胶。", English: "Unglued."}
	var first, second bytes.Buffer
	for _, w := range []io.Writer{&first, &second} {
		if err := p.WriteZip(w); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same pack gives other bytes")
	}
	archive, err := zip.NewReader(bytes.NewReader(first.Bytes()), int64(first.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"1-overview.jpg": "one", "2-detail.jpg": "two", "text.txt": "开胶。\n", "text.en.txt": "Unglued.\n"} {
		file, err := archive.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(file); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	if err := p.WriteZip(full{}); err == nil {
		t.Error("a full disk is not seen")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
