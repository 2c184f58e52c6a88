package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/storage/blob"
	"flawmark/storage/local"
)

// save saves N findings with a photo each, every one until it is on the disk:
// original, preview and thumbnail, then the event.
func save(b *bench, args []string) (err error) {
	if err := need(args, 3); err != nil {
		return err
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return fmt.Errorf("%w: %q is no number", errUsage, args[2])
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	small, large, err := photo.Renditions(data, photo.Limits{})
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	dir, err := os.MkdirTemp(args[1], "save-")
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := local.Open(filepath.Join(dir, "station"), local.Options{Now: b.now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	folder, err := blob.OpenFolder(filepath.Join(dir, "photos"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	ctx := context.Background()
	var values []float64
	for i := range n {
		// Every photo is another file: what follows the end mark belongs to it.
		own := strconv.AppendInt(data[:len(data):len(data)], int64(i), 10)
		took, err := b.timed(func() error {
			p := qc.Photo{ID: qc.PhotoID(fmt.Sprintf("p%d", i)), Bytes: int64(len(own)), MediaType: "image/jpeg", Width: 4240, Height: 2832}
			var err error
			if p.Digest, err = folder.PutBytes(ctx, own); err != nil {
				return err
			}
			for _, d := range []struct {
				data []byte
				of   *qc.Derivative
			}{{large.Data, &p.Preview}, {small.Data, &p.Thumb}} {
				mine := strconv.AppendInt(d.data[:len(d.data):len(d.data)], int64(i), 10)
				if d.of.Digest, err = folder.PutBytes(ctx, mine); err != nil {
					return err
				}
				d.of.Bytes = int64(len(mine))
			}
			return record(ctx, store, i, b.now(), p)
		})
		if err != nil {
			return err
		}
		values = append(values, took)
	}
	return b.report(reading{Name: "save", Unit: "s", Values: values})
}

// record records finding i with its photos.
func record(ctx context.Context, store *local.Store, i int, at time.Time, photos ...qc.Photo) error {
	id := strconv.Itoa(i)
	_, err := store.Record(ctx, qc.FindingRecorded, "wang", at, qc.Finding{
		ID: qc.FindingID("f" + id), Revision: 1, Item: qc.ItemID("item-" + id), Verdict: qc.Flag,
		Inspector: "wang", RecordedAt: at, Photos: photos,
	})
	return err
}

// fill makes a station's data with N findings of five photos each, none sent.
func fill(b *bench, args []string) (err error) {
	if err := need(args, 2); err != nil {
		return err
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("%w: %q is no number", errUsage, args[1])
	}
	store, err := local.Open(args[0], local.Options{Now: b.now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	for i := range n {
		var photos []qc.Photo
		for k := range 5 {
			name := fmt.Sprintf("%d-%d", i, k)
			photos = append(photos, qc.Photo{
				ID: qc.PhotoID(name), Digest: qc.DigestOf([]byte("o" + name)), Bytes: 4_000_000, MediaType: "image/jpeg",
				Width: 4240, Height: 2832,
				Preview: qc.Derivative{Digest: qc.DigestOf([]byte("p" + name)), Bytes: 400_000},
				Thumb:   qc.Derivative{Digest: qc.DigestOf([]byte("t" + name)), Bytes: 20_000},
			})
		}
		if err := record(context.Background(), store, i, b.now(), photos...); err != nil {
			return err
		}
	}
	return nil
}

// start opens a station's data and asks what its first screen asks.
func start(b *bench, args []string) (err error) {
	if err := need(args, 1); err != nil {
		return err
	}
	store, err := local.Open(args[0], local.Options{Now: b.now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	ctx := context.Background()
	if _, err := store.Counts(ctx); err != nil {
		return err
	}
	if _, err := store.Items(ctx); err != nil {
		return err
	}
	if _, err := store.Standings(ctx); err != nil {
		return err
	}
	_, err = store.Recorded(ctx, 100)
	return err
}
