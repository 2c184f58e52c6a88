package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"flawmark/app/qc"
)

// foreignAnnotation is an annotation of anybody's. Where the standard allows
// one or many, or an address in place of an object, it is looked at later.
type foreignAnnotation struct {
	ID        string          `json:"id"`
	Type      json.RawMessage `json:"type"`
	Body      json.RawMessage `json:"body"`
	BodyValue string          `json:"bodyValue"`
	Target    json.RawMessage `json:"target"`
	webExtension
}

type foreignTarget struct {
	Source   json.RawMessage `json:"source"`
	Selector json.RawMessage `json:"selector"`
}

type foreignBody struct {
	Type    string          `json:"type"`
	Purpose json.RawMessage `json:"purpose"`
	Value   string          `json:"value"`
}

// ParseW3C reads an AnnotationPage, or a plain list of annotations as viewers
// hand them out, as the marks of image. Boxes may be given in pixels or
// percent, other shapes as an SVG of one shape made of straight lines or an
// ellipse. The whole page belongs to one picture; which one is the caller's to
// know.
//
// A first tag (or classification) is the flaw's code, an assessment its
// severity, everything else its note. What an annotation does not say stays
// empty. The sheet has revision 1.
//
// It fails with [ErrManyShapes], [ErrShape], [ErrOutside], [ErrOtherPhoto],
// [ErrCoords], [ErrTooLarge] or [ErrMalformed].
func ParseW3C(data []byte, image Image, limits Limits) (Sheet, error) {
	s, err := parseW3C(data, image, limits)
	if err != nil {
		return Sheet{}, fmt.Errorf("read annotations of photo %.80s: %w", image.ID, err)
	}
	return s, nil
}

func parseW3C(data []byte, image Image, limits Limits) (Sheet, error) {
	if err := readable(data, limits); err != nil {
		return Sheet{}, err
	}
	page, items, err := annotationsOf(data)
	if err != nil {
		return Sheet{}, err
	}
	g, err := gather(image, limits)
	if err != nil {
		return Sheet{}, err
	}
	picture, ids := "", make(map[qc.MarkID]bool)
	for i, raw := range items {
		f, source, err := readAnnotation(raw, page, image, limits)
		if err != nil {
			return Sheet{}, fmt.Errorf("annotation %d: %w", i, err)
		}
		if f.mark != "" && ids[f.mark] {
			return Sheet{}, fmt.Errorf("%w: annotation id %.80q is given twice", ErrMalformed, f.mark)
		}
		ids[f.mark] = true
		if source != "" && picture != "" && source != picture {
			return Sheet{}, fmt.Errorf("%w: annotation %d is on %.80q, others on %.80q", ErrOtherPhoto, i, source, picture)
		}
		if source != "" {
			picture = source
		}
		if err := g.add(f); err != nil {
			return Sheet{}, fmt.Errorf("annotation %d: %w", i, err)
		}
	}
	return g.finish()
}

// annotationsOf returns the page's id and its annotations.
func annotationsOf(data []byte) (page string, items []json.RawMessage, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		if err := json.Unmarshal(data, &items); err != nil {
			return "", nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		return "", items, nil
	}
	var top struct {
		ID    string            `json:"id"`
		Type  json.RawMessage   `json:"type"`
		Items []json.RawMessage `json:"items"`
	}
	if _, err := readFields(data, &top); err != nil {
		return "", nil, err
	}
	if !slices.Contains(texts(top.Type), "AnnotationPage") {
		return "", nil, fmt.Errorf("%w: not an AnnotationPage", ErrMalformed)
	}
	return top.ID, top.Items, nil
}

func readAnnotation(raw json.RawMessage, page string, image Image, limits Limits) (found, string, error) {
	var a foreignAnnotation
	if _, err := readFields(raw, &a); err != nil {
		return found{}, "", err
	}
	if !slices.Contains(texts(a.Type), "Annotation") {
		return found{}, "", fmt.Errorf("%w: not an Annotation", ErrMalformed)
	}
	geometry, source, err := readTarget(a.Target, image, limits)
	if err != nil {
		return found{}, "", err
	}
	if address, ok := strings.CutPrefix(source, photoPrefix); ok && address != string(image.Digest) {
		return found{}, "", fmt.Errorf("%w: %.80q", ErrOtherPhoto, address)
	}
	f := found{mark: markID(page, a.ID), tool: a.Tool, shape: geometry, number: a.Number, ours: ours{a.Text, a.Zoom, a.Place}}
	if row, known := formOf(a.Tool); known && row.least == 1 && geometry.kind == upright && geometry.points[0] == geometry.points[1] {
		f.shape = shape{spot, geometry.points[:1]}
	}
	f.flaw = qc.Flaw{ID: a.Flaw, Zone: a.Zone, Quantity: a.Quantity, SizeMM: a.SizeMM}
	if err := readBodies(a, &f.flaw); err != nil {
		return found{}, "", err
	}
	if a.Tool == qc.Redaction && f.flaw.Code == redactedLabel {
		f.flaw.Code = ""
	}
	f.shows = !reflect.ValueOf(f.flaw).IsZero()
	return f, source, nil
}

// readTarget returns the shape and the address of the picture.
func readTarget(raw json.RawMessage, image Image, limits Limits) (shape, string, error) {
	targets := oneOrMany(raw)
	if len(targets) > 1 {
		return shape{}, "", fmt.Errorf("%w: %d targets", ErrManyShapes, len(targets))
	}
	if len(targets) == 0 {
		return shape{}, "", fmt.Errorf("%w: no target", ErrMalformed)
	}
	var address string
	if json.Unmarshal(targets[0], &address) == nil {
		source, fragment, ok := strings.Cut(address, "#")
		if !ok {
			return shape{}, "", fmt.Errorf("%w: the whole picture", ErrShape)
		}
		s, err := parseFragment(fragment, image)
		return s, source, err
	}
	var target foreignTarget
	if _, err := readFields(targets[0], &target); err != nil {
		return shape{}, "", err
	}
	selectors := oneOrMany(target.Selector)
	switch len(selectors) {
	case 0:
		return shape{}, "", fmt.Errorf("%w: the whole picture", ErrShape)
	case 1:
	default:
		return shape{}, "", fmt.Errorf("%w: %d selectors", ErrManyShapes, len(selectors))
	}
	var selector webSelector
	if _, err := readFields(selectors[0], &selector); err != nil {
		return shape{}, "", err
	}
	source := addressOf(target.Source)
	switch selector.Type {
	case "FragmentSelector":
		s, err := parseFragment(selector.Value, image)
		return s, source, err
	case "SvgSelector":
		s, err := parseSVG(selector.Value, image, limits)
		return s, source, err
	}
	return shape{}, "", fmt.Errorf("%w: selector %.80q", ErrShape, selector.Type)
}

// readBodies takes what the bodies say into flaw. Bodies that are not text
// say nothing to us.
func readBodies(a foreignAnnotation, flaw *qc.Flaw) error {
	var notes []string
	if a.BodyValue != "" {
		notes = append(notes, a.BodyValue)
	}
	for _, raw := range oneOrMany(a.Body) {
		var body foreignBody
		if raw[0] != '{' {
			continue // the address of a body elsewhere
		}
		if _, err := readFields(raw, &body); err != nil {
			return err
		}
		purposes := texts(body.Purpose)
		switch {
		case body.Type != "TextualBody" || body.Value == "":
		case (a.Tool == qc.Text || a.Tool == qc.Measure) && slices.Contains(purposes, forDescribing): // ours
		case flaw.Code == "" && (slices.Contains(purposes, forTagging) || slices.Contains(purposes, "classifying")):
			flaw.Code = qc.FlawCode(body.Value)
		case flaw.Severity == "" && slices.Contains(purposes, forAssessing):
			flaw.Severity = qc.Severity(body.Value)
		default:
			notes = append(notes, body.Value)
		}
	}
	flaw.Note = strings.Join(notes, "\n")
	return nil
}

// oneOrMany returns the values of a field that JSON-LD lets be one or a list.
func oneOrMany(raw json.RawMessage) []json.RawMessage {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var many []json.RawMessage
	if raw[0] == '[' && json.Unmarshal(raw, &many) == nil {
		for i := range many {
			many[i] = bytes.TrimSpace(many[i])
		}
		return many
	}
	return []json.RawMessage{raw}
}

// texts returns the strings of a field that may be one or a list.
func texts(raw json.RawMessage) []string {
	var all []string
	for _, one := range oneOrMany(raw) {
		var text string
		if json.Unmarshal(one, &text) == nil {
			all = append(all, text)
		}
	}
	return all
}

// addressOf returns an address that is given alone or as an object's id.
func addressOf(raw json.RawMessage) string {
	if all := texts(raw); len(all) > 0 {
		return all[0]
	}
	var object struct {
		ID string `json:"id"`
	}
	if _, err := readFields(raw, &object); err != nil {
		return ""
	}
	return object.ID
}
