// Package photo turns foreign bytes into pictures, within limits.
//
// Its promise: whatever the bytes are — a camera's JPEG, a half-copied file, a text file renamed
// to .jpg, a crafted header that claims 60 000 × 60 000 pixels — a call either gives a right
// picture or one of the errors below, and it decides that before it reserves memory for pixels.
// The kind of a file is found by its magic bytes, never by its name, and no decoder is chosen by
// registration: only the four kinds below are ever parsed. HEIC is decoded by libheif inside a
// WebAssembly sandbox, never by a library of the system.
//
// The words: a picture is oriented when its EXIF orientation has been applied, so that up is up;
// every picture that leaves the package is oriented, opaque (transparency is laid over white) and
// packed (Stride == 4*width, Min at 0,0), which is what textures want. Its colours are sRGB: a
// matrix profile in the file (Display P3, Adobe RGB) is applied; other profiles leave the pixels as
// they are, and Info says so. A rendition is a small JPEG
// made from the original (thumb, preview) and carries no metadata at all. Sizes are pixels, file
// sizes bytes.
//
// JPEG goes through libjpeg-turbo when cgo is there, else through the standard library; both give
// the same answers, the first one 3 to 9 times faster.
package photo

import (
	"errors"
	"time"
)

// Kind is the media type found by magic bytes, never by file name.
type Kind string

// The kinds that are read.
const (
	JPEG Kind = "image/jpeg"
	PNG  Kind = "image/png"
	WebP Kind = "image/webp"
	HEIC Kind = "image/heic"
)

// Limits bounds what one photo may cost. A zero field means the value of DefaultLimits.
type Limits struct {
	Bytes  int64         // size of the file
	Pixels int64         // width × height
	Side   int           // the longer side
	Memory int64         // bytes that decoding may reserve, known from the header before it begins
	Time   time.Duration // for decoding HEIC, whose decoder is slow and can be stopped
}

// DefaultLimits admits every camera on the market (100 MP and more) and refuses bombs:
// 200 MiB, 200 million pixels, 65 000 pixels a side, 1 GiB of memory, two minutes.
func DefaultLimits() Limits {
	return Limits{Bytes: 200 << 20, Pixels: 200e6, Side: 65000, Memory: 1 << 30, Time: 2 * time.Minute}
}

// orDefault fills zero fields.
func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	if l.Bytes <= 0 {
		l.Bytes = d.Bytes
	}
	if l.Pixels <= 0 {
		l.Pixels = d.Pixels
	}
	if l.Side <= 0 {
		l.Side = d.Side
	}
	if l.Memory <= 0 {
		l.Memory = d.Memory
	}
	if l.Time <= 0 {
		l.Time = d.Time
	}
	return l
}

// Info is what the header of a photo tells, without its pixels.
type Info struct {
	Kind          Kind
	Width, Height int // after orientation
	Orientation   int // EXIF 1..8; 1 when the file has none, and for HEIC, whose decoder turns the picture
	Bytes         int64
	CapturedAt    time.Time // zero if unknown; in the zone of the file, else in time.Local, which is what a camera's clock means
	Camera        string    // maker and model, empty if unknown
	Progressive   bool      // JPEG only: a scaled decode saves little
	Profile       string    // the embedded colour profile's name, or "sRGB"; empty if the file has none
	ColourUnknown bool      // the profile is of a form that is not applied: colours may be off
	Memory        int64     // bytes that a full decode reserves at most
}

// The ways in which bytes are not a usable photo. Test with errors.Is; each says what the person
// can do.
var (
	// ErrNotPhoto: the bytes are not a picture. Pick another file.
	ErrNotPhoto = errors.New("not a photo")
	// ErrEmpty: the file has no bytes. Copy or take the photo again.
	ErrEmpty = errors.New("photo is empty")
	// ErrTooLarge: over the limits in bytes, pixels or side. Lower the camera's size setting, or
	// export a smaller copy.
	ErrTooLarge = errors.New("photo is over the size limits")
	// ErrTruncated: the file stops before the picture does. Usually it is still being copied: wait
	// and read again; if it stays so, copy it again from the camera.
	ErrTruncated = errors.New("photo is not complete")
	// ErrUnreadable: the file is damaged inside. Copy it again from the camera, or take the photo
	// again.
	ErrUnreadable = errors.New("photo is damaged")
	// ErrUnsupported: a picture, but in a form that is not read here (AVIF, raw, GIF, 12-bit JPEG,
	// …). Set the camera to JPEG, or export it as JPEG.
	ErrUnsupported = errors.New("photo format is not supported")
)
