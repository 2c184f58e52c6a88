package evidence

import "image"

// frame is a picture's stored size and how it is to be turned to be seen
// upright.
type frame struct {
	w, h        int // as stored
	orientation int // EXIF, 1..8
}

// seen is the size of the oriented picture.
func (f frame) seen() image.Rectangle {
	if f.orientation >= 5 {
		return image.Rect(0, 0, f.h, f.w)
	}
	return image.Rect(0, 0, f.w, f.h)
}

// back is the orientation that undoes another.
func back(orientation int) int {
	switch orientation {
	case 6:
		return 8
	case 8:
		return 6
	}
	return orientation
}

// oriented is where a stored rectangle is seen.
func (f frame) oriented(r image.Rectangle) image.Rectangle {
	return turned(r, f.orientation, f.w, f.h)
}

// stored is where a seen rectangle is stored.
func (f frame) stored(r image.Rectangle) image.Rectangle {
	size := f.seen().Max
	return turned(r, back(f.orientation), size.X, size.Y)
}

// turned applies an orientation to a rectangle of a w×h picture.
func turned(r image.Rectangle, orientation, w, h int) image.Rectangle {
	switch orientation {
	case 2, 3, 7, 8:
		r.Min.X, r.Max.X = w-r.Max.X, w-r.Min.X
	}
	switch orientation {
	case 3, 4, 6, 7:
		r.Min.Y, r.Max.Y = h-r.Max.Y, h-r.Min.Y
	}
	if orientation >= 5 {
		return image.Rect(r.Min.Y, r.Min.X, r.Max.Y, r.Max.X)
	}
	return r
}
