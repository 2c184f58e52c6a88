package exchange

import (
	"fmt"

	"flawmark/app/qc"
)

// check reports what keeps s from being a sheet, or nil.
func (s Sheet) check(limits Limits) error {
	if s.Revision < 1 {
		return fmt.Errorf("%w: revision %d", ErrMalformed, s.Revision)
	}
	if err := limits.texts(string(s.Finding), string(s.Item)); err != nil {
		return err
	}
	if err := s.Image.check(limits); err != nil {
		return err
	}
	if len(s.Flaws) > limits.Flaws || len(s.Marks) > limits.Marks {
		return fmt.Errorf("%w: %d flaws, %d marks", ErrTooLarge, len(s.Flaws), len(s.Marks))
	}
	flaws, numbers := make(map[qc.FlawID]bool), make(map[int]bool)
	for _, flaw := range s.Flaws {
		if flaw.ID == "" || flaws[flaw.ID] {
			return fmt.Errorf("%w: flaw id %.80q is empty or given twice", ErrMalformed, flaw.ID)
		}
		if flaw.Number < 1 || flaw.Number > limits.Flaws || numbers[flaw.Number] {
			return fmt.Errorf("%w: flaw number %d is out of range or given twice", ErrMalformed, flaw.Number)
		}
		if !finite(flaw.SizeMM) {
			return fmt.Errorf("%w: size of flaw %.80q", ErrMalformed, flaw.ID)
		}
		if err := limits.texts(string(flaw.ID), string(flaw.Code), string(flaw.Severity), string(flaw.Zone), flaw.Note); err != nil {
			return err
		}
		flaws[flaw.ID], numbers[flaw.Number] = true, true
	}
	marks := make(map[qc.MarkID]bool)
	for _, m := range s.Marks {
		if m.ID == "" || marks[m.ID] {
			return fmt.Errorf("%w: mark id %.80q is empty or given twice", ErrMalformed, m.ID)
		}
		if m.Flaw != "" && !flaws[m.Flaw] {
			return fmt.Errorf("%w: mark %.80q shows a flaw that is not there", ErrMalformed, m.ID)
		}
		if err := m.check(s.Image, limits); err != nil {
			return err
		}
		marks[m.ID] = true
	}
	return nil
}

func (i Image) check(limits Limits) error {
	if i.Width < 1 || i.Height < 1 || i.Bytes < 0 {
		return fmt.Errorf("%w: image of %d×%d pixels, %d bytes", ErrMalformed, i.Width, i.Height, i.Bytes)
	}
	if i.Width > limits.Side || i.Height > limits.Side {
		return fmt.Errorf("%w: image of %d×%d pixels", ErrTooLarge, i.Width, i.Height)
	}
	if _, err := qc.ParseDigest(string(i.Digest)); err != nil {
		return fmt.Errorf("%w: image: %w", ErrMalformed, err)
	}
	if !i.Applied {
		return fmt.Errorf("%w: the image is not oriented", ErrCoords)
	}
	if i.Orientation < 0 || i.Orientation > 8 {
		return fmt.Errorf("%w: EXIF orientation %d", ErrMalformed, i.Orientation)
	}
	if s := i.Scale; !finite(s.MMPerPixel) || !finite(s.Error) || s.MMPerPixel < 0 || s.Error < 0 {
		return fmt.Errorf("%w: scale of %g mm a pixel", ErrMalformed, s.MMPerPixel)
	}
	return limits.texts(string(i.ID), i.Name, i.MediaType, string(i.Scale.Source))
}

// check reports whether a mark is well formed. Of a tool that is not known
// only the place is: a newer version drew it, and it is kept.
func (m Mark) check(image Image, limits Limits) error {
	if err := limits.texts(string(m.ID), string(m.Tool), string(m.Flaw), m.Text); err != nil {
		return err
	}
	if !finite(m.Zoom) {
		return fmt.Errorf("%w: zoom of mark %.80q", ErrMalformed, m.ID)
	}
	if m.Photo != image.ID {
		return fmt.Errorf("%w: mark %.80q, photo %.80q", ErrOtherPhoto, m.ID, m.Photo)
	}
	if len(m.Points) > limits.Points {
		return fmt.Errorf("%w: mark %.80q has %d points", ErrTooLarge, m.ID, len(m.Points))
	}
	if f, ok := formOf(m.Tool); m.Tool == "" || ok && !f.fits(len(m.Points)) {
		return fmt.Errorf("%w: mark %.80q: %.80q of %d points", ErrMalformed, m.ID, m.Tool, len(m.Points))
	}
	for _, p := range m.Points {
		if !on(p, image) {
			return fmt.Errorf("%w: mark %.80q at %g,%g of %d×%d", ErrOutside, m.ID, p.X, p.Y, image.Width, image.Height)
		}
	}
	return nil
}

func (l Limits) texts(texts ...string) error {
	for _, text := range texts {
		if len(text) > l.Text {
			return fmt.Errorf("%w: text of %d bytes: %.40q", ErrTooLarge, len(text), text)
		}
	}
	return nil
}

// on reports whether p is on the image or its edge; NaN is nowhere.
func on(p qc.Point, image Image) bool {
	return p.X >= 0 && p.Y >= 0 && p.X <= float64(image.Width) && p.Y <= float64(image.Height)
}

func finite(v float64) bool { return v-v == 0 }
