package exchange

import (
	"fmt"
	"net/url"
	"strings"

	"flawmark/app/qc"
)

// The vocabulary of W3C Web Annotations that is used here.
const (
	annotationContext = "http://www.w3.org/ns/anno.jsonld"
	forTagging        = "tagging"    // body: the flaw's code
	forAssessing      = "assessing"  // body: the severity
	forCommenting     = "commenting" // body: the inspector's note
	forDescribing     = "describing" // body: a text's words, a measure's length; not read back
	// photoPrefix begins the address of a picture that has none but its digest.
	photoPrefix = "urn:flawmark:photo:"
	// markPrefix begins the id of an annotation whose page has no address.
	markPrefix = "urn:flawmark:mark:"
)

// webPage is an AnnotationPage as we write it.
type webPage struct {
	Context string          `json:"@context"`
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Items   []webAnnotation `json:"items"`
}

type webAnnotation struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Motivation string    `json:"motivation"`
	Bodies     []webBody `json:"body,omitempty"`
	Target     webTarget `json:"target"`
	webExtension
}

// webExtension is what the standard has no word for. The names are whole
// identifiers, so that no context of ours has to be fetched to keep them.
type webExtension struct {
	Tool     qc.Tool   `json:"urn:flawmark:tool,omitempty"`
	Flaw     qc.FlawID `json:"urn:flawmark:flaw,omitempty"`
	Number   int       `json:"urn:flawmark:number,omitempty"`
	Zone     qc.Zone   `json:"urn:flawmark:zone,omitempty"`
	Quantity int       `json:"urn:flawmark:quantity,omitempty"`
	SizeMM   float64   `json:"urn:flawmark:size_mm,omitempty"`
	Text     string    `json:"urn:flawmark:text,omitempty"`
	Zoom     float64   `json:"urn:flawmark:zoom,omitempty"`
	Place    *qc.Point `json:"urn:flawmark:place,omitempty"`
}

type webBody struct {
	Type    string `json:"type"`
	Purpose string `json:"purpose"`
	Format  string `json:"format"`
	Value   string `json:"value"`
}

type webTarget struct {
	Source   string      `json:"source,omitempty"`
	Selector webSelector `json:"selector"`
}

type webSelector struct {
	Type       string `json:"type"`
	ConformsTo string `json:"conformsTo,omitempty"`
	Value      string `json:"value"`
}

// Address is an address for a photo that has no other: it says which original is
// meant, and [ParseW3C] refuses what is on another one.
func (i Image) Address() string { return photoPrefix + string(i.Digest) }

// W3C returns the marks as a W3C Web Annotation page (JSON-LD), one annotation
// a mark. page is the page's own address, or empty; source is the address of
// the picture: an IIIF canvas, an image service or a file, of the size in
// s.Image, or [Image.Address]; empty where the reader knows. Boxes are media
// fragments, everything else is an SVG of one shape. What is redacted has the
// tag "redaction" in place of a flaw's code.
//
// [ParseW3C] brings every point back as it was, but the corners of an ellipse
// only within a billionth of a pixel (on photos of up to a million a side).
// Flaws that no mark shows are not part of this form.
func (s Sheet) W3C(page, source string) ([]byte, []Omission, error) {
	if err := s.check(unlimited()); err != nil {
		return nil, nil, fmt.Errorf("export photo %.80s as annotations: %w", s.Image.ID, err)
	}
	for _, address := range []string{page, source} {
		if err := checkAddress(address); err != nil {
			return nil, nil, fmt.Errorf("export photo %.80s as annotations: %w", s.Image.ID, err)
		}
	}
	out := webPage{Context: annotationContext, ID: page, Type: "AnnotationPage", Items: []webAnnotation{}}
	var omitted []Omission
	for _, m := range s.Marks {
		geometry, ok := shapeOf(m)
		if !ok {
			omitted = append(omitted, Omission{m.Photo, m.ID, ErrNoForm})
			continue
		}
		a := webAnnotation{
			ID: annotationID(page, m.ID), Type: "Annotation", Motivation: forCommenting,
			Target:       webTarget{Source: source, Selector: selectorOf(geometry)},
			webExtension: webExtension{Tool: m.Tool},
		}
		if flaw, ok := s.flaw(m); ok {
			a.Bodies = bodiesOf(flaw)
			a.webExtension = webExtension{Tool: m.Tool, Flaw: flaw.ID, Number: flaw.Number, Zone: flaw.Zone, Quantity: flaw.Quantity, SizeMM: flaw.SizeMM}
		} else if m.Tool == qc.Redaction {
			a.Bodies = []webBody{{"TextualBody", forTagging, "text/plain", redactedLabel}}
		}
		if said := s.said(m); said != "" {
			a.Bodies = append(a.Bodies, webBody{"TextualBody", forDescribing, "text/plain", said})
		}
		own := oursOf(m)
		a.Text, a.Zoom, a.Place = own.Text, own.Zoom, own.Place
		out.Items = append(out.Items, a)
	}
	data, err := document(out)
	if err != nil {
		return nil, nil, fmt.Errorf("export photo %.80s as annotations: %w", s.Image.ID, err)
	}
	return data, omitted, nil
}

// checkAddress refuses an address that could not carry a fragment.
func checkAddress(address string) error {
	if address == "" {
		return nil
	}
	if u, err := url.Parse(address); err != nil || !u.IsAbs() || strings.Contains(address, "#") {
		return fmt.Errorf("%w: %.200q is not an address without fragment", ErrMalformed, address)
	}
	return nil
}

func annotationID(page string, mark qc.MarkID) string {
	if page == "" {
		return markPrefix + url.PathEscape(string(mark))
	}
	return page + "#" + url.PathEscape(string(mark))
}

// markID is the reverse of [annotationID]. Ids of others are kept whole.
func markID(page, annotation string) qc.MarkID {
	for _, prefix := range []string{page + "#", markPrefix} {
		if escaped, ok := strings.CutPrefix(annotation, prefix); ok {
			if id, err := url.PathUnescape(escaped); err == nil {
				return qc.MarkID(id)
			}
		}
	}
	return qc.MarkID(annotation)
}

func selectorOf(s shape) webSelector {
	if s.kind == spot {
		return webSelector{"FragmentSelector", mediaFragments, fragmentOf(s.points[0], s.points[0])}
	}
	if s.kind == upright {
		return webSelector{"FragmentSelector", mediaFragments, fragmentOf(s.points[0], s.points[1])}
	}
	return webSelector{Type: "SvgSelector", Value: svgOf(s)}
}

func bodiesOf(flaw Flaw) []webBody {
	var bodies []webBody
	for _, said := range []struct{ purpose, value string }{
		{forTagging, string(flaw.Code)},
		{forAssessing, string(flaw.Severity)},
		{forCommenting, flaw.Note},
	} {
		if said.value != "" {
			bodies = append(bodies, webBody{"TextualBody", said.purpose, "text/plain", said.value})
		}
	}
	return bodies
}
