package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"flawmark/app/archive"
	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/sync/client"
	"flawmark/sync/wire"
)

// A station without a network can hand its queue to another one on a stick.
// The file is a zip with what the centre lacks:
//
//	batches/000001.json  sealed events, signed by the station as if it sent them
//	blobs/ab/<sha256>    the photo files
//	manifest.json        what is in it, with the hash of each
//	manifest.sig         the station's signature of manifest.json
//
// Whoever carries it can neither alter nor add a finding: the events go to the
// centre under their own station's number, chain and signature. That also makes
// them arrive once, whoever comes first; the station itself keeps its queue and
// learns from the centre that it is there.

const (
	carriedProgram   = "flawmark queue"
	carriedVersion   = 1
	carriedSignature = "manifest.sig"
	// largestBatch is above that of any batch, with its envelope and escapes.
	largestBatch = 8 << 20
)

// carriedManifest says what is in the file, and whose it is.
type carriedManifest struct {
	Version  int               `json:"version"`
	Program  string            `json:"program"`
	Station  qc.StationID      `json:"station"`
	Name     string            `json:"name"`
	Key      ed25519.PublicKey `json:"public_key"`
	Instance string            `json:"instance"` // the centre that knows the station
	MadeAt   time.Time         `json:"made_at"`
	Events   int               `json:"events"`
	Photos   int               `json:"photos"`  // originals
	Missing  int               `json:"missing"` // files that could not be read
	Files    []archive.File    `json:"files"`
	Blobs    []qc.Shipment     `json:"blobs"`
}

// manifestMessage is what a station signs with a file.
func manifestMessage(data []byte) []byte {
	return []byte("flawmark queue v1\n" + string(qc.DigestOf(data)))
}

// exportQueue writes what waits to a file that another station can bring to the
// centre.
func exportQueue(ctx context.Context, call *command.Call, s *station) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "FILE")
	}
	identity, enrolled, err := s.store.Identity(ctx)
	switch {
	case err != nil:
		return err
	case !enrolled:
		return command.Fail("error.not_enrolled", nil)
	case s.key == nil:
		return command.Fail(saysKeyMissing, errKeyMissing)
	}
	to := call.Path(call.Args[0])
	if _, err := os.Lstat(to); err == nil {
		return command.Fail("cli.backup_exists", nil, "file", to)
	}
	batches, err := s.store.PendingBatches(ctx, wire.MaxBatchEvents, wire.MaxBatchBytes)
	if err != nil {
		return err
	}
	files, err := s.store.PendingShipments(ctx, everything)
	if err != nil {
		return err
	}
	if len(batches) == 0 && len(files) == 0 {
		return command.Fail("cli.carry_nothing", nil)
	}
	e := &exporting{s: s, call: call, batches: batches, files: files, manifest: carriedManifest{
		Version: carriedVersion, Program: carriedProgram, Station: identity.Station, Name: identity.Name,
		Key: s.key.Public().(ed25519.PublicKey), Instance: identity.Instance, MadeAt: s.now().UTC(),
	}}
	err = archive.Create(to, func(temp string) error {
		return archive.WriteNew(temp, func(w io.Writer) error { return e.write(ctx, w) })
	}, func(temp string) error { return readBackCarried(ctx, temp) })
	if err != nil {
		return carryProblem(ctx, err, to)
	}
	m := e.manifest
	if call.JSON {
		m.Files, m.Blobs = nil, nil
		return json.NewEncoder(call.Out).Encode(struct {
			File string `json:"file"`
			carriedManifest
		}{to, m})
	}
	call.Say("cli.carry_exported", "events", strconv.Itoa(m.Events), "photos", strconv.Itoa(m.Photos), "file", to)
	if m.Missing > 0 {
		call.Say("cli.carry_missing", "n", strconv.Itoa(m.Missing))
	}
	return nil
}

// carryProblem turns a failure around such a file into a sentence.
func carryProblem(ctx context.Context, err error, name string) error {
	known, ok := errors.AsType[*command.Problem](err)
	switch {
	case ok:
		return known
	case ctx.Err() != nil, isFull(err):
		return err
	case errors.Is(err, archive.ErrExists):
		return command.Fail("cli.backup_exists", err, "file", name)
	case errors.Is(err, os.ErrNotExist):
		return command.Fail("error.file_missing", err, "file", name)
	case errors.Is(err, archive.ErrNewer):
		return command.Fail("cli.backup_newer", err, "file", name)
	case errors.Is(err, archive.ErrDamaged), errors.Is(err, client.ErrSignature):
		return command.Fail("cli.carry_broken", err, "file", name)
	}
	return command.Fail("cli.backup_failed", err, "file", name)
}

// exporting writes one such file.
type exporting struct {
	s        *station
	call     *command.Call
	batches  []qc.Batch
	files    []qc.Shipment
	manifest carriedManifest
	said     time.Time
}

func (e *exporting) write(ctx context.Context, w io.Writer) error {
	a := archive.NewWriter(w, e.manifest.MadeAt)
	for i, batch := range e.batches {
		signed, err := client.Sign(e.manifest.Station, batch, e.s.key)
		if err != nil {
			return err
		}
		data, err := json.Marshal(signed)
		if err != nil {
			return err
		}
		if err := a.Add(ctx, batchName(i), strings.NewReader(string(data))); err != nil {
			return err
		}
		e.manifest.Events += len(batch.Events)
	}
	for i, file := range e.files {
		e.progress("cli.carry_writing", i, len(e.files))
		// A file that is not what was recorded would be refused with all others.
		err := e.s.blobs.Verify(ctx, file.Digest)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			e.s.log.Error("a photo file cannot be taken along", "sha256", file.Digest, "error", err)
			e.manifest.Missing++
			continue
		}
		if err := e.s.addPhoto(ctx, a, file.Digest); err != nil {
			return err
		}
		file.Upload, file.Offset = "", 0
		e.manifest.Blobs = append(e.manifest.Blobs, file)
		if file.Lane != qc.LanePreview {
			e.manifest.Photos++
		}
	}
	e.manifest.Files = a.Files()
	data, err := json.Marshal(e.manifest)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		archive.ManifestName: data, carriedSignature: ed25519.Sign(e.s.key, manifestMessage(data)),
	} {
		if err := a.Add(ctx, name, strings.NewReader(string(content))); err != nil {
			return err
		}
	}
	return a.Close()
}

func batchName(i int) string { return fmt.Sprintf("batches/%06d.json", i+1) }

// progress says how far it is, once a second.
func (e *exporting) progress(key string, n, m int) { sayProgress(e.call, e.s, &e.said, key, n, m) }

func sayProgress(call *command.Call, s *station, said *time.Time, key string, n, m int) {
	now := s.now()
	if said.IsZero() {
		*said = now
	}
	if now.Sub(*said) >= time.Second {
		*said = now
		fmt.Fprintln(call.Err, call.Words.Text(key, "n", strconv.Itoa(n), "m", strconv.Itoa(m)))
	}
}
