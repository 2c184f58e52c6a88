package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"flawmark/imaging/ingest"
)

// arrive takes a photo in: copy, digest, thumbnail, preview and index. Nothing
// waits for the disk, as no peer does.
func arrive(_ *bench, args []string) error {
	if err := need(args, 2); err != nil {
		return err
	}
	src, err := os.Open(args[0])
	if err != nil {
		return fmt.Errorf("arrive: %w", err)
	}
	defer src.Close()
	dst, err := os.Create(filepath.Join(args[1], "copy.jpg"))
	if err != nil {
		return fmt.Errorf("arrive: %w", err)
	}
	got, err := ingest.Intake{}.Take(context.Background(), src, dst)
	if err = errors.Join(err, dst.Close()); err != nil {
		return fmt.Errorf("arrive: %w", err)
	}
	for name, data := range map[string][]byte{
		"thumb.jpg": got.Thumb.Data, "preview.jpg": got.Preview.Data, "index": got.Index, "sha256": []byte(got.Digest),
	} {
		if len(data) == 0 {
			return fmt.Errorf("arrive: no %s was made", name)
		}
		if err := os.WriteFile(filepath.Join(args[1], name), data, 0o644); err != nil {
			return fmt.Errorf("arrive: %w", err)
		}
	}
	return nil
}
