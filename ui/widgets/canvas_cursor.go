package widgets

import (
	"image"
	"image/color"
	"math"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// cursors are those that the toolkit lacks, as large as the screen needs them.
type cursors struct {
	device float64 // that they were made for
	made   map[string]*drawnCursor
}

// drawnCursor is a picture whose middle is the hot spot.
type drawnCursor struct{ img *image.NRGBA }

// Image is called by Fyne.
func (d *drawnCursor) Image() (image.Image, int, int) {
	return d.img, d.img.Rect.Dx() / 2, d.img.Rect.Dy() / 2
}

// The drawn cursors: # is black; what is beside it becomes white.
const (
	cursorFalling = `
#####........
####.........
###..........
##.#.........
#...#........
.....#.......
......#......
.......#.....
........#...#
.........#.##
..........###
.........####
........#####`
	cursorMove = `
......#......
.....###.....
....#####....
......#......
..#...#...#..
.##...#...##.
#############
.##...#...##.
..#...#...#..
......#......
....#####....
.....###.....
......#......`
	cursorAdd = `
......#......
......#......
......#......
......#......
......#......
......#......
#############
......#......
......#...#..
......#...#..
......#.#####
......#...#..
......#...#..`
	cursorRemove = `
......#......
......#......
......#......
......#......
......#......
......#......
#############
......#......
......#......
......#......
......#.#####
......#......
......#......`
	cursorPan = `
.....##......
...##.##.....
...#..#.##...
...#..#..###.
...#..#..#..#
##.#..#..#..#
#.##..#..#..#
#..#........#
.#..........#
.#..........#
..#........#.
...#.......#.
....#######..`
)

// draw makes a cursor from its drawing; mirrored turns it over.
func (k *cursors) draw(drawing string, mirrored bool, device float64) desktop.Cursor {
	if k.made == nil || k.device != device {
		k.made, k.device = map[string]*drawnCursor{}, device
	}
	name := drawing
	if mirrored {
		name += "mirrored"
	}
	if d, ok := k.made[name]; ok {
		return d
	}
	rows := strings.Split(strings.TrimSpace(drawing), "\n")
	dot := max(int(math.Round(1.4*device)), 1)
	size := len(rows) + 2
	img := image.NewNRGBA(image.Rect(0, 0, size*dot, size*dot))
	inked := func(x, y int) bool {
		if mirrored {
			x = len(rows) - 1 - x
		}
		return y >= 0 && y < len(rows) && x >= 0 && x < len(rows[y]) && rows[y][x] == '#'
	}
	for y := range size {
		for x := range size {
			var dye color.NRGBA
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					if inked(x-1+dx, y-1+dy) {
						dye = color.NRGBA{0xff, 0xff, 0xff, 0xff}
					}
				}
			}
			if inked(x-1, y-1) {
				dye = color.NRGBA{0, 0, 0, 0xff}
			}
			for i := range dot * dot {
				img.SetNRGBA(x*dot+i%dot, y*dot+i/dot, dye)
			}
		}
	}
	d := &drawnCursor{img}
	k.made[name] = d
	return d
}

// Cursor is called by Fyne.
func (c *PhotoCanvas) Cursor() desktop.Cursor {
	if g := c.gesture; g != nil && g.kind == panning && g.moved {
		return c.cursors.draw(cursorPan, false, c.device)
	}
	return c.cursor
}

func (c *PhotoCanvas) idleCursor() desktop.Cursor {
	if c.tool != "" && c.key != "" {
		return desktop.CrosshairCursor
	}
	return desktop.DefaultCursor
}

// turnCursor shows what a press would do now that another key is held.
func (c *PhotoCanvas) turnCursor() {
	if c.pointer != nil && c.gesture == nil {
		c.cursor = c.cursorAt(*c.pointer)
	}
}

// cursorAt tells what a press would do.
func (c *PhotoCanvas) cursorAt(at fyne.Position) desktop.Cursor {
	if cursor, ok := c.gripCursor(at); ok {
		return cursor
	}
	switch {
	case c.key == "":
		return desktop.DefaultCursor
	case c.space:
		return c.cursors.draw(cursorPan, false, c.device)
	case !c.ours(at):
		return desktop.DefaultCursor
	}
	p := c.WidgetToImage(at)
	mods := c.modifiers()
	drawn := c.tool != "" && mods&commandKeys == 0
	if s, handle, ok := c.onSelected(p, !drawn && len(c.selected) == 1); ok {
		return c.takingCursor(s, handle, p, mods)
	}
	if drawn {
		if s, ok := c.sole(); ok && c.tool == qc.Measure && s.Mark.Tool == qc.Measure && mods&fyne.KeyModifierShift != 0 {
			return c.cursors.draw(cursorAdd, false, c.device)
		}
		return desktop.CrosshairCursor
	}
	if _, _, ok := c.hitAll("", p); ok {
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}

// takingCursor tells what a press on a selected mark would do.
func (c *PhotoCanvas) takingCursor(s annotate.Shape, handle annotate.Handle, at qc.Point, mods fyne.KeyModifier) desktop.Cursor {
	bendable := len(c.selected) == 1 && (s.Mark.Tool == qc.Polygon || s.Mark.Tool == qc.Measure)
	if bendable && handle >= annotate.Vertex && mods&fyne.KeyModifierAlt != 0 {
		return c.cursors.draw(cursorRemove, false, c.device)
	}
	if bendable && handle == annotate.Body && mods&fyne.KeyModifierShift != 0 && annotate.OnOutline(s.Mark, at, c.reach()/2) {
		return c.cursors.draw(cursorAdd, false, c.device)
	}
	if len(c.selected) > 1 || handle < annotate.TopLeft || handle > annotate.Left {
		return c.cursors.draw(cursorMove, false, c.device)
	}
	// The eight handles go clockwise, and so do the photo's quarter turns: two
	// handles each.
	switch (int(handle-annotate.TopLeft) + 2*c.port.view.Turn) % 4 {
	case 0:
		return c.cursors.draw(cursorFalling, false, c.device)
	case 1:
		return desktop.VResizeCursor
	case 2:
		return c.cursors.draw(cursorFalling, true, c.device)
	default:
		return desktop.HResizeCursor
	}
}
