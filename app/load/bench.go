package load

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/blob"
	"flawmark/storage/local"
	"flawmark/sync/client"
	"flawmark/sync/outbox"
)

// Bench is a whole station without a window: its stores on the disk and its
// outbox at work.
type Bench struct {
	identity
	store  *local.Store
	blobs  *blob.Folder
	remote *client.Client
	engine *outbox.Engine
	end    context.CancelFunc
	work   sync.WaitGroup
	failed error // of the outbox; read after its end
}

// OpenBench has a station admitted and starts it on a folder. transport is its
// way to the centre; nil: the network as it is. The caller closes it.
func (c *Centre) OpenBench(ctx context.Context, name, dir string, transport http.RoundTripper) (_ *Bench, err error) {
	b := &Bench{end: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.identity, err = c.admit(ctx, name); err != nil {
		return nil, err
	}
	if b.store, err = local.Open(dir, local.Options{Now: time.Now}); err != nil {
		return nil, err
	}
	if b.blobs, err = blob.OpenFolder(filepath.Join(dir, "blobs")); err != nil {
		return nil, err
	}
	if b.remote, err = b.connect(c.URL, transport); err != nil {
		return nil, err
	}
	b.engine = outbox.New(outbox.Config{
		Store: b.store, Remote: b.remote, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Counts: func(ctx context.Context) (outbox.Counts, error) {
			counts, err := b.store.Counts(ctx)
			return outbox.Counts(counts), err
		},
		Open: func(d qc.Digest) (outbox.File, error) { return b.blobs.Open(d) },
	})
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	b.end = end
	b.work.Go(func() { b.failed = b.engine.Run(work) })
	return b, nil
}

// Close ends the station.
func (b *Bench) Close() error {
	b.end()
	b.work.Wait()
	errs := []error{b.failed}
	if b.remote != nil {
		b.remote.Close()
	}
	if b.store != nil {
		errs = append(errs, b.store.Close())
	}
	if b.blobs != nil {
		errs = append(errs, b.blobs.Close())
	}
	return errors.Join(errs...)
}

// Shot is a photo that has been taken in: the file and what was made of it.
type Shot struct {
	Original, Preview, Thumb []byte
	Width, Height            int
}

// Save flags an item with a photo, as the button does: once it returns, the
// photo's files and the finding are on the disk.
func (b *Bench) Save(ctx context.Context, item qc.Item, shot Shot) error {
	p := qc.Photo{
		ID: qc.PhotoID("p-" + string(item.ID)), Bytes: int64(len(shot.Original)), MediaType: "image/jpeg",
		Width: shot.Width, Height: shot.Height, ReceivedAt: time.Now(),
	}
	for _, file := range []struct {
		data   []byte
		digest *qc.Digest
	}{{shot.Original, &p.Digest}, {shot.Preview, &p.Preview.Digest}, {shot.Thumb, &p.Thumb.Digest}} {
		digest, err := b.blobs.PutBytes(ctx, file.data)
		if err != nil {
			return fmt.Errorf("save %s: %w", item.ID, err)
		}
		*file.digest = digest
	}
	p.Preview.Bytes, p.Preview.Width, p.Preview.Height = int64(len(shot.Preview)), 1920, 1920*shot.Height/shot.Width
	p.Thumb.Bytes, p.Thumb.Width, p.Thumb.Height = int64(len(shot.Thumb)), 256, 256*shot.Height/shot.Width
	f := finding(b.station, item, qc.Flag, []qc.Photo{p})
	if _, err := b.store.Record(ctx, qc.FindingRecorded, Inspector, f.RecordedAt, f); err != nil {
		return fmt.Errorf("save %s: %w", item.ID, err)
	}
	return nil
}

// Waiting is what the station has not sent yet.
func (b *Bench) Waiting(ctx context.Context) (local.Counts, error) { return b.store.Counts(ctx) }

// Sees waits until the station knows an item's case to be in a status.
func (b *Bench) Sees(ctx context.Context, item qc.ItemID, status refund.Status) error {
	ticks, end := b.store.Watch()
	defer end()
	for {
		cases, err := b.store.Cases(ctx)
		if err != nil {
			return fmt.Errorf("look at the station's cases: %w", err)
		}
		for _, c := range cases {
			if c.Item == item && c.Status == status {
				return nil
			}
		}
		select {
		case <-ticks:
		case <-ctx.Done():
			return fmt.Errorf("wait for the case of %s to be %s at the station: %w", item, status, ctx.Err())
		}
	}
}
