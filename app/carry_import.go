package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"time"

	"flawmark/app/archive"
	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/sync/client"
	"flawmark/sync/wire"
)

// importQueue takes another station's queue to be brought to the centre with
// this one's own.
func importQueue(ctx context.Context, call *command.Call, s *station) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "FILE")
	}
	identity, enrolled, err := s.store.Identity(ctx)
	if err != nil {
		return err
	}
	if !enrolled {
		return command.Fail("error.not_enrolled", nil)
	}
	name := call.Path(call.Args[0])
	file, err := openCarried(ctx, name)
	if err != nil {
		return carryProblem(ctx, err, name)
	}
	defer file.Close()
	m := file.manifest
	switch {
	case m.Station == identity.Station:
		return command.Fail("cli.carry_own", nil, "file", name)
	case m.Instance != identity.Instance:
		return command.Fail("cli.carry_elsewhere", nil, "file", name, "name", printable(m.Name))
	}
	var said time.Time
	for i, blob := range m.Blobs {
		sayProgress(call, s, &said, "cli.carry_reading", i, len(m.Blobs))
		if err := s.takeBlob(ctx, file, blob); err != nil {
			return carryProblem(ctx, err, name)
		}
	}
	// All files are here before anything says so.
	if err := s.store.Carry(ctx, file.batches, m.Blobs); err != nil {
		return err
	}
	s.engine.Kick()
	s.log.Info("another station's queue was taken", "station", m.Station, "events", m.Events, "files", len(m.Blobs))
	if call.JSON {
		m.Files, m.Blobs = nil, nil
		return json.NewEncoder(call.Out).Encode(struct {
			File string `json:"file"`
			carriedManifest
		}{name, m})
	}
	call.Say("cli.carry_imported", "events", strconv.Itoa(m.Events), "photos", strconv.Itoa(m.Photos), "name", printable(m.Name))
	return nil
}

// takeBlob copies one photo file of a carried queue to this station's.
func (s *station) takeBlob(ctx context.Context, file *carriedFile, blob qc.Shipment) error {
	if size, here, err := s.blobs.Has(blob.Digest); err != nil || here && size == blob.Bytes {
		return err
	}
	inside := file.inside[archive.BlobName(blob.Digest)]
	// Read before it is kept: what is not what it says must not come near the
	// photos that are.
	if err := archive.CopyOut(ctx, inside, archive.File{Name: inside.Name, Bytes: blob.Bytes, Hash: blob.Digest}, io.Discard); err != nil {
		return err
	}
	r, err := inside.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", archive.ErrDamaged, err)
	}
	defer r.Close()
	got, _, err := s.blobs.Put(ctx, archive.Until(ctx, io.LimitReader(r, blob.Bytes+1)))
	if err == nil && got != blob.Digest {
		err = fmt.Errorf("%w: photo %s", archive.ErrDamaged, blob.Digest)
	}
	return err
}

// carriedFile is such a file with everything but its photos verified.
type carriedFile struct {
	*zip.ReadCloser
	inside   map[string]*zip.File
	manifest carriedManifest
	batches  []qc.SignedBatch
}

// openCarried opens a file and verifies its signatures. It fails with
// [archive.ErrDamaged], [archive.ErrNewer], [client.ErrSignature] or [os.ErrNotExist].
func openCarried(ctx context.Context, name string) (*carriedFile, error) {
	reader, err := zip.OpenReader(name)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", archive.ErrDamaged, err)
	}
	f := &carriedFile{ReadCloser: reader, inside: make(map[string]*zip.File)}
	if err := f.verify(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("read carried queue %s: %w", name, err), reader.Close())
	}
	return f, nil
}

func (f *carriedFile) verify(ctx context.Context) error {
	for _, file := range f.File {
		if f.inside[file.Name] != nil {
			return fmt.Errorf("%w: a name is in it twice", archive.ErrDamaged)
		}
		f.inside[file.Name] = file
	}
	data, err := f.read(ctx, archive.ManifestName, archive.LargestManifest)
	if err != nil {
		return err
	}
	signature, err := f.read(ctx, carriedSignature, ed25519.SignatureSize)
	if err != nil {
		return err
	}
	m := &f.manifest
	if err := json.Unmarshal(data, m); err != nil || m.Program != carriedProgram || m.Version < 1 {
		return fmt.Errorf("%w: manifest: %w", archive.ErrDamaged, err)
	}
	if m.Version > carriedVersion {
		return fmt.Errorf("%w: version %d", archive.ErrNewer, m.Version)
	}
	if len(m.Key) != ed25519.PublicKeySize || !ed25519.Verify(m.Key, manifestMessage(data), signature) {
		return fmt.Errorf("%w: manifest", client.ErrSignature)
	}
	listed := make(map[string]archive.File, len(m.Files))
	for _, file := range m.Files {
		listed[file.Name] = file
	}
	if len(listed) != len(m.Files) || len(f.inside) != len(listed)+2 {
		return fmt.Errorf("%w: manifest", archive.ErrDamaged)
	}
	batches := 0
	for name, want := range listed {
		switch {
		case f.inside[name] == nil:
			return fmt.Errorf("%w: %.80q is missing", archive.ErrDamaged, name)
		case path.Dir(name) == "batches":
			batches++
		case want.Bytes > wire.MaxPhoto || want.Bytes < 0:
			return fmt.Errorf("%w: %.80q is too large", archive.ErrDamaged, name)
		}
	}
	if err := f.verifyBlobs(listed, batches); err != nil {
		return err
	}
	return f.readBatches(ctx, listed, batches)
}

// verifyBlobs checks that the list of photos is that of the files.
func (f *carriedFile) verifyBlobs(listed map[string]archive.File, batches int) error {
	seen := make(map[qc.Digest]bool)
	for _, blob := range f.manifest.Blobs {
		if _, err := qc.ParseDigest(string(blob.Digest)); err != nil || seen[blob.Digest] {
			return fmt.Errorf("%w: photo %.80q", archive.ErrDamaged, blob.Digest)
		}
		seen[blob.Digest] = true
		file, ok := listed[archive.BlobName(blob.Digest)]
		if !ok || file.Hash != blob.Digest || file.Bytes != blob.Bytes || blob.Lane < qc.LanePreview || blob.Lane > qc.LaneOriginals || len(blob.MediaType) > 100 {
			return fmt.Errorf("%w: photo %s", archive.ErrDamaged, blob.Digest)
		}
	}
	if len(seen)+batches != len(listed) {
		return fmt.Errorf("%w: it holds what it does not list", archive.ErrDamaged)
	}
	return nil
}

func (f *carriedFile) readBatches(ctx context.Context, listed map[string]archive.File, batches int) error {
	events := 0
	for i := range batches {
		want, ok := listed[batchName(i)]
		if !ok {
			return fmt.Errorf("%w: batch %d", archive.ErrDamaged, i+1)
		}
		data, err := f.read(ctx, batchName(i), largestBatch)
		if err != nil {
			return err
		}
		var signed qc.SignedBatch
		if qc.DigestOf(data) != want.Hash {
			return fmt.Errorf("%w: batch %d", archive.ErrDamaged, i+1)
		}
		if err := json.Unmarshal(data, &signed); err != nil {
			return fmt.Errorf("%w: batch %d: %w", archive.ErrDamaged, i+1, err)
		}
		if signed.Station != f.manifest.Station || len(signed.Batch.Events) > wire.MaxBatchEvents {
			return fmt.Errorf("%w: batch %d", archive.ErrDamaged, i+1)
		}
		if err := client.Verify(signed, f.manifest.Key); err != nil {
			return err
		}
		events += len(signed.Batch.Events)
		f.batches = append(f.batches, signed)
	}
	if events != f.manifest.Events {
		return fmt.Errorf("%w: %d events", archive.ErrDamaged, events)
	}
	return nil
}

// read returns one small file.
func (f *carriedFile) read(ctx context.Context, name string, most int64) ([]byte, error) {
	file := f.inside[name]
	if file == nil {
		return nil, fmt.Errorf("%w: no %s", archive.ErrDamaged, name)
	}
	r, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", archive.ErrDamaged, name, err)
	}
	defer r.Close()
	var data bytes.Buffer
	if n, err := io.Copy(&data, archive.Until(ctx, io.LimitReader(r, most+1))); err != nil || n > most {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %s: %w", archive.ErrDamaged, name, err)
	}
	return data.Bytes(), nil
}

// readBackCarried proves that a file can be taken by another station: all of
// it, the photos too.
func readBackCarried(ctx context.Context, name string) error {
	f, err := openCarried(ctx, name)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, want := range f.manifest.Files {
		if err := archive.CopyOut(ctx, f.inside[want.Name], want, io.Discard); err != nil {
			return err
		}
	}
	return nil
}

// printable makes a name out of a foreign file fit for a terminal.
func printable(text string) string {
	const most = 80
	runes := make([]rune, 0, most)
	for _, r := range text {
		if !strconv.IsPrint(r) {
			r = '�'
		}
		if runes = append(runes, r); len(runes) == most {
			break
		}
	}
	return string(runes)
}
