package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"flawmark/app/archive"
	"flawmark/app/command"
	"flawmark/app/handout"
	"flawmark/app/qc"
	"flawmark/imaging/exchange"
)

// The forms in which marks are written; all but COCO are read back.
const (
	formSheet   = "sheet"
	formW3C     = "w3c"
	formCOCO    = "coco"
	formLabelme = "labelme"
)

func marksExportFlags(set *flag.FlagSet) {
	handout.FolderFlags(set)
	set.String("format", formSheet, "`sheet|w3c|coco|labelme`")
	set.Bool("draft", false, "of the inspection in progress instead of what was recorded")
}

// exportMarks writes an item's marks in a form that outlives this program:
// `marks export ITEM`.
func exportMarks(ctx context.Context, call *command.Call, s *station) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ITEM")
	}
	dir, err := handout.Folder(call)
	if err != nil {
		return err
	}
	finding, err := s.findingToExport(ctx, call, qc.ItemID(call.Args[0]))
	if err != nil {
		return err
	}
	sheets := make([]exchange.Sheet, len(finding.Photos))
	for i, p := range finding.Photos {
		if sheets[i], err = exchange.FromFinding(finding, p.ID); err != nil {
			return err
		}
		sheets[i].Image.Name = photoName(i, p) // as `export` names the photo beside it
	}
	files, left, err := s.written(call.Flag("format"), sheets)
	if err != nil {
		return marksProblem(err, call.Args[0], nil)
	}
	if err := handout.Write(dir, files); err != nil {
		return err
	}
	for _, o := range left {
		fmt.Fprintln(call.Err, call.Words.Text("cli.marks_left_out", "mark", s.markName(call, finding, o.Mark), "why", call.Words.Text(omissionKey(o.Why))))
	}
	call.Say("cli.marks_exported", "n", strconv.Itoa(len(files)), "marks", strconv.Itoa(len(finding.Marks)-len(left)), "folder", dir)
	return nil
}

func (s *station) findingToExport(ctx context.Context, call *command.Call, id qc.ItemID) (qc.Finding, error) {
	if call.Flag("draft") != "true" {
		finding, _, err := s.newestFinding(ctx, id)
		return finding, err
	}
	draft, err := s.store.Draft(ctx, id)
	if errors.Is(err, qc.ErrNotFound) {
		return qc.Finding{}, command.Fail("cli.marks_no_draft", err, "item", string(id))
	}
	draft.Finding.Item, draft.Finding.Revision = id, max(draft.Finding.Revision, 1)
	return draft.Finding, err
}

// written makes the files of a form.
func (s *station) written(form string, sheets []exchange.Sheet) (files []handout.File, left []exchange.Omission, err error) {
	if form == formCOCO {
		data, left, err := exchange.COCO(sheets, s.flaws)
		return []handout.File{{Name: "coco.json", Data: data}}, left, err
	}
	for _, sheet := range sheets {
		var data []byte
		var omitted []exchange.Omission
		stem := strings.TrimSuffix(sheet.Image.Name, filepath.Ext(sheet.Image.Name))
		name := sheet.Image.Name + ".qc.json"
		switch form {
		case formSheet:
			data, err = sheet.Marshal()
		case formW3C:
			name = stem + ".w3c.json"
			data, omitted, err = sheet.W3C("", sheet.Image.Address())
		case formLabelme:
			name = stem + ".json" // where labelme looks for it
			data, omitted, err = sheet.Labelme("")
		default:
			return nil, nil, command.Fail("cli.marks_format", nil, "format", form, "formats", "sheet, w3c, coco, labelme")
		}
		if err != nil {
			return nil, nil, err
		}
		files, left = append(files, handout.File{Name: name, Data: data}), append(left, omitted...)
	}
	return files, left, nil
}

// markName is how a person finds a mark: the flaw's number and the tool.
func (s *station) markName(call *command.Call, f qc.Finding, id qc.MarkID) string {
	for _, m := range f.Marks {
		if m.ID != id {
			continue
		}
		tool := call.Words.Text("tool." + string(m.Tool))
		if n := f.Number(m.Flaw); n > 0 {
			return fmt.Sprintf("%d %s", n, tool)
		}
		return tool
	}
	return string(id)
}

// omissionKey is the key of the sentence that says why a mark was left out.
func omissionKey(why error) string {
	for _, known := range []struct {
		cause error
		key   string
	}{
		{exchange.ErrNoForm, "cli.marks_why.no_form"},
		{exchange.ErrNoFlaw, "cli.marks_why.no_flaw"},
		{exchange.ErrNoRegion, "cli.marks_why.no_region"},
	} {
		if errors.Is(why, known.cause) {
			return known.key
		}
	}
	return "cli.marks_why.other"
}

// marksProblem turns what is wrong with a file of marks into a sentence; data is
// the file, for the place in it.
func marksProblem(err error, file string, data []byte) error {
	if line, column, ok := exchange.Position(data, err); ok {
		return command.Fail("cli.marks_json", err, "file", file, "line", strconv.Itoa(line), "column", strconv.Itoa(column))
	}
	for _, known := range []struct {
		cause error
		key   string
	}{
		{exchange.ErrTooLarge, "cli.marks_too_large"},
		{exchange.ErrNewer, "cli.marks_newer"},
		{exchange.ErrOtherPhoto, "cli.marks_other_photo"},
		{exchange.ErrNoPhoto, "cli.marks_other_photo"},
		{exchange.ErrOutside, "cli.marks_outside"},
		{exchange.ErrCoords, "cli.marks_coords"},
		{exchange.ErrManyShapes, "cli.marks_many_shapes"},
		{exchange.ErrShape, "cli.marks_shape"},
		{exchange.ErrMalformed, "cli.marks_malformed"},
	} {
		if errors.Is(err, known.cause) {
			return command.Fail(known.key, err, "file", file)
		}
	}
	return err
}

// writeSheet writes the marks of a photo beside it: X.jpg has X.jpg.qc.json. A
// photo whose size was not recorded has none.
func writeSheet(photo string, f qc.Finding, id qc.PhotoID) error {
	sheet, err := exchange.FromFinding(f, id)
	if err != nil {
		return err
	}
	sheet.Image.Name = filepath.Base(photo)
	data, err := sheet.Marshal()
	if err != nil {
		return nil //nolint:nilerr // the finding itself is there as it was recorded
	}
	return archive.WriteNew(photo+".qc.json", func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
