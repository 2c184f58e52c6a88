package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// pack writes every level of a photo as tiles into one file, which is the same
// work that a peer does.
func pack(_ *bench, args []string) error {
	if err := need(args, 3); err != nil {
		return err
	}
	data, digest, err := known(args[0], args[1])
	if err != nil {
		return err
	}
	return writePack(args[2], data, digest, tiles.PackOptions{Complete: true})
}

// packIndexed does what the product does to reach every level: it stores the
// coarser ones and an index, by which the finest is cut out of the original.
func packIndexed(_ *bench, args []string) error {
	if err := need(args, 3); err != nil {
		return err
	}
	data, digest, err := known(args[0], args[1])
	if err != nil {
		return err
	}
	x, err := tiles.Build(data, digest, photo.Limits{})
	if err != nil {
		return fmt.Errorf("index %s: %w", args[0], err)
	}
	stored, err := x.MarshalBinary()
	if err != nil {
		return fmt.Errorf("index %s: %w", args[0], err)
	}
	if err := os.WriteFile(args[2]+".index", stored, 0o644); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	return writePack(args[2], data, digest, tiles.PackOptions{})
}

// known reads a photo whose digest is known, as it is once it has arrived.
func known(name, indexName string) ([]byte, qc.Digest, error) {
	digest, err := os.ReadFile(indexName + ".sha256")
	if err != nil {
		return nil, "", fmt.Errorf("read digest: %w", err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, "", fmt.Errorf("read photo: %w", err)
	}
	return data, qc.Digest(digest), nil
}

func writePack(name string, data []byte, digest qc.Digest, opt tiles.PackOptions) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = tiles.WritePack(context.Background(), w, data, digest, photo.Limits{}, opt)
	if err == nil {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
