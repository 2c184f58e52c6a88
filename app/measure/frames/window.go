package main

import (
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
	"flawmark/ui/widgets"
)

// window is the one window that everything is drawn in.
type window struct {
	app  fyne.App
	win  fyne.Window
	now  func() time.Time
	size fyne.Size
	// problem is why the window does not show all that it should.
	problem error
}

func newWindow(now func() time.Time) *window {
	a := app.NewWithID("flawmark.frames")
	w := &window{app: a, win: a.NewWindow("frames"), now: now, size: fyne.NewSize(width, height)}
	w.win.SetPadded(false)
	w.win.Resize(w.size)
	return w
}

// scene is something that is drawn for some frames. enter and frame run on the
// UI goroutine.
type scene struct {
	name    string
	content fyne.CanvasObject
	enter   func()
	frame   func(n int)
}

// take is what playing a scene gave.
type take struct {
	walls []float64 // seconds from tick to tick
	cpu   float64   // seconds of the whole process
}

// settling frames are not counted: the scene's textures are made in them, and
// what follows the wheel a moment later.
const settling = 12

// play shows the window and plays the scenes, frames of each.
func (w *window) play(scenes []scene, frames int) ([]take, error) {
	takes := make([]take, len(scenes))
	at, n := 0, 0
	var last time.Time
	var spent float64
	tick := func(float32) {
		if at == len(scenes) {
			return
		}
		s := scenes[at]
		now := w.now()
		switch {
		case n == 0:
			w.win.SetContent(s.content)
			s.content.Resize(w.win.Canvas().Size())
			if s.enter != nil {
				s.enter()
			}
		case n == settling:
			spent = cpuTime()
		case n > settling:
			takes[at].walls = append(takes[at].walls, now.Sub(last).Seconds())
		}
		last = now
		if n == settling+frames {
			takes[at].cpu = cpuTime() - spent
			at, n = at+1, 0
			if at == len(scenes) {
				w.app.Quit()
			}
			return
		}
		s.frame(n)
		n++
	}
	clock := &fyne.Animation{Duration: time.Hour, RepeatCount: fyne.AnimationRepeatForever, Tick: tick}
	w.app.Lifecycle().SetOnStarted(clock.Start)
	w.win.ShowAndRun()
	return takes, w.problem
}

// floor moves one picture of the window's size. It leaves the window by no more
// than a step, so that there is always a whole one to draw.
func (w *window) floor(name string) (scene, error) {
	img, err := decode(name, func(data []byte) (*image.RGBA, photo.Info, error) {
		return photo.DecodeFit(data, 2*width, 2*height, photo.Limits{})
	})
	if err != nil {
		return scene{}, err
	}
	part := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range min(height, img.Rect.Dy()) {
		copy(part.Pix[y*part.Stride:(y+1)*part.Stride], img.Pix[y*img.Stride:(y+1)*img.Stride])
	}
	shown := canvas.NewImageFromImage(part)
	shown.ScaleMode = canvas.ImageScaleFastest
	shown.Resize(w.size)
	return scene{
		name: "floor", content: container.NewWithoutLayout(shown),
		frame: func(n int) {
			shown.Move(fyne.NewPos(float32(-stride*(n%2)), 0))
		},
	}, nil
}

// canvas shows a photo that has arrived, with 50 marks, as the inspection screen
// does: its preview at once, then tiles of what is in view.
func (w *window) canvas(dir, name string) (*widgets.PhotoCanvas, error) {
	preview, err := decode(filepath.Join(dir, stem(name)+".jpg"), func(data []byte) (*image.RGBA, photo.Info, error) {
		return photo.DecodeFit(data, 1920, 1920, photo.Limits{})
	})
	if err != nil {
		return nil, err
	}
	picture, err := w.open(dir, name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	width, height := picture.Size()
	c := widgets.NewPhotoCanvas()
	c.OnProblem = func(err error) {
		if w.problem == nil {
			w.problem = fmt.Errorf("show %s: %w", name, err)
		}
	}
	c.SetPhoto(name, width, height, preview)
	c.SetTiles(name, picture)
	c.SetMarks(marks(50, width, height))
	return c, nil
}

// open opens a photo with what its arrival has left in dir. The files stay open
// until the process ends.
func (w *window) open(dir, name string) (*tiles.Picture, error) {
	kept := filepath.Join(dir, stem(name))
	digest, err := os.ReadFile(kept + ".index.sha256")
	if err != nil {
		return nil, err
	}
	stored, err := os.ReadFile(kept + ".index")
	if err != nil {
		return nil, err
	}
	original, size, err := openFile(name)
	if err != nil {
		return nil, err
	}
	index, err := tiles.Unmarshal(stored, qc.Digest(digest), size)
	if err != nil {
		return nil, err
	}
	packed, packSize, err := openFile(kept + ".pack")
	if err != nil {
		return nil, err
	}
	pack, err := tiles.OpenPack(packed, packSize, qc.Digest(digest), size)
	if err != nil {
		return nil, err
	}
	return tiles.Open(original, size, index, pack, photo.Limits{})
}

func openFile(name string) (*os.File, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// panning drags the photo about, at a zoom at which there is more of it than
// the window shows.
func (w *window) panning(c *widgets.PhotoCanvas, name string) scene {
	middle := fyne.NewPos(width/2, height/2)
	return scene{
		name: name, content: c,
		enter: func() {
			c.ZoomTo(50)
			c.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: middle}, Button: desktop.MouseButtonTertiary})
		},
		frame: func(n int) {
			dx, dy := swing(n)
			c.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: middle.AddXY(dx, dy)}})
		},
	}
}

// zooming turns the wheel, in to a pixel a pixel and out again.
func (w *window) zooming(c *widgets.PhotoCanvas, name string) scene {
	const notches = 8
	return scene{
		name: name, content: c,
		enter: func() {
			c.MouseUp(&desktop.MouseEvent{Button: desktop.MouseButtonTertiary})
			c.DragEnd()
			c.ZoomTo(25)
		},
		frame: func(n int) {
			if n/notches%2 == 0 {
				c.ZoomBy(1.2)
			} else {
				c.ZoomBy(1 / 1.2)
			}
		},
	}
}

// stride is how far a hand moves in a frame: 700 pixels a second.
const stride = 12

// swing is where a hand that moves to and fro is in frame n: a new place in
// each.
func swing(n int) (dx, dy float32) {
	const reach = 40
	n %= 2 * reach
	if n > reach {
		n = 2*reach - n
	}
	return float32(-stride * n), float32(-stride * n / 3)
}

func decode(name string, how func([]byte) (*image.RGBA, photo.Info, error)) (*image.RGBA, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("open photo: %w", err)
	}
	img, _, err := how(data)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return img, nil
}

// marks are n marks all over a photo, the same in every run.
func marks(n, w, h int) []annotate.Shape {
	r := rand.New(rand.NewPCG(4, uint64(n)))
	tools := []qc.Tool{qc.Box, qc.Ellipse, qc.Arrow}
	shapes := make([]annotate.Shape, n)
	for i := range shapes {
		x, y := r.Float64()*0.9*float64(w), r.Float64()*0.9*float64(h)
		shapes[i] = annotate.Shape{
			Mark: qc.Mark{
				ID: qc.MarkID(fmt.Sprintf("m%d", i)), Tool: tools[i%len(tools)],
				Points: []qc.Point{{X: x, Y: y}, {X: x + float64(w)*(0.02+0.08*r.Float64()), Y: y + float64(h)*(0.02+0.08*r.Float64())}},
			},
			Number: i + 1, Severity: qc.Minor,
		}
	}
	return shapes
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
