package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/imaging/exchange"
	"flawmark/ui/bench"
	"flawmark/ui/model"
)

func marksImportFlags(set *flag.FlagSet) {
	set.String("item", "", "`number` of the item")
	set.String("format", "", "`sheet|w3c|labelme`; else found by looking")
	set.Int("photo", 0, "`number` of the photo, from 1; else found by what the file says")
}

// importMarks takes marks from a file into the inspection in progress of an
// item: `marks import FILE`. What was recorded never changes.
func importMarks(ctx context.Context, call *command.Call, s *station) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "FILE")
	}
	id := qc.ItemID(call.Flag("item"))
	if id == "" {
		return command.Fail("cli.item_missing", nil)
	}
	if s.isOpen(ctx, id) {
		return command.Fail("cli.marks_in_window", nil, "item", string(id))
	}
	item, err := s.store.Item(ctx, id)
	if errors.Is(err, qc.ErrNotFound) {
		return command.Fail("error.unknown_item", err, "item", string(id))
	}
	if err != nil {
		return err
	}
	draft, err := s.store.Draft(ctx, id)
	if errors.Is(err, qc.ErrNotFound) || err == nil && len(draft.Finding.Photos) == 0 {
		return command.Fail("cli.marks_no_draft", err, "item", string(id))
	}
	if err != nil {
		return err
	}
	name := call.Args[0]
	data, err := readMarks(call.Path(name), name)
	if err != nil {
		return err
	}
	sheet, err := s.readSheet(call, name, data, draft.Finding)
	if err != nil {
		return err
	}
	into := taking{station: s, item: item, finding: draft.Finding, lines: &bytes.Buffer{}, call: call}
	into.finding.Flaws = slices.Clone(draft.Finding.Flaws)
	into.finding.Marks = slices.Clone(draft.Finding.Marks)
	into.sheet(sheet)
	if into.marks+into.flaws > 0 {
		after, err := model.Redact(ctx, photoFiles{s.blobs}, into.finding)
		if errors.Is(err, qc.ErrNotFound) {
			return command.Fail("cli.evidence_no_photos", err, "item", string(id))
		}
		if err != nil {
			return err
		}
		past, _ := draft.History.Unfold(draft.Finding)
		draft.History = qc.FoldHistory(append(past, draft.Finding), nil)
		draft.Finding, draft.UpdatedAt = after, s.now()
		if err := s.store.SaveDraft(ctx, draft); err != nil {
			return err
		}
	}
	fmt.Fprint(call.Err, into.lines.String())
	call.Say("cli.marks_imported", "marks", strconv.Itoa(into.marks), "flaws", strconv.Itoa(into.flaws),
		"left", strconv.Itoa(into.left), "item", string(id))
	return nil
}

// isOpen reports whether the window shows an item, whose draft it then holds.
func (s *station) isOpen(ctx context.Context, id qc.ItemID) bool {
	if s.window == nil {
		return false
	}
	described := make(chan bench.Description, 1)
	fyne.Do(func() { described <- s.window.Describe() })
	select {
	case <-ctx.Done():
		return true
	case d := <-described:
		return d.Item == id
	}
}

// readMarks reads a file within the limits.
func readMarks(path, name string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, command.Fail("error.file_missing", err, "file", name)
	}
	if err != nil {
		return nil, command.Fail("cli.file_unreadable", err, "file", name)
	}
	defer file.Close()
	most := exchange.DefaultLimits().Bytes
	data, err := io.ReadAll(io.LimitReader(file, int64(most)+1))
	if err != nil {
		return nil, command.Fail("cli.file_unreadable", err, "file", name)
	}
	if len(data) > most {
		return nil, command.Fail("cli.marks_too_large", exchange.ErrTooLarge, "file", name)
	}
	return data, nil
}

// readSheet reads a file of marks as a sheet of one of the finding's photos.
func (s *station) readSheet(call *command.Call, name string, data []byte, f qc.Finding) (exchange.Sheet, error) {
	photos := f.Photos
	if text := call.Flag("photo"); text != "" && text != "0" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > len(photos) {
			return exchange.Sheet{}, command.Fail("cli.marks_photo", err, "n", text, "photos", strconv.Itoa(len(photos)))
		}
		photos = photos[n-1 : n]
	}
	form := call.Flag("format")
	if form == "" {
		form = formOf(data)
	}
	limits := exchange.DefaultLimits()
	var read func(exchange.Image) (exchange.Sheet, error)
	switch form {
	case formSheet:
		read = func(image exchange.Image) (exchange.Sheet, error) {
			sheet, err := exchange.ParseSheet(data, limits)
			if err == nil && (sheet.Image.Digest != image.Digest || sheet.Image.Width != image.Width || sheet.Image.Height != image.Height) {
				return sheet, exchange.ErrOtherPhoto
			}
			return sheet.On(image), err
		}
	case formW3C:
		read = func(image exchange.Image) (exchange.Sheet, error) { return exchange.ParseW3C(data, image, limits) }
	case formLabelme:
		read = func(image exchange.Image) (exchange.Sheet, error) { return exchange.ParseLabelme(data, image, limits) }
	default:
		return exchange.Sheet{}, command.Fail("cli.marks_format", nil, "format", form, "formats", "sheet, w3c, labelme")
	}
	var fits []exchange.Sheet
	var first error
	for _, p := range photos {
		sheet, err := read(exchange.ImageOf(p))
		switch {
		case err == nil:
			fits = append(fits, sheet)
		case first == nil:
			first = err
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0], nil
	case len(fits) > 1:
		return exchange.Sheet{}, command.Fail("cli.marks_which_photo", nil, "file", name)
	}
	return exchange.Sheet{}, marksProblem(first, name, data)
}

// formOf finds a file's form by what only that form has.
func formOf(data []byte) string {
	var top struct {
		Schema *json.RawMessage `json:"schema"`
		Shapes *json.RawMessage `json:"shapes"`
		Items  *json.RawMessage `json:"items"`
	}
	if text := bytes.TrimSpace(data); len(text) > 0 && text[0] == '[' {
		return formW3C
	}
	if err := json.Unmarshal(data, &top); err == nil {
		switch {
		case top.Shapes != nil && top.Schema == nil:
			return formLabelme
		case top.Items != nil && top.Schema == nil:
			return formW3C
		}
	}
	return formSheet
}

// taking puts what a sheet holds into a finding, as far as it can be recorded.
type taking struct {
	*station
	call               *command.Call
	item               qc.Item
	finding            qc.Finding
	lines              *bytes.Buffer // what was left out, in words
	marks, flaws, left int
}

func (t *taking) sheet(s exchange.Sheet) {
	flaws, marks := s.Contents()
	gone := make(map[qc.FlawID]bool)
	for _, flaw := range flaws {
		if t.finding.Number(flaw.ID) > 0 {
			continue // the inspection's own word stands
		}
		kind, known := t.station.flaws.Flaw(flaw.Code)
		if !known {
			gone[flaw.ID] = true
			if slices.ContainsFunc(marks, func(m qc.Mark) bool { return m.Flaw == flaw.ID }) {
				t.leave(string(flaw.Code), "error.finding_flaw_code")
			}
			continue
		}
		if !slices.Contains(qc.Severities(), flaw.Severity) {
			flaw.Severity = kind.Severity
		}
		if !slices.Contains([]qc.Zone{qc.ZoneA, qc.ZoneB, qc.ZoneC}, flaw.Zone) {
			flaw.Zone = qc.ZoneB
		}
		flaw.Quantity = min(max(flaw.Quantity, 1), max(t.item.Quantity, 1))
		t.finding.Flaws = append(t.finding.Flaws, flaw)
		t.flaws++
	}
	for _, m := range marks {
		if gone[m.Flaw] {
			m.Flaw = ""
		}
		if key := t.mark(m); key != "" {
			t.leave(t.call.Words.Text("tool."+string(m.Tool)), key)
		}
	}
}

// mark takes a mark, in the place of one of the same id, or returns the key of
// the sentence that says why not.
func (t *taking) mark(m qc.Mark) string {
	if !t.finding.RoomFor(len(m.Points)) {
		return "error." + qc.ErrMarkCount.Error()
	}
	trial := t.finding
	trial.Verdict = qc.Pass
	trial.Flaws = slices.Clone(t.finding.Flaws)
	for i := range trial.Flaws {
		trial.Flaws[i].Severity = qc.Observation // what is tried is the mark
	}
	trial.Marks = slices.DeleteFunc(slices.Clone(t.finding.Marks), func(old qc.Mark) bool { return old.ID == m.ID })
	trial.Marks = append(trial.Marks, m)
	trial.Photos = slices.Clone(t.finding.Photos)
	for i := range trial.Photos {
		trial.Photos[i].Redactions = trial.Redactions(trial.Photos[i].ID)
	}
	if err := trial.Check(t.item, t.station.flaws); err != nil {
		return "error." + keyOf(err)
	}
	t.finding.Marks = trial.Marks
	t.marks++
	return ""
}

// leave says what was left out.
func (t *taking) leave(what, key string) {
	t.left++
	fmt.Fprintln(t.lines, t.call.Words.Text("cli.marks_left_out", "mark", what, "why", t.call.Words.Text(key)))
}
