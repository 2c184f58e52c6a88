package widgets

import (
	"bytes"
	"fmt"
	"image"
	"sync/atomic"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/imaging/annotate"
)

// meter counts what the toolkit is told to upload again, in a real window: each
// refresh of a picture that is on a canvas.
type meter struct {
	b      *bench
	count  int
	bytes  int
	widest int // side of a texture
}

type meteredApp struct {
	fyne.App
	driver fyne.Driver
}

func (a meteredApp) Driver() fyne.Driver { return a.driver }

type meteredDriver struct {
	fyne.Driver
	m *meter
}

func (d meteredDriver) CanvasForObject(o fyne.CanvasObject) fyne.Canvas {
	return meteredCanvas{d.Driver.CanvasForObject(o), d.m}
}

type meteredCanvas struct {
	fyne.Canvas
	m *meter
}

func (c meteredCanvas) Refresh(o fyne.CanvasObject) {
	img, ok := o.(*canvas.Image)
	if !ok || img.Image == nil {
		return
	}
	for _, sh := range []*sheet{&c.m.b.photo, &c.m.b.under, &c.m.b.other.sheet} {
		for _, mine := range sh.images {
			if mine == img {
				size := img.Image.Bounds().Size()
				c.m.count++
				c.m.bytes += 4 * size.X * size.Y
				c.m.widest = max(c.m.widest, size.X, size.Y)
			}
		}
	}
}

// metered is a canvas with a large photo at rest, whose wheel rests only when
// the test says so.
func metered(t *testing.T, scale float32) (*bench, *meter) {
	b := newBench(t, scale, 8000, 6000)
	m := &meter{b: b}
	app := fyne.CurrentApp()
	fyne.SetCurrentApp(meteredApp{app, meteredDriver{app.Driver(), m}})
	t.Cleanup(func() { fyne.SetCurrentApp(app) })
	b.SetPhoto("large", 8000, 6000, slope(2000, 1500), slope(8000, 6000))
	b.withMarks()
	b.ZoomTo(50)
	b.rested()
	b.turning.clock = &fyne.Animation{Duration: pause, Tick: func(float32) {}}
	*m = meter{b: b}
	return b, m
}

func (m *meter) taken() (count, bytes int) {
	count, bytes = m.count, m.bytes
	m.count, m.bytes = 0, 0
	return count, bytes
}

func TestFrame_APanUploadsNothingBeforeItsMarginEnds(t *testing.T) {
	for _, scale := range []float32{1, 1.5} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			b, m := metered(t, scale)
			sheet := 4 * b.photo.tiles[0].rect.Dx() * b.photo.tiles[0].rect.Dy()
			at := fyne.NewPos(400, 300)
			b.MouseDown(mouse(at, desktop.MouseButtonTertiary, 0))
			margin := float64(b.port.width) * spare / 2 / b.device
			const step = 5
			frames, uploads := 0, 0
			for ; float64(step*frames) < 6*margin; frames++ {
				at = at.SubtractXY(step, 0)
				b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: at}})
				n, size := m.taken()
				if near := float64(step*(frames+1)) < margin-2*step; n > 1 || near && n > 0 || size > 3*sheet/2 {
					t.Fatalf("frame %d uploads %d pictures, %d bytes", frames, n, size)
				}
				uploads += n
				if !b.photo.covers("large", b.port.view, b.port.seen(0)) {
					t.Fatalf("frame %d: the sharp picture has run out", frames)
				}
			}
			if uploads < 3 || uploads > 8 {
				t.Errorf("%d uploads in %d frames", uploads, frames)
			}
			b.MouseUp(mouse(at, desktop.MouseButtonTertiary, 0))
			b.inOnePiece(t)
		})
	}
}

// inOnePiece fails where what was kept and what was added are not what would be
// made at once.
func (b *bench) inOnePiece(t *testing.T) {
	t.Helper()
	o := b.whole()
	for _, part := range b.photo.bare {
		o.rect = part.rect.Add(b.photo.at(b.port.view).Min.Sub(b.photo.rect.Min))
		one, ok := b.gather(&b.subject, o)
		if !ok {
			t.Fatal("nothing is known")
		}
		if p, _ := (job{composition: one}).make(new(atomic.Bool)); !bytes.Equal(p.bare[0].img.Pix, part.img.Pix) {
			t.Error("a picture made in parts is another one")
		}
	}
}

func TestFrame_AWheelNotchUploadsNothingUntilItRests(t *testing.T) {
	b, m := metered(t, 1)
	b.ZoomBy(1.2) // the first one is taken for a single step
	if n, _ := m.taken(); n != 1 || !b.photo.covers("large", b.port.view, b.port.seen(0)) {
		t.Fatalf("a single step of the zoom makes %d pictures", n)
	}
	for range 3 {
		before := b.photo.images[0].Size()
		b.ZoomBy(1.2)
		if n, size := m.taken(); n > 0 {
			t.Fatalf("a notch uploads %d pictures, %d bytes", n, size)
		}
		if after := b.photo.images[0].Size(); after.Width < 1.15*before.Width {
			t.Fatalf("the picture is %v, was %v", after, before)
		}
	}
	b.rested()
	if n, _ := m.taken(); n != 1 || !b.photo.covers("large", b.port.view, b.port.seen(0)) {
		t.Fatalf("at rest %d pictures are uploaded", n)
	}
	b.turning.since = true
	total := 0
	for range 8 {
		b.ZoomBy(1 / 1.2)
		n, size := m.taken()
		if total += n; size > 4*underSide*underSide {
			t.Fatalf("a notch uploads %d pictures, %d bytes", n, size)
		}
		if !b.underSeen() && !b.photo.hides("large", b.port.view, b.port.seen(0)) {
			t.Fatal("the photo is not seen everywhere")
		}
	}
	if total > 1 || !b.underSeen() {
		t.Errorf("%d uploads while the wheel turned", total)
	}
	b.rested()
	if b.underSeen() || !b.photo.covers("large", b.port.view, b.port.seen(0)) {
		t.Error("at rest the sharp picture is seen, and nothing is drawn under it")
	}
}

func TestFrame_WithoutARestAPictureIsNotStretchedForEver(t *testing.T) {
	b, m := metered(t, 1)
	b.turning.since = true
	for range 12 {
		b.ZoomBy(1.2)
		if k := b.port.view.Scale / b.photo.view.Scale; k > farthest {
			t.Fatalf("stretched by %.1f", k)
		}
	}
	if m.count == 0 || m.count > 3 || m.widest > largestTexture {
		t.Errorf("%d uploads, the widest %d", m.count, m.widest)
	}
}

func TestFrame_TheWindowIsPaintedOnce(t *testing.T) {
	b, _ := metered(t, 1)
	area := func() float32 {
		all := fyne.NewSize(b.Size().Width, b.Size().Height)
		sum := float32(0)
		for _, o := range b.around.ground {
			if o.Visible() {
				sum += max(o.Size().Width, 0) * max(o.Size().Height, 0)
			}
		}
		for _, sh := range []*sheet{&b.photo, &b.under} {
			for _, img := range sh.images {
				if img.Visible() {
					seen := image.Rect(0, 0, int(all.Width), int(all.Height)).Intersect(image.Rectangle{
						Min: image.Pt(int(img.Position().X), int(img.Position().Y)),
						Max: image.Pt(int(img.Position().X+img.Size().Width), int(img.Position().Y+img.Size().Height)),
					})
					sum += float32(seen.Dx() * seen.Dy())
				}
			}
		}
		return sum / (all.Width * all.Height)
	}
	if k := area(); k < 0.99 || k > 1.01 {
		t.Errorf("at 50 %% the window is painted %.2f times", k)
	}
	b.Fit()
	b.rested()
	if k := area(); k < 0.99 || k > 1.1 {
		t.Errorf("fitted the window is painted %.2f times", k)
	}
	b.HideMarks(true)
	if k := area(); k < 0.99 || k > 1.1 {
		t.Errorf("without marks the window is painted %.2f times", k)
	}
}

func TestFrame_NewMarksUploadOnePicture(t *testing.T) {
	b, m := metered(t, 1)
	b.SetMarks(append([]annotate.Shape(nil), b.shapes[:1]...))
	if n, _ := m.taken(); n != 1 {
		t.Errorf("%d uploads", n)
	}
	b.SetMarks(append([]annotate.Shape(nil), b.shapes...))
	if n, _ := m.taken(); n != 0 {
		t.Errorf("%d uploads for the same marks", n)
	}
}
