package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"flawmark/app/command"
	"flawmark/app/handout"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/imaging/annotate"
	"flawmark/imaging/evidence"
	"flawmark/imaging/photo"
	"flawmark/storage/blob"
)

// packEvidence writes what a seller is sent for an item: `evidence ITEM`.
func packEvidence(ctx context.Context, call *command.Call, s *station) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ITEM")
	}
	finding, item, err := s.newestFinding(ctx, qc.ItemID(call.Args[0]))
	if err != nil {
		return err
	}
	chosen := refund.Undecided
	cases, err := s.store.Cases(ctx)
	if err != nil {
		return err
	}
	for _, c := range cases {
		if c.Item == item.ID && c.Intent != refund.Undecided {
			chosen = c.Intent
		}
	}
	return handout.Evidence(ctx, call, handout.Subject{Item: item, Finding: finding, Decision: chosen, At: s.now()}, s.flaws, s.readPhoto)
}

// readPhoto reads a photo file; one that is damaged is as good as not here.
func (s *station) readPhoto(d qc.Digest) ([]byte, error) {
	data, err := s.blobs.Read(d, photo.DefaultLimits().Bytes)
	if errors.Is(err, blob.ErrDigest) {
		return nil, fmt.Errorf("%w: %w", qc.ErrNotFound, err)
	}
	return data, err
}

// newestFinding returns what was recorded here last of an item, and the item as
// far as it is known.
func (s *station) newestFinding(ctx context.Context, id qc.ItemID) (qc.Finding, qc.Item, error) {
	recorded, err := s.store.Recorded(ctx, everything)
	if err != nil {
		return qc.Finding{}, qc.Item{}, err
	}
	var newest *qc.Recorded
	for i, r := range recorded {
		if r.Finding != nil && r.Finding.Item == id && (newest == nil || r.Seq > newest.Seq) {
			newest = &recorded[i]
		}
	}
	item, err := s.store.Item(ctx, id)
	unknown := errors.Is(err, qc.ErrNotFound)
	switch {
	case err != nil && !unknown:
		return qc.Finding{}, qc.Item{}, err
	case newest == nil && unknown:
		return qc.Finding{}, qc.Item{}, command.Fail("error.unknown_item", err, "item", string(id))
	case newest == nil:
		return qc.Finding{}, qc.Item{}, command.Fail("cli.nothing_recorded_of", nil, "item", string(id))
	case unknown: // the order is closed and gone from here
		item = qc.Item{ID: id, Order: newest.Finding.Order, Round: newest.Finding.Round}
	}
	return *newest.Finding, item, nil
}

func burnFlags(set *flag.FlagSet) {
	handout.FolderFlags(set)
	set.Bool("legend", false, "below each photo, what its numbers mean")
}

// burn writes an item's photos at full size with the marks on them: `burn ITEM`.
func burn(ctx context.Context, call *command.Call, s *station) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ITEM")
	}
	dir, err := handout.Folder(call)
	if err != nil {
		return err
	}
	finding, item, err := s.newestFinding(ctx, qc.ItemID(call.Args[0]))
	if err != nil {
		return err
	}
	var files []handout.File
	missing := 0
	for i, p := range finding.Photos {
		data, err := s.readPhoto(p.Digest)
		if errors.Is(err, qc.ErrNotFound) {
			missing++
			continue
		}
		if err != nil {
			return err
		}
		shapes, legend := s.shapesOf(finding, p, call.Words.Language())
		opts := evidence.Options{}
		if call.Flag("legend") == "true" {
			opts.Legend = legend
		}
		p.Bytes = int64(len(data))
		var out bytes.Buffer
		if _, err := evidence.BurnIn(ctx, &out, bytes.NewReader(data), p, shapes, opts); err != nil {
			if ctx.Err() != nil {
				return err
			}
			missing++ // not a photo any more: the disk, or a file from outside
			continue
		}
		name := photoName(i, p)
		files = append(files, handout.File{Name: strings.TrimSuffix(name, filepath.Ext(name)) + ".jpg", Data: out.Bytes()})
	}
	if len(files) == 0 {
		return command.Fail("cli.evidence_no_photos", nil, "item", string(item.ID))
	}
	if err := handout.Write(dir, files); err != nil {
		return err
	}
	call.Say("cli.burned", "n", strconv.Itoa(len(files)), "folder", dir)
	if missing > 0 {
		return command.Fail("cli.burn_missing", nil, "n", strconv.Itoa(missing))
	}
	return nil
}

// shapesOf returns the marks on a photo as people outside see them, and what
// their numbers mean.
func (s *station) shapesOf(f qc.Finding, p qc.Photo, lang string) ([]annotate.Shape, []annotate.LegendEntry) {
	var shapes []annotate.Shape
	shown := make(map[int]bool)
	for _, m := range f.Marks {
		if m.Photo != p.ID {
			continue
		}
		shape := annotate.Shape{Mark: m, Number: f.Number(m.Flaw), Severity: qc.Observation, Label: m.Label(p.Scale)}
		if shape.Number > 0 {
			flaw := f.Flaws[shape.Number-1]
			if kind, _ := s.flaws.Flaw(flaw.Code); kind.Internal && m.Tool != qc.Redaction {
				continue
			}
			shape.Severity, shown[shape.Number] = flaw.Severity, true
		}
		shapes = append(shapes, shape)
	}
	var legend []annotate.LegendEntry
	for i, flaw := range f.Flaws {
		if !shown[i+1] {
			continue
		}
		kind, _ := s.flaws.Flaw(flaw.Code)
		entry := annotate.LegendEntry{Number: i + 1, Severity: flaw.Severity, Words: kind.Name().In(lang)}
		if flaw.SizeMM > 0 {
			entry.Size = strconv.FormatFloat(flaw.SizeMM, 'f', -1, 64) + " mm"
		}
		legend = append(legend, entry)
	}
	return shapes, legend
}
