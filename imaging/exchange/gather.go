package exchange

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"flawmark/app/qc"
)

// slack is how far outside the photo a foreign point may lie: others round in
// their own ways. It is brought back to the edge.
const slack = 1.0

// found is one shape of a foreign file with what is said of it.
type found struct {
	mark  qc.MarkID
	tool  qc.Tool // as claimed; may be empty
	shape shape
	shows bool // whether it shows a flaw
	// flaw is what it shows. Without an id it is a flaw of its own.
	flaw   qc.Flaw
	number int // as claimed; 0: none
	ours   ours
}

// gathering makes a sheet of what is found in a foreign file.
type gathering struct {
	sheet   Sheet
	limits  Limits
	marks   map[qc.MarkID]bool
	flaws   map[qc.FlawID]bool
	numbers map[int]bool
	// same leads from what was said of a flaw to the flaw that was made of it.
	// Two marks of one flaw that were given different words since become
	// marks of two flaws: neither word is lost.
	same map[string]qc.FlawID
}

func gather(image Image, limits Limits) (*gathering, error) {
	if err := image.check(limits); err != nil {
		return nil, err
	}
	return &gathering{
		sheet: Sheet{Revision: 1, Image: image}, limits: limits,
		marks: make(map[qc.MarkID]bool), flaws: make(map[qc.FlawID]bool), numbers: make(map[int]bool), same: make(map[string]qc.FlawID),
	}, nil
}

// add takes one shape into the sheet.
func (g *gathering) add(f found) error {
	if len(g.sheet.Marks) >= g.limits.Marks {
		return fmt.Errorf("%w: more than %d marks", ErrTooLarge, g.limits.Marks)
	}
	tool, ok := toolFor(f.shape, f.tool)
	if !ok {
		return fmt.Errorf("%w: %d points", ErrShape, len(f.shape.points))
	}
	m := Mark{Mark: qc.Mark{Photo: g.sheet.Image.ID, Tool: tool}}
	places := f.shape.points
	if tool == f.tool { // else it is no longer what we wrote
		m.Text, m.Zoom = f.ours.Text, f.ours.Zoom
		if tool == qc.Inset && f.ours.Place != nil {
			places = append(slices.Clone(places), *f.ours.Place)
		}
	}
	for _, p := range places {
		p, ok := drawnBack(p, g.sheet.Image)
		if !ok {
			return fmt.Errorf("%w: at %g,%g of %d×%d", ErrOutside, p.X, p.Y, g.sheet.Image.Width, g.sheet.Image.Height)
		}
		m.Points = append(m.Points, p)
	}
	m.ID = unused(g.marks, f.mark, "m-")
	if err := m.check(g.sheet.Image, g.limits); err != nil {
		return err
	}
	if f.shows {
		var err error
		if m.Flaw, err = g.flawOf(f, m.ID); err != nil {
			return err
		}
	}
	g.sheet.Marks = append(g.sheet.Marks, m)
	return nil
}

// flawOf returns the flaw that f shows and takes it into the sheet if it is
// new. One that has no id is called after the mark that shows it.
func (g *gathering) flawOf(f found, mark qc.MarkID) (qc.FlawID, error) {
	words, err := encode(f.flaw)
	if err != nil {
		return "", fmt.Errorf("%w: flaw: %w", ErrMalformed, err)
	}
	if id, ok := g.same[string(words)]; ok && f.flaw.ID != "" {
		return id, nil
	}
	if len(g.sheet.Flaws) >= g.limits.Flaws {
		return "", fmt.Errorf("%w: more than %d flaws", ErrTooLarge, g.limits.Flaws)
	}
	flaw := Flaw{Flaw: f.flaw}
	flaw.ID = unused(g.flaws, cmp.Or(f.flaw.ID, qc.FlawID(mark)), "f-")
	g.same[string(words)] = flaw.ID
	if f.number >= 1 && f.number <= g.limits.Flaws && !g.numbers[f.number] {
		flaw.Number, g.numbers[f.number] = f.number, true
	}
	g.sheet.Flaws = append(g.sheet.Flaws, flaw)
	return flaw.ID, nil
}

// finish numbers what has no number yet, by the order of appearance, and
// returns the sheet with its flaws by number.
func (g *gathering) finish() (Sheet, error) {
	next := 1
	for i := range g.sheet.Flaws {
		if g.sheet.Flaws[i].Number != 0 {
			continue
		}
		for g.numbers[next] {
			next++
		}
		g.sheet.Flaws[i].Number, g.numbers[next] = next, true
	}
	slices.SortStableFunc(g.sheet.Flaws, func(a, b Flaw) int { return cmp.Compare(a.Number, b.Number) })
	if err := g.sheet.check(g.limits); err != nil {
		return Sheet{}, err
	}
	return g.sheet, nil
}

// unused returns wanted, or something like it that is not taken, and takes it.
func unused[ID ~string](taken map[ID]bool, wanted ID, prefix string) ID {
	id := wanted
	if id == "" {
		id = ID(prefix + strconv.Itoa(len(taken)+1))
	}
	base := id
	for n := len(taken) + 1; taken[id]; n++ {
		id = base + ID("-"+strconv.Itoa(n))
	}
	taken[id] = true
	return id
}

// drawnBack returns p on the photo; ok is false when it is farther out than
// rounding explains.
func drawnBack(p qc.Point, image Image) (_ qc.Point, ok bool) {
	w, h := float64(image.Width), float64(image.Height)
	if !(p.X >= -slack && p.Y >= -slack && p.X <= w+slack && p.Y <= h+slack) {
		return p, false
	}
	return qc.Point{X: min(max(p.X, 0), w), Y: min(max(p.Y, 0), h)}, true
}
