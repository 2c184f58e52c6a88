package evidence

import (
	"archive/zip"
	"fmt"
	"io"
)

// WriteZip writes the pack as one file to be downloaded: the pictures under their
// names, text.txt in Chinese and text.en.txt. The same pack always gives the
// same bytes.
func (p Pack) WriteZip(w io.Writer) error {
	archive := zip.NewWriter(w)
	add := func(name string, method uint16, data []byte) error {
		file, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			return fmt.Errorf("write %s of evidence: %w", name, err)
		}
		if _, err := file.Write(data); err != nil {
			return fmt.Errorf("write %s of evidence: %w", name, err)
		}
		return nil
	}
	for _, f := range p.Files {
		if err := add(f.Name, zip.Store, f.JPEG); err != nil { // nothing is gained by deflating a JPEG
			return err
		}
	}
	for _, text := range []struct{ name, text string }{{"text.txt", p.Text}, {"text.en.txt", p.English}} {
		if err := add(text.name, zip.Deflate, []byte(text.text+"\n")); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	return nil
}
