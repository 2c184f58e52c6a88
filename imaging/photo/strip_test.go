package photo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// traces are what must never survive; the segments below plant them.
var traces = []string{"GPS", "Canon", "xpacket", "Photoshop", "MPF", "home address", "2024:11", "JFXX", "thumb", "trailer"}

func soiled(tb testing.TB, jpeg []byte, orientation int) []byte {
	tb.Helper()
	icc := append([]byte("ICC_PROFILE\x00\x01\x01"), bytes.Repeat([]byte("colour"), 80)...)
	data := withSegments(jpeg,
		appendSegment(nil, markAPP0, []byte("JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x01\x01thumb")),
		appendSegment(nil, markAPP0, []byte("JFXX\x00\x10thumb")),
		exifSegment(orientation),
		appendSegment(nil, markAPP1, []byte("http://ns.adobe.com/xap/1.0/\x00<?xpacket GPS?>")),
		appendSegment(nil, markAPP2, icc),
		appendSegment(nil, markAPP2, []byte("MPF\x00II*\x00")),
		appendSegment(nil, 0xED, []byte("Photoshop 3.0\x008BIM")),
		appendSegment(nil, markCOM, []byte("home address")),
		[]byte{0xFF, 0xFF, 0xFF}, // fill bytes
	)
	return append(data, "trailer: GPS"...)
}

func TestStripMetadata(t *testing.T) {
	for name, jpeg := range map[string][]byte{
		"baseline":    jpegOf(t, scene(200, 150), 85),
		"progressive": file(t, "video-001.progressive.jpeg"),
		"restarts":    file(t, "video-001.restart2.jpeg"),
		"cmyk":        file(t, "video-001.cmyk.jpeg"),
		"gray":        file(t, "video-005.gray.jpeg"),
	} {
		for _, o := range []int{1, 6} {
			t.Run(fmt.Sprint(name, " orientation ", o), func(t *testing.T) {
				data := soiled(t, jpeg, o)
				var out bytes.Buffer
				if err := StripMetadata(&out, iotest.HalfReader(bytes.NewReader(data))); err != nil {
					t.Fatal(err)
				}
				for _, s := range traces {
					if bytes.Contains(out.Bytes(), []byte(s)) {
						t.Errorf("%q survived", s)
					}
				}
				if !bytes.Contains(out.Bytes(), []byte("ICC_PROFILE\x00\x01\x01colour")) {
					t.Error("the colour profile is lost")
				}
				if got := bytes.Contains(out.Bytes(), []byte("Exif")); got != (o != 1) {
					t.Errorf("an EXIF block is there: %v", got)
				}
				before, info, err := Decode(data, Limits{})
				if err != nil {
					t.Fatal(err)
				}
				after, stripped, err := Decode(out.Bytes(), Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if stripped.Orientation != o || info.Orientation != o {
					t.Errorf("orientation %d became %d", info.Orientation, stripped.Orientation)
				}
				if !bytes.Equal(before.Pix, after.Pix) {
					t.Error("the pixels changed")
				}
				var again bytes.Buffer
				if err := StripMetadata(&again, bytes.NewReader(out.Bytes())); err != nil || !bytes.Equal(again.Bytes(), out.Bytes()) {
					t.Errorf("not the same when stripped again: %v", err)
				}
			})
		}
	}
}

func TestStripMetadataRefuses(t *testing.T) {
	whole := jpegOf(t, scene(40, 40), 85)
	for _, c := range []struct {
		name string
		in   io.Reader
		err  error
	}{
		{"empty", strings.NewReader(""), ErrEmpty},
		{"text", strings.NewReader("hello there"), ErrNotPhoto},
		{"one byte", strings.NewReader("\xff"), ErrNotPhoto},
		{"png", bytes.NewReader(pngOf(t, scene(4, 4))), ErrNotPhoto},
		{"truncated in the header", bytes.NewReader(whole[:100]), ErrTruncated},
		{"truncated in the picture", bytes.NewReader(whole[:len(whole)-2]), ErrTruncated},
		{"no picture", strings.NewReader("\xff\xd8\xff\xd9"), ErrUnreadable},
		{"two starts", strings.NewReader("\xff\xd8\xff\xd8\xff\xd9"), ErrUnreadable},
		{"read error", iotest.ErrReader(io.ErrClosedPipe), io.ErrClosedPipe},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := StripMetadata(io.Discard, c.in); !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
		})
	}
}
