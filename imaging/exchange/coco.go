package exchange

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"flawmark/app/qc"
)

type cocoFile struct {
	Info        cocoInfo         `json:"info"`
	Licenses    []struct{}       `json:"licenses"`
	Images      []cocoImage      `json:"images"`
	Annotations []cocoAnnotation `json:"annotations"`
	Categories  []cocoCategory   `json:"categories"`
}

type cocoInfo struct {
	Description string `json:"description"`
	Version     string `json:"version"`
}

type cocoImage struct {
	ID     int       `json:"id"`
	Width  int       `json:"width"`
	Height int       `json:"height"`
	File   string    `json:"file_name"`
	Digest qc.Digest `json:"sha256"` // not of COCO: whose place file_name is
}

type cocoAnnotation struct {
	ID           int            `json:"id"`
	Image        int            `json:"image_id"`
	Category     int            `json:"category_id"`
	Box          [4]float64     `json:"bbox"` // x, y, width, height
	Area         float64        `json:"area"`
	Segmentation [][]float64    `json:"segmentation"`
	Crowd        int            `json:"iscrowd"`
	Attributes   cocoAttributes `json:"attributes"`
}

// cocoAttributes are where annotation programs keep what COCO has no word for.
type cocoAttributes struct {
	Mark     qc.MarkID   `json:"mark"`
	Tool     qc.Tool     `json:"type"`
	Severity qc.Severity `json:"severity,omitempty"`
	Zone     qc.Zone     `json:"zone,omitempty"`
	SizeMM   float64     `json:"size_mm,omitempty"`
}

type cocoCategory struct {
	ID    int         `json:"id"`
	Name  qc.FlawCode `json:"name"`
	Super string      `json:"supercategory"`
	EN    string      `json:"name_en,omitempty"`
	ZH    string      `json:"name_zh,omitempty"`
}

// COCO returns the marks of many photos as one COCO data set. Categories are
// the catalogue's codes in its order, then codes that are no longer in it.
// Their names, the codes, mean the same in every export; their ids only
// within one. A picture is called by the photo's name, or by its digest where
// several photos share a name or have none.
//
// Arrows point at a flaw without saying how far it reaches, so they are left
// out, like marks that enclose nothing and marks that show no flaw. An ellipse
// is a polygon of 64 corners. An open line, or one that goes back over itself,
// has a box only. What is redacted has a category of its own, "redaction": a
// machine must not learn from it, nor a program show it.
func COCO(sheets []Sheet, catalogue qc.Catalogue) ([]byte, []Omission, error) {
	out := cocoFile{
		Info:     cocoInfo{"Flaws marked by inspectors", Schema},
		Licenses: []struct{}{}, Images: []cocoImage{}, Annotations: []cocoAnnotation{},
	}
	for _, s := range sheets {
		if err := s.check(unlimited()); err != nil {
			return nil, nil, fmt.Errorf("export photo %.80s as coco: %w", s.Image.ID, err)
		}
	}
	var categories map[qc.FlawCode]int
	out.Categories, categories = categoriesOf(sheets, catalogue)
	images, err := imagesOf(sheets)
	if err != nil {
		return nil, nil, fmt.Errorf("export as coco: %w", err)
	}
	out.Images = images
	ids := make(map[qc.Digest]int)
	for _, image := range images {
		ids[image.Digest] = image.ID
	}
	var omitted []Omission
	for _, s := range sheets {
		for _, m := range s.Marks {
			a, why := annotationOf(s, m)
			if why != nil {
				omitted = append(omitted, Omission{m.Photo, m.ID, why})
				continue
			}
			class := qc.FlawCode(redactedLabel)
			if flaw, ok := s.flaw(m); ok {
				class = flaw.Code
			}
			a.ID, a.Image, a.Category = len(out.Annotations)+1, ids[s.Image.Digest], categories[class]
			out.Annotations = append(out.Annotations, a)
		}
	}
	data, err := document(out)
	if err != nil {
		return nil, nil, fmt.Errorf("export as coco: %w", err)
	}
	return data, omitted, nil
}

// annotationOf returns what COCO holds of a mark, or why it holds nothing.
func annotationOf(s Sheet, m Mark) (cocoAnnotation, error) {
	flaw, ok := s.flaw(m)
	if !ok && m.Tool != qc.Redaction {
		return cocoAnnotation{}, ErrNoFlaw
	}
	geometry, ok := shapeOf(m)
	if !ok {
		return cocoAnnotation{}, ErrNoForm
	}
	if f, _ := formOf(m.Tool); !f.encloses {
		return cocoAnnotation{}, ErrNoRegion
	}
	low, high := bounds(geometry.points)
	w, h := high.X-low.X, high.Y-low.Y
	a := cocoAnnotation{
		Box: [4]float64{low.X, low.Y, w, h}, Area: w * h, Segmentation: [][]float64{},
		Attributes: cocoAttributes{m.ID, m.Tool, flaw.Severity, flaw.Zone, flaw.SizeMM},
	}
	var corners []qc.Point
	switch geometry.kind {
	case upright:
		corners = []qc.Point{low, {X: high.X, Y: low.Y}, high, {X: low.X, Y: high.Y}}
	case oval:
		corners, a.Area = faceted(low, high), math.Pi*w*h/4
	case outline:
		corners = geometry.points
	case spot:
	case path:
		if n := len(geometry.points); n > 3 && geometry.points[0] == geometry.points[n-1] {
			corners = geometry.points[:n-1]
		}
	}
	if geometry.kind == path || geometry.kind == outline {
		// Loops of a line that crosses itself add up, or cancel each other.
		if area := areaOf(corners); area > 0 {
			a.Area = min(area, a.Area)
		} else {
			corners = nil
		}
	}
	if !(a.Area > 0) {
		return cocoAnnotation{}, ErrNoRegion
	}
	if len(corners) > 0 {
		flat := make([]float64, 0, 2*len(corners))
		for _, p := range corners {
			flat = append(flat, p.X, p.Y)
		}
		a.Segmentation = append(a.Segmentation, flat)
	}
	return a, nil
}

// areaOf returns the area of a polygon in square pixels.
func areaOf(points []qc.Point) float64 {
	sum := 0.0
	for i, p := range points {
		next := points[(i+1)%len(points)]
		sum += p.X*next.Y - next.X*p.Y
	}
	return math.Abs(sum) / 2
}

func categoriesOf(sheets []Sheet, catalogue qc.Catalogue) ([]cocoCategory, map[qc.FlawCode]int) {
	all, ids := []cocoCategory{}, make(map[qc.FlawCode]int)
	add := func(kind qc.FlawKind) {
		all = append(all, cocoCategory{len(all) + 1, kind.Code, kind.Group, kind.EN, kind.ZH})
		ids[kind.Code] = len(all)
	}
	for _, kind := range catalogue.Kinds() {
		add(kind)
	}
	gone := make(map[qc.FlawCode]bool)
	for _, s := range sheets {
		if slices.ContainsFunc(s.Marks, func(m Mark) bool { return m.Tool == qc.Redaction && m.Flaw == "" }) {
			gone[redactedLabel] = true
		}
		for _, flaw := range s.Flaws {
			if ids[flaw.Code] == 0 {
				gone[flaw.Code] = true
			}
		}
	}
	for _, code := range slices.Sorted(maps.Keys(gone)) {
		add(qc.FlawKind{Code: code})
	}
	return all, ids
}

// imagesOf returns each photo once, in the order of the sheets.
func imagesOf(sheets []Sheet) ([]cocoImage, error) {
	images, at := []cocoImage{}, make(map[qc.Digest]int)
	names := make(map[string]int)
	for _, s := range sheets {
		if i, ok := at[s.Image.Digest]; ok {
			if images[i].Width != s.Image.Width || images[i].Height != s.Image.Height {
				return nil, fmt.Errorf("%w: %s has two sizes", ErrMalformed, s.Image.Digest)
			}
			continue
		}
		at[s.Image.Digest] = len(images)
		images = append(images, cocoImage{len(images) + 1, s.Image.Width, s.Image.Height, s.Image.Name, s.Image.Digest})
		names[s.Image.Name]++
	}
	for i := range images {
		if name := images[i].File; name == "" || names[name] > 1 {
			images[i].File = string(images[i].Digest) + filepath.Ext(name)
		}
	}
	return images, nil
}
