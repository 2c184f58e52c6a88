package capture

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"flawmark/imaging/photo"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	whole := picture(t, 100)
	put := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	big := put("big.jpg", whole)
	if err := os.Truncate(big, 1<<40); err != nil { // a sparse file
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		err        error
	}{
		{"a photo", put("a.jpg", whole), nil},
		{"a photo without an extension", put("photo", whole), nil},
		{"half a photo", put("half.jpg", whole[:len(whole)/2]), photo.ErrTruncated},
		{"a text", put("b.jpg", []byte("nothing to see")), photo.ErrNotPhoto},
		{"an empty file", put("c.jpg", nil), photo.ErrEmpty},
		{"a folder", dir, photo.ErrNotPhoto},
		{"a huge file", big, photo.ErrTooLarge},
		{"no file", filepath.Join(dir, "none.jpg"), fs.ErrNotExist},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, info, err := Read(c.path, photo.DefaultLimits())
			if !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err != nil {
				return
			}
			if !bytes.Equal(data, whole) || info.Kind != photo.JPEG || info.Width != 100 || info.Bytes != int64(len(whole)) {
				t.Errorf("read %d bytes, %+v", len(data), info)
			}
		})
	}
}
