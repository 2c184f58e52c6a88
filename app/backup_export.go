package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"flawmark/app/archive"
	"flawmark/app/command"
	"flawmark/app/qc"
)

// export writes what was recorded here for people and other programs: a folder
// an item, in it a folder a finding with the original photos under their own
// names and the finding as JSON, and beside them the queue and the drafts.
func export(ctx context.Context, call *command.Call, s *station) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "DIR")
	}
	dir := call.Path(call.Args[0])
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return command.Fail("cli.export_not_empty", nil, "folder", dir)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return command.Fail("cli.folder_unusable", err, "folder", dir)
	}
	recorded, err := s.store.Recorded(ctx, everything)
	if err != nil {
		return err
	}
	e := exporter{station: s, dir: dir}
	for _, r := range recorded {
		if r.Finding == nil {
			continue
		}
		if err := e.finding(ctx, r); err != nil {
			return exportProblem(err, dir)
		}
	}
	drafts, err := s.store.Drafts(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(writeLines(filepath.Join(dir, "queue.jsonl"), recorded), writeLines(filepath.Join(dir, "drafts.jsonl"), drafts)); err != nil {
		return exportProblem(err, dir)
	}
	if call.JSON {
		if err := json.NewEncoder(call.Out).Encode(map[string]any{
			"folder": dir, "findings": e.findings, "photos": e.photos, "missing": e.missing,
		}); err != nil {
			return err
		}
	} else {
		call.Say("cli.exported", "n", strconv.Itoa(e.findings), "photos", strconv.Itoa(e.photos), "folder", dir)
	}
	if e.missing > 0 {
		return command.Fail("cli.export_missing", nil, "n", strconv.Itoa(e.missing))
	}
	return nil
}

func exportProblem(err error, dir string) error {
	if isFull(err) || errors.Is(err, context.Canceled) {
		return err
	}
	return command.Fail("cli.folder_unusable", err, "folder", dir)
}

// exporter counts what it writes.
type exporter struct {
	station                   *station
	dir                       string
	findings, photos, missing int
}

func (e *exporter) finding(ctx context.Context, r qc.Recorded) error {
	at := r.At.UTC().Format("20060102-150405")
	dir := filepath.Join(e.dir, fileName(string(r.Finding.Item)), fileName(fmt.Sprintf("%s-%s-%d", at, r.Finding.Verdict, r.Seq)))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	err = archive.WriteNew(filepath.Join(dir, "finding.json"), func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
	if err != nil {
		return err
	}
	e.findings++
	for i, photo := range r.Finding.Photos {
		name := filepath.Join(dir, photoName(i, photo))
		if err := errors.Join(e.photo(ctx, name, photo.Digest), writeSheet(name, *r.Finding, photo.ID)); err != nil {
			return err
		}
	}
	return nil
}

// photo copies an original, and leaves no file where it is missing or damaged.
func (e *exporter) photo(ctx context.Context, to string, d qc.Digest) error {
	here := false
	hash := sha256.New()
	err := archive.WriteNew(to, func(w io.Writer) (err error) {
		here, err = e.station.copyBlob(ctx, d, io.MultiWriter(w, hash))
		return err
	})
	if err != nil {
		return err
	}
	if !here || hex.EncodeToString(hash.Sum(nil)) != string(d) {
		e.missing++
		return os.Remove(to)
	}
	e.photos++
	return nil
}

func photoName(i int, p qc.Photo) string {
	ext := map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/heic": ".heic"}[p.MediaType]
	name := strings.TrimSuffix(p.Name, filepath.Ext(p.Name))
	if ext == "" {
		ext = filepath.Ext(p.Name)
	}
	return fileName(fmt.Sprintf("%d-%s", i+1, name) + ext)
}

// fileName makes a name that every file system takes, sticks included.
func fileName(text string) string {
	const longest = 80
	safe := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, text)
	for len(safe) > longest {
		runes := []rune(safe)
		cut := len(runes) / 2 // from the middle: the beginning and the ending tell most
		safe = string(append(runes[:cut:cut], runes[cut+1:]...))
	}
	if safe = strings.TrimRight(safe, ". "); safe == "" {
		return "_"
	}
	return safe
}

// writeLines writes one JSON value a line.
func writeLines[T any](name string, rows []T) error {
	return archive.WriteNew(name, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		for _, row := range rows {
			if err := encoder.Encode(row); err != nil {
				return err
			}
		}
		return nil
	})
}
