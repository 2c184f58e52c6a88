package capture

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"flawmark/imaging/photo"
)

// Read reads one file that a person picked or dropped. Nothing is read beyond the limits, and the
// bytes are what was inspected, even if the file changes meanwhile.
//
// Errors: photo's own (photo.ErrNotPhoto, photo.ErrTooLarge, …) for what is wrong with the
// content, those of package os (fs.ErrNotExist, …) for what is wrong with the file. A folder, a
// device or a pipe is photo.ErrNotPhoto.
func Read(path string, lim photo.Limits) ([]byte, photo.Info, error) {
	data, info, err := read(path, lim)
	if err != nil {
		return nil, info, fmt.Errorf("read photo %s: %w", path, err)
	}
	return data, info, nil
}

func read(path string, lim photo.Limits) ([]byte, photo.Info, error) {
	f, info, err := open(path, lim)
	if err != nil {
		return nil, info, err
	}
	defer f.Close()
	data := make([]byte, info.Bytes)
	if _, err := io.ReadFull(f, data); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = photo.ErrTruncated
		}
		return nil, info, err
	}
	// Once more, on the bytes that leave: the file may have changed meanwhile.
	info, err = photo.Inspect(bytes.NewReader(data), int64(len(data)), lim)
	return data, info, err
}

// Open opens one file that a person picked or dropped, for whoever reads it once and judges the bytes
// while they pass: only the header has been looked at, and the file may change. The errors are those of
// [Read]; the Info is filled as far as it could be read, also beside one.
func Open(path string, lim photo.Limits) (*os.File, photo.Info, error) {
	f, info, err := open(path, lim)
	if err != nil {
		return nil, info, fmt.Errorf("open photo %s: %w", path, err)
	}
	return f, info, nil
}

func open(path string, lim photo.Limits) (*os.File, photo.Info, error) {
	// Asked before opening, because opening a pipe would wait for a writer.
	st, err := os.Stat(path)
	if err != nil {
		return nil, photo.Info{}, err
	}
	if !st.Mode().IsRegular() {
		return nil, photo.Info{}, photo.ErrNotPhoto
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, photo.Info{}, err
	}
	// The header first: a film of 4 GB is refused after a few bytes.
	info, err := photo.Inspect(f, st.Size(), lim)
	if err != nil {
		f.Close()
		return nil, info, err
	}
	info.Bytes = st.Size()
	return f, info, nil
}
