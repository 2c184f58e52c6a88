package photo

import (
	"bytes"
	"strings"
	"time"
	"unicode"

	"github.com/bep/imagemeta"
)

// exifFacts is the little that the product takes from a photo's EXIF block.
type exifFacts struct {
	orientation int // 1..8
	capturedAt  time.Time
	camera      string
}

// readEXIF reads a TIFF block. A damaged block is no reason to refuse a photo: what could not be
// read stays at its default.
func readEXIF(tiff []byte) (f exifFacts) {
	f.orientation = 1
	var maker, model, taken, zone string
	defer func() {
		// The block is foreign; whatever was found before a panic in its parser is still good.
		_ = recover()
		f.camera = cameraName(maker, model)
		f.capturedAt = captureTime(taken, zone)
	}()
	_, _ = imagemeta.Decode(imagemeta.Options{
		R:           bytes.NewReader(tiff),
		ImageFormat: imagemeta.TIFF,
		Sources:     imagemeta.EXIF,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool {
			switch t.Tag {
			case "Orientation", "Make", "Model":
				return t.Namespace == "IFD0"
			case "DateTimeOriginal", "OffsetTimeOriginal", "ExifIFD", "ExifOffset":
				return true
			}
			return false
		},
		HandleTag: func(t imagemeta.TagInfo) error {
			switch v := t.Value.(type) {
			case uint16:
				if t.Tag == "Orientation" && v >= 1 && v <= 8 {
					f.orientation = int(v)
				}
			case string:
				switch t.Tag {
				case "Make":
					maker = v
				case "Model":
					model = v
				case "DateTimeOriginal":
					taken = v
				case "OffsetTimeOriginal":
					zone = v
				}
			}
			return nil
		},
		LimitNumTags: 2000,
		LimitTagSize: 4096,
	})
	return f
}

// captureTime joins EXIF's local time with its zone, which older cameras do not write.
func captureTime(taken, zone string) time.Time {
	taken, zone = plain(taken), plain(zone)
	const layout = "2006:01:02 15:04:05"
	if zone != "" {
		if t, err := time.Parse(layout+"Z07:00", taken+zone); err == nil {
			return t
		}
	}
	t, err := time.ParseInLocation(layout, taken, time.Local)
	if err != nil {
		return time.Time{}
	}
	return t
}

// cameraName joins maker and model without saying the maker twice.
func cameraName(maker, model string) string {
	maker, model = plain(maker), plain(model)
	first, _, _ := strings.Cut(maker, " ")
	switch {
	case model == "":
		return maker
	case maker == "" || strings.HasPrefix(strings.ToLower(model), strings.ToLower(first)):
		return model
	}
	return maker + " " + model
}

// plain trims a foreign text to something that can be shown on one line.
func plain(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > 80 {
		s = string(r[:80])
	}
	return strings.TrimSpace(s)
}
