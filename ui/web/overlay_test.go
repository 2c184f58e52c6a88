package web

import (
	"fmt"
	"strings"
	"testing"

	"flawmark/app/qc"
)

func shown(qc.Flaw) bool { return false }

// everyTool is a finding with a mark of every tool and of every number of
// points that it can have, each of its own flaw.
func everyTool(photo qc.Photo) qc.Finding {
	f := qc.Finding{Photos: []qc.Photo{photo}}
	w, h := float64(photo.Width), float64(photo.Height)
	for i, form := range qc.Forms() {
		for n := form.Min; n <= min(form.Max, 5); n++ {
			id := qc.FlawID(fmt.Sprint(len(f.Flaws)))
			m := qc.Mark{ID: qc.MarkID(id), Photo: photo.ID, Flaw: id, Tool: form.Tool, Text: "鞋头 scuff"}
			for j := range n {
				m.Points = append(m.Points, qc.Point{X: w * float64(i+1) / 10, Y: h * float64(1+3*j+j*j%3) / 20})
			}
			m.Points[0].X = 0 // at the edge
			f.Flaws = append(f.Flaws, qc.Flaw{ID: id, Severity: qc.Severities()[i%4]})
			f.Marks = append(f.Marks, m)
		}
	}
	return f
}

func TestOverlay_ShowsEveryTool(t *testing.T) {
	t.Parallel()
	for _, photo := range []qc.Photo{{ID: "p", Width: 6000, Height: 4000}, {ID: "p", Width: 3000, Height: 8000}} {
		f := everyTool(photo)
		over := overlay(f, photo, "/o/1/iiif/d", shown)
		shapes, badges := over.Shapes, over.Badges
		want := map[string]int{}
		for _, m := range f.Marks {
			switch {
			case m.Tool == qc.Redaction: // gone from the photo
			case m.Tool == qc.Spotlight:
				want["dim"]++
			case m.Tool == qc.Inset:
				want["insets"]++
			case len(m.Points) > 1: // else a number or words are all there is of it
				want["shapes"]++
			}
			if m.Tool == qc.Text || m.Tool == qc.Measure {
				want["plates"]++
			}
		}
		if len(shapes) != want["shapes"] || len(over.Insets) != want["insets"] || len(over.Plates) != want["plates"] || (over.Dim != "") != (want["dim"] > 0) {
			t.Errorf("%d shapes, %d insets, %d plates, dim %q; want %v", len(shapes), len(over.Insets), len(over.Plates), over.Dim, want)
		}
		if len(badges) < want["shapes"] {
			t.Errorf("%d numbers of %d shapes", len(badges), want["shapes"])
		}
		for _, s := range shapes {
			if !strings.HasPrefix(s.Path, "M") || strings.ContainsAny(s.Path, "NIe") || s.Flaw == 0 || s.Class == "" {
				t.Errorf("shape %+v", s)
			}
		}
		scale := min(phoneWidth/float64(photo.Width), phoneHeight/float64(photo.Height))
		wide, high := float64(photo.Width)*scale, float64(photo.Height)*scale
		for _, b := range badges {
			var x, y, dx, dy float64
			if _, err := fmt.Sscanf(b.X+" "+b.Y+" "+b.DX+" "+b.DY, "%f%% %f%% %f %f", &x, &y, &dx, &dy); err != nil {
				t.Fatalf("%+v: %v", b, err)
			}
			x, y = x*wide/100+dx, y*high/100+dy
			if x < badgeReach-1 || y < badgeReach-1 || x > wide-badgeReach+1 || y > high-badgeReach+1 {
				t.Errorf("number %d is at %g,%g of %g×%g", b.Number, x, y, wide, high)
			}
		}
	}
}

func TestOverlay_NumbersOfNeighboursStayApart(t *testing.T) {
	t.Parallel()
	photo := qc.Photo{ID: "p", Width: 6000, Height: 4000}
	f := qc.Finding{Photos: []qc.Photo{photo}}
	for i := range 4 {
		id := qc.FlawID(fmt.Sprint(i))
		at := qc.Point{X: 2500 + 40*float64(i), Y: 2000}
		f.Flaws = append(f.Flaws, qc.Flaw{ID: id, Severity: qc.Major})
		f.Marks = append(f.Marks, qc.Mark{ID: "m", Photo: "p", Flaw: id, Tool: qc.Box, Points: []qc.Point{at, {X: at.X + 300, Y: at.Y + 200}}})
	}
	badges := overlay(f, photo, "", shown).Badges
	type place struct{ x, y float64 }
	var places []place
	for _, b := range badges {
		var x, y, dx, dy float64
		if _, err := fmt.Sscanf(b.X+" "+b.Y+" "+b.DX+" "+b.DY, "%f%% %f%% %f %f", &x, &y, &dx, &dy); err != nil {
			t.Fatal(err)
		}
		at := place{x*3.6 + dx, y*2.4 + dy}
		for _, other := range places {
			if (at.x-other.x)*(at.x-other.x)+(at.y-other.y)*(at.y-other.y) < 24*24 {
				t.Errorf("numbers at %v and %v lie over each other", at, other)
			}
		}
		places = append(places, at)
	}
}

func TestOverlay_LeavesOutWhatItCannotDraw(t *testing.T) {
	t.Parallel()
	photo := qc.Photo{ID: "p", Width: 100, Height: 100}
	f := qc.Finding{Photos: []qc.Photo{photo}, Marks: []qc.Mark{
		{Photo: "p", Tool: "spiral", Points: make([]qc.Point, 2)}, {Photo: "p", Tool: qc.Polygon, Points: make([]qc.Point, 2)},
	}}
	if over := overlay(f, photo, "", shown); (photoView{overlayView: over}).Marked() {
		t.Errorf("drawn: %+v", over)
	}
	if photoView := (photoView{overlayView: overlayView{Badges: []badgeView{{Class: "cr"}}}}); !photoView.Marked() || photoView.gravest() != 0 {
		t.Error("a number alone is no mark")
	}
}

// markedWorld is a flagged world with a mark of every tool on the first photo.
func markedWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	f := w.findings["F-20481-2"]
	photo := f.Photos[0]
	f.Marks = nil
	add := func(flaw qc.FlawID, tool qc.Tool, percent ...float64) {
		m := qc.Mark{ID: qc.MarkID(fmt.Sprint("m", len(f.Marks))), Photo: photo.ID, Flaw: flaw, Tool: tool}
		for i := 0; i < len(percent); i += 2 {
			m.Points = append(m.Points, qc.Point{X: percent[i] * float64(photo.Width) / 100, Y: percent[i+1] * float64(photo.Height) / 100})
		}
		f.Marks = append(f.Marks, m)
	}
	add("a", qc.Box, 20, 25, 40, 40)
	add("b", qc.Ellipse, 60, 20, 85, 32)
	add("d", qc.Polygon, 50, 45, 65, 42, 70, 50, 55, 58)
	add("d", qc.Freehand, 20, 60, 24, 56, 28, 62, 33, 57, 38, 61)
	add("a", qc.Freehand, 80, 60, 88, 62, 86, 70, 78, 68, 80, 60)
	add("b", qc.Line, 15, 75, 40, 68)
	add("a", qc.Badge, 10, 90)
	add("b", qc.Badge, 40, 90, 55, 78)
	add("d", qc.Highlighter, 60, 75, 90, 88)
	add("d", qc.Arrow, 10, 50, 30, 48)
	add("a", qc.Text, 62, 5, 50, 14)
	f.Marks[len(f.Marks)-1].Text = "鞋头有刮痕，长约六毫米 glue line opens here"
	add("", qc.Measure, 5, 15, 30, 12)
	f.Photos[0].Scale = qc.Scale{MMPerPixel: .1, Error: .01, Source: qc.ScaleCard}
	add("b", qc.Inset, 64, 22, 80, 30, 4, 18)
	add("", qc.Spotlight, 3, 3, 97, 95)
	add("", qc.Redaction, 45, 60, 52, 66)
	f.Photos[0].Redactions = f.Redactions(photo.ID)
	w.findings[f.ID] = f
}
