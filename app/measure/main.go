// Command measure holds the small programs that `go run ./app/dev bench` times
// against other people's. Each does one job of the product as one process, with
// the product's own packages and nothing else, so that a comparison with a
// command such as vipsthumbnail or djpeg is fair: both start, read a file, work
// and write a file.
//
// Its promise: a program does exactly what its line in [programs] says, prints
// nothing unless it measures inside itself, and ends with an error rather than
// with half a result. A program that measures inside itself prints one JSON
// object a line, see [reading].
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// program is one job. Adding one means adding a line to [programs].
type program struct {
	name    string
	usage   string
	summary string
	run     func(b *bench, args []string) error
}

func programs() []program {
	return []program{
		{"make-photos", "DIR", "makes the photos that are measured with, unless they are there", makePhotos},
		{"preview", "DIR PHOTO...", "decodes to fit 1920×1080 and writes a JPEG of quality 85 for each", preview},
		{"thumb", "DIR PHOTO...", "decodes to fit 256×256 and writes a JPEG of quality 85 for each", thumb},
		{"first", "PHOTO", "decodes at an eighth: the first pixels of a photo that was never seen", first},
		{"fidelity", "PHOTO PEER.png", "tells how far preview and peer are from a full decode and Lanczos, in dB", fidelity},
		{"burn-in", "PHOTO OUT", "decodes, draws 40 marks and writes a JPEG of quality 90", burnIn},
		{"burn-in-lossless", "PHOTO INDEX OUT", "draws 40 marks by replacing only the blocks that they touch", burnInLossless},
		{"burn-in-check", "PHOTO MADE N", "fails unless all but N blocks of both files are equal, bit for bit", burnInCheck},
		{"arrive", "PHOTO DIR", "takes a photo in: copy, digest, thumbnail, preview, index", arrive},
		{"index", "PHOTO OUT", "scans the photo and writes its index", index},
		{"region", "PHOTO INDEX N", "takes N regions of 512×512 at random places, as pixels and as lossless tiles", region},
		{"region-once", "PHOTO INDEX OUT", "takes one region of 512×512 in the middle and writes its pixels", regionOnce},
		{"tile-once", "PHOTO INDEX OUT", "cuts one tile of 512×512 out of the middle and writes it", tileOnce},
		{"pack", "PHOTO INDEX OUT", "writes all levels as tiles into one file", pack},
		{"pack-indexed", "PHOTO INDEX OUT", "makes the index and writes the coarser levels into one file", packIndexed},
		{"save", "PHOTO DIR N", "saves N findings with that photo, each until it is on the disk", save},
		{"fill", "DIR N", "makes a station's data with N findings of five photos, none sent", fill},
		{"start", "DIR", "opens a station's data and asks what the first screen shows", start},
		{"flood", "CENTRE DIR N SENDERS", "flags N items as fast as the centre takes them", flood},
		{"busy", "CENTRE DIR FINDINGS/S MB/S SECONDS", "sends findings and photos at a rate, and tells how long each took", busy},
		{"alert", "CENTRE DIR PHOTO N", "follows N findings from the button to the customer's page, and decisions back to the station", alert},
		{"alert-narrow", "CENTRE DIR PHOTO N BITS/S AHEAD", "the same over a narrow line, with AHEAD originals of 40 MB waiting", alertNarrow},
		{"desk", "CENTRE DIR CASES N", "opens so many cases and looks at each kind of page of the desk N times", desk},
		{"again", "PHOTO N", "opens a photo that has been seen: its preview to pixels, N times", again},
	}
}

// bench is what a program works with.
type bench struct {
	out io.Writer
	now func() time.Time
}

// reading is what a program measured inside itself.
type reading struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"` // "s", "dB", "MiB", "1/s"
	Values []float64 `json:"values"`
	Note   string    `json:"note,omitempty"`
}

func (b *bench) report(r reading) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("report %s: %w", r.Name, err)
	}
	_, err = fmt.Fprintf(b.out, "%s\n", line)
	return err
}

// timed calls do and returns how many seconds it took.
func (b *bench) timed(do func() error) (float64, error) {
	begun := b.now()
	err := do()
	return b.now().Sub(begun).Seconds(), err
}

// errUsage marks an error in how a program was called.
var errUsage = errors.New("usage")

// need reports whether there are at least n arguments.
func need(args []string, n int) error {
	if len(args) < n {
		return fmt.Errorf("%w: %d arguments, want %d", errUsage, len(args), n)
	}
	return nil
}

func main() {
	if err := dispatch(&bench{out: os.Stdout, now: time.Now}, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func dispatch(b *bench, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: name one of %s", errUsage, strings.Join(names(), ", "))
	}
	all := programs()
	i := slices.IndexFunc(all, func(p program) bool { return p.name == args[0] })
	if i < 0 {
		return fmt.Errorf("%w: there is no program %q, only %s", errUsage, args[0], strings.Join(names(), ", "))
	}
	p := all[i]
	err := p.run(b, args[1:])
	if errors.Is(err, errUsage) || errors.Is(err, flag.ErrHelp) {
		return fmt.Errorf("%w; measure %s %s: %s", err, p.name, p.usage, p.summary)
	}
	return err
}

func names() []string {
	var list []string
	for _, p := range programs() {
		list = append(list, p.name)
	}
	return list
}
