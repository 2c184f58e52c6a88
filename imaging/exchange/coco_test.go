package exchange_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"flawmark/app/qc"
	"flawmark/imaging/exchange"
)

func catalogue(tb testing.TB) qc.Catalogue {
	tb.Helper()
	c, err := qc.ParseCatalogue([]byte(`{"groups":[{"code":"H","en":"Shoes","zh":"鞋类"},{"code":"Q","en":"Quantity","zh":"数量"}],
		"flaws":[{"code":"Q01","group":"Q","en":"Too few","zh":"少发"},{"code":"H11","group":"H","en":"Scuff","zh":"擦痕"}]}`))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// dataset is what a reader of COCO looks at.
type dataset struct {
	Images []struct {
		ID            int    `json:"id"`
		File          string `json:"file_name"`
		Width, Height int
	}
	Annotations []struct {
		ID           int         `json:"id"`
		Image        int         `json:"image_id"`
		Category     int         `json:"category_id"`
		Box          [4]float64  `json:"bbox"`
		Area         float64     `json:"area"`
		Segmentation [][]float64 `json:"segmentation"`
	}
	Categories []struct {
		ID   int
		Name string
	}
}

func coco(t *testing.T, sheets ...exchange.Sheet) (dataset, []exchange.Omission) {
	t.Helper()
	data, omitted, err := exchange.COCO(sheets, catalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	var d dataset
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d, omitted
}

func TestCOCO_Golden(t *testing.T) {
	t.Parallel()
	s := sheetOf(t, "p-1")
	data, omitted, err := exchange.COCO([]exchange.Sheet{s, sheetOf(t, "p-2")}, catalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "coco.json", data)
	want := []exchange.Omission{
		{Photo: "p-1", Mark: "m-2", Why: exchange.ErrNoRegion},
		{Photo: "p-1", Mark: "m/7", Why: exchange.ErrNoFlaw},
		{Photo: "p-1", Mark: "m-8", Why: exchange.ErrNoForm},
	}
	if !slices.Equal(omitted, want) {
		t.Errorf("omitted %+v", omitted)
	}
}

func TestCOCO_Areas(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		tool    qc.Tool
		points  []qc.Point
		box     [4]float64
		area    float64
		corners int
	}{
		"box from below": {qc.Box, []qc.Point{{X: 40, Y: 60}, {X: 10, Y: 20}}, [4]float64{10, 20, 30, 40}, 1200, 4},
		"ellipse":        {"ellipse", []qc.Point{{X: 10, Y: 20}, {X: 40, Y: 60}}, [4]float64{10, 20, 30, 40}, 300 * math.Pi, 64},
		"polygon":        {"polygon", []qc.Point{{X: 0, Y: 0}, {X: 0, Y: 10}, {X: 20, Y: 0}}, [4]float64{0, 0, 20, 10}, 100, 3},
		"line":           {"line", []qc.Point{{X: 5, Y: 9}, {X: 9, Y: 5}}, [4]float64{5, 5, 4, 4}, 16, 0},
		"open stroke":    {"freehand", []qc.Point{{X: 0, Y: 0}, {X: 4, Y: 0}, {X: 4, Y: 4}, {X: 0, Y: 3}}, [4]float64{0, 0, 4, 4}, 16, 0},
		"closed stroke":  {"freehand", []qc.Point{{X: 0, Y: 0}, {X: 4, Y: 0}, {X: 4, Y: 4}, {X: 0, Y: 0}}, [4]float64{0, 0, 4, 4}, 8, 3},
		"there and back": {"polygon", []qc.Point{{X: 0, Y: 0}, {X: 4, Y: 4}, {X: 2, Y: 2}}, [4]float64{0, 0, 4, 4}, 16, 0},
		"twice around":   {"polygon", []qc.Point{{X: 0, Y: 0}, {X: 4, Y: 0}, {X: 4, Y: 4}, {X: 0, Y: 4}, {X: 0, Y: 0}, {X: 4, Y: 0}, {X: 4, Y: 4}, {X: 0, Y: 4}}, [4]float64{0, 0, 4, 4}, 16, 8},
		"level line":     {"line", []qc.Point{{X: 5, Y: 9}, {X: 9, Y: 9}}, [4]float64{}, 0, -1},
		"highlighted":    {qc.Highlighter, []qc.Point{{X: 10, Y: 20}, {X: 40, Y: 60}}, [4]float64{10, 20, 30, 40}, 1200, 4},
		"badge":          {qc.Badge, []qc.Point{{X: 5, Y: 9}, {X: 9, Y: 5}}, [4]float64{}, 0, -1},
		"flat box":       {qc.Box, []qc.Point{{X: 5, Y: 9}, {X: 9, Y: 9}}, [4]float64{}, 0, -1},
	} {
		s := sheetOf(t, "p-1")
		s.Marks = s.Marks[:1]
		s.Marks[0].Tool, s.Marks[0].Points = tt.tool, tt.points
		d, omitted := coco(t, s)
		if tt.corners < 0 {
			if len(d.Annotations) != 0 || len(omitted) != 1 || !errors.Is(omitted[0].Why, exchange.ErrNoRegion) {
				t.Errorf("%s: %+v, omitted %+v", name, d.Annotations, omitted)
			}
			continue
		}
		a := d.Annotations[0]
		corners := 0
		if len(a.Segmentation) > 0 {
			corners = len(a.Segmentation[0]) / 2
		}
		if a.Box != tt.box || math.Abs(a.Area-tt.area) > 1e-9 || corners != tt.corners || a.Image != 1 || a.Category != 2 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestCOCO_PicturesAndCategories(t *testing.T) {
	t.Parallel()
	first, second := sheetOf(t, "p-1"), sheetOf(t, "p-2")
	second.Image.Name = first.Image.Name
	d, _ := coco(t, first, second, first)
	if len(d.Images) != 2 || d.Images[0].File != string(first.Image.Digest)+".JPG" || d.Images[1].File != string(second.Image.Digest)+".JPG" {
		t.Errorf("images %+v", d.Images)
	}
	if len(d.Categories) != 3 || d.Categories[2].Name != "F01" || d.Categories[2].ID != 3 {
		t.Errorf("categories %+v", d.Categories)
	}
	resized := first
	resized.Image.Width++
	if _, _, err := exchange.COCO([]exchange.Sheet{first, resized}, catalogue(t)); !errors.Is(err, exchange.ErrMalformed) {
		t.Errorf("one photo of two sizes: %v", err)
	}
	if d, _ := coco(t); d.Images == nil || d.Annotations == nil {
		t.Errorf("nothing is not empty lists: %+v", d)
	}
}

// Every mark is an annotation or an omission, ids lead somewhere, and what an
// annotation encloses is within its box and the photo.
func TestCOCO_Sound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSheet(t)
		data, omitted, err := exchange.COCO([]exchange.Sheet{s}, qc.Catalogue{})
		if err != nil {
			t.Fatal(err)
		}
		var d dataset
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatal(err)
		}
		if len(d.Annotations)+len(omitted) != len(s.Marks) {
			t.Fatalf("%d annotations and %d omissions of %d marks", len(d.Annotations), len(omitted), len(s.Marks))
		}
		for i, a := range d.Annotations {
			if a.ID != i+1 || a.Image != 1 || a.Category < 1 || a.Category > len(d.Categories) {
				t.Errorf("ids of %+v", a)
			}
			box := a.Box[2] * a.Box[3]
			if !(a.Area > 0) || a.Area > box*(1+1e-6)+1e-6 {
				t.Errorf("area %g in a box of %g", a.Area, box)
			}
			for _, corners := range a.Segmentation {
				for n := 0; n < len(corners); n += 2 {
					x, y := corners[n]-a.Box[0], corners[n+1]-a.Box[1]
					if x < 0 || y < 0 || x > a.Box[2]+1e-9 || y > a.Box[3]+1e-9 {
						t.Errorf("corner %g,%g outside %v", corners[n], corners[n+1], a.Box)
					}
				}
			}
		}
	})
}
