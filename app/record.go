package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/capture"
	"flawmark/imaging/photo"
	"flawmark/ui/model"
)

// repeated is a flag that may be given several times.
type repeated []string

func (r *repeated) String() string { return strings.Join(*r, "\n") }

func (r *repeated) Set(value string) error {
	*r = append(*r, value)
	return nil
}

// mentions keeps --flaw, --mark and --note in the order in which they
// were typed, because a mark belongs to the flaw named before it.
type mentions struct {
	list *[]mention
	kind string
}

type mention struct{ kind, text string }

func (m mentions) String() string { return "" }

func (m mentions) Set(text string) error {
	*m.list = append(*m.list, mention{m.kind, text})
	return nil
}

// Get returns the list, for whoever looks the flag up.
func (m mentions) Get() any { return *m.list }

func recordFlags(set *flag.FlagSet) {
	said := new([]mention)
	set.String("item", "", "`number` of the item")
	set.String("inspector", "", "staff `id` of who inspects")
	set.Var(new(repeated), "photo", "photo `file`; give the option again, or further files behind it")
	set.Var(mentions{said, "flaw"}, "flaw", "`CODE[:SEV]` of a flaw, such as H11:MIN")
	set.Var(mentions{said, "mark"}, "mark", "mark of the flaw before it: `N#tool:numbers`, such as 1#rect:x,y,w,h or 1#polygon:x1,y1,x2,y2,x3,y3")
	set.Var(mentions{said, "note"}, "note", "`text` to the flaw before it")
	set.Bool("unsure", false, "ask a shift lead to look first")
}

// record saves a finding as the window does, without the window.
func record(verdict qc.Verdict) func(context.Context, *command.Call, *station) error {
	return func(ctx context.Context, call *command.Call, s *station) error {
		finding, item, err := s.describe(ctx, call)
		if err != nil {
			return err
		}
		finding.Verdict = verdict
		if err := s.addFlaws(call, &finding); err != nil {
			return err
		}
		if finding, err = model.Redact(ctx, photoFiles{s.blobs}, finding); err != nil {
			return err
		}
		if err := finding.Check(item, s.flaws); err != nil {
			return command.Fail("error."+keyOf(err), err)
		}
		if _, err := s.store.Record(ctx, qc.FindingRecorded, finding.Inspector, finding.RecordedAt, finding); err != nil {
			return err
		}
		s.engine.Kick()
		if call.JSON {
			return json.NewEncoder(call.Out).Encode(map[string]qc.FindingID{"id": finding.ID})
		}
		call.Say("cli.recorded", "id", string(finding.ID), "delivery", call.Words.Text("delivery.here"))
		return nil
	}
}

// keyOf returns the key that a finding's refusal begins with.
func keyOf(err error) string {
	key, _, _ := strings.Cut(err.Error(), ":")
	return key
}

// describe starts a finding: who, what, and the photos, which are kept.
func (s *station) describe(ctx context.Context, call *command.Call) (qc.Finding, qc.Item, error) {
	number := qc.ItemID(call.Flag("item"))
	if number == "" {
		return qc.Finding{}, qc.Item{}, command.Fail("cli.item_missing", nil)
	}
	item, err := s.store.Item(ctx, number)
	if errors.Is(err, qc.ErrNotFound) {
		return qc.Finding{}, item, command.Fail("error.unknown_item", err, "item", string(number))
	}
	if err != nil {
		return qc.Finding{}, item, err
	}
	inspector, err := s.inspector(ctx, call)
	if err != nil {
		return qc.Finding{}, item, err
	}
	identity, _, err := s.store.Identity(ctx)
	if err != nil {
		return qc.Finding{}, item, err
	}
	finding := qc.Finding{
		ID: qc.FindingID(newID()), Revision: 1, Item: item.ID, Order: item.Order, Round: item.Round,
		Inspector: inspector, Station: identity.Station, RecordedAt: s.now(), Unsure: call.Flag("unsure") == "true",
	}
	files := strings.Split(call.Flag("photo"), "\n")
	for _, name := range append(files, call.Args...) {
		if name == "" {
			continue
		}
		kept, err := s.keepPhoto(ctx, call, name)
		if err != nil {
			return qc.Finding{}, item, err
		}
		finding.Photos = append(finding.Photos, kept)
	}
	return finding, item, nil
}

func (s *station) inspector(ctx context.Context, call *command.Call) (qc.StaffID, error) {
	id := qc.StaffID(call.Flag("inspector"))
	if id == "" {
		return "", command.Fail("cli.inspector_missing", nil)
	}
	staff, err := s.store.Staff(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(staff, func(p qc.Staff) bool { return p.ID == id })
	if i < 0 || !staff[i].MayInspect() {
		return "", command.Fail("cli.inspector_unknown", nil, "id", string(id))
	}
	return id, nil
}

func (s *station) keepPhoto(ctx context.Context, call *command.Call, name string) (qc.Photo, error) {
	file, info, err := capture.Open(call.Path(name), photo.DefaultLimits())
	if errors.Is(err, os.ErrNotExist) {
		return qc.Photo{}, command.Fail("error.file_missing", err, "file", name)
	}
	if err == nil {
		defer file.Close()
		var taken model.Taken
		if taken, err = s.shelf().Take(ctx, filepath.Base(name), file, s.now()); err == nil {
			return taken.Photo, nil
		}
	}
	if problem := explain(err); problem != nil {
		return qc.Photo{}, problem // of the disk, not of the photo
	}
	limits := photo.DefaultLimits()
	problem := call.Words.Text(model.PhotoProblem(err))
	switch {
	case errors.Is(err, photo.ErrTooLarge) && info.Width > 0:
		problem = call.Words.Text("error.photo_too_large", "pixels", strconv.Itoa(info.Width*info.Height/1e6),
			"limit", strconv.FormatInt(limits.Pixels/1e6, 10))
	case errors.Is(err, photo.ErrTooLarge):
		problem = call.Words.Text("error.file_too_big", "limit", strconv.FormatInt(limits.Bytes/1e6, 10)+" MB")
	}
	return qc.Photo{}, command.Fail("cli.photo_problem", err, "file", name, "problem", problem)
}

// addFlaws reads what was said about flaws, in the order it was said.
func (s *station) addFlaws(call *command.Call, finding *qc.Finding) error {
	said, _ := call.Set.Lookup("flaw").Value.(flag.Getter).Get().([]mention)
	for _, m := range said {
		var err error
		switch m.kind {
		case "flaw":
			err = s.addFlaw(finding, m.text)
		case "mark":
			err = addMark(finding, m.text)
		case "note":
			if len(finding.Flaws) == 0 {
				return command.Fail("error.finding_no_flaw", nil)
			}
			finding.Flaws[len(finding.Flaws)-1].Note = m.text
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *station) addFlaw(finding *qc.Finding, text string) error {
	code, severity, given := strings.Cut(text, ":")
	kind, known := s.flaws.Flaw(qc.FlawCode(strings.ToUpper(code)))
	if !known {
		return command.Fail("error.finding_flaw_code", nil)
	}
	flaw := qc.Flaw{ID: qc.FlawID(newID()), Code: kind.Code, Severity: kind.Severity, Zone: qc.ZoneB, Quantity: 1}
	if given {
		flaw.Severity = qc.Severity(strings.ToUpper(severity))
		if !slices.Contains(qc.Severities(), flaw.Severity) {
			return command.Fail("cli.flaw_syntax", nil, "text", text)
		}
	}
	finding.Flaws = append(finding.Flaws, flaw)
	return nil
}

// addMark reads "N#tool:" and numbers: of tools with corners x,y,w,h, of the
// others places x1,y1,x2,y2,….
func addMark(finding *qc.Finding, text string) error {
	photo, rest, _ := strings.Cut(text, "#")
	tool, places, _ := strings.Cut(rest, ":")
	n, err := strconv.Atoi(photo)
	form, known := qc.Tool(tool).Form()
	values := strings.Split(places, ",")
	if err != nil || !known || n < 1 || n > len(finding.Photos) || len(values)%2 != 0 || !form.Fits(len(values)/2) {
		return command.Fail("cli.mark_syntax", err, "text", text)
	}
	mark := qc.Mark{ID: qc.MarkID(newID()), Photo: finding.Photos[n-1].ID, Tool: form.Tool}
	numbers := make([]float64, len(values))
	for i, value := range values {
		if numbers[i], err = strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil {
			return command.Fail("cli.mark_syntax", err, "text", text)
		}
	}
	for i := 0; i < len(numbers); i += 2 {
		mark.Points = append(mark.Points, qc.Point{X: numbers[i], Y: numbers[i+1]})
	}
	if annotate.Cornered(mark.Tool) {
		mark.Points[1].X += mark.Points[0].X
		mark.Points[1].Y += mark.Points[0].Y
	}
	if len(finding.Flaws) > 0 {
		mark.Flaw = finding.Flaws[len(finding.Flaws)-1].ID
	}
	finding.Marks = append(finding.Marks, mark)
	return nil
}

// newID returns a UUIDv7: unique, and in the order of time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
