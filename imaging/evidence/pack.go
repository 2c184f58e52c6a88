package evidence

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math"
	"slices"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// What a marketplace's form takes as photos, with a margin for how it counts
// megabytes.
const (
	MostFiles     = 5
	MostFileBytes = 980_000
)

// Sizes of a pack's pictures in pixels of the longer side. An overview is not
// made smaller than LeastSide for the sake of bytes, and neither is a detail; a
// photo that is smaller already is shown as it is.
const (
	LeastSide     = 1000
	overviewSide  = 2048
	detailSide    = 1600
	mostOverviews = 2
)

// LeastNumber is the least height of a flaw's number in pixels of the output.
const LeastNumber = 12.0

// Why there is no pack.
var (
	// ErrNothing reports a finding without a flaw: there is nothing to claim.
	ErrNothing = errors.New("finding has no flaw")
	// ErrNoPhotos reports that no file of any of the finding's photos is to be had.
	ErrNoPhotos = errors.New("no photo of the finding is there")
)

// Files gives the whole file with a digest. What is not there is an error that
// is [fs.ErrNotExist].
type Files func(ctx context.Context, d qc.Digest) ([]byte, error)

// PackOptions say how a pack is made.
type PackOptions struct {
	Ask Ask
	// Listing is the seller's own photo of the goods, which is shown beside the
	// gravest overview. nil: none.
	Listing []byte
	// MostBytes of a file; 0 stands for [MostFileBytes].
	MostBytes int
	// Limits for the originals; zero fields stand for the defaults.
	Limits photo.Limits
}

// View says what a file of a pack shows.
type View string

// The views.
const (
	Overview   View = "overview"   // a whole photo
	Detail     View = "detail"     // a part of it, at the original's size where that fits
	Comparison View = "comparison" // the seller's photo beside ours
)

// File is a picture of a pack.
type File struct {
	Name   string // such as "1-overview.jpg"
	View   View
	Photo  qc.PhotoID
	Flaws  []int // the numbers of the flaws that it shows
	Width  int
	Height int
	JPEG   []byte
}

// Pack is what a seller is sent.
type Pack struct {
	Files   []File
	Text    string // in Chinese, of [LeastText] to [MostText] characters
	English string // the same for those who do not read it
	Reason  qc.Reason
	// Previews are the photos whose originals are not there, or damaged, and
	// which are shown by their previews.
	Previews []qc.PhotoID
	Missing  []qc.PhotoID // there is no file of these at all
	Unshown  []int        // the numbers of flaws that are claimed and no file shows
}

// ForSeller makes the pack of evidence that a seller is sent for a finding: at
// most [MostFiles] JPEGs of at most [MostFileBytes] bytes each, and a text. The
// gravest flaws come first: photos as overviews, then the flaws as details of
// the full original, near ones on one. Marks and numbers are drawn for the size
// of the output, so that they stay legible however small a file must be, and
// the numbers are those of the photos everywhere. What is redacted is hidden
// before anything else is done, and no file says more than its picture.
//
// Flaws that are not the seller's (see [qc.FlawKind]: internal ones and our own)
// are neither named nor drawn.
//
// The errors are [ErrNothing], [ErrNoPhotos], ctx's, and those of files other
// than [fs.ErrNotExist].
func ForSeller(ctx context.Context, files Files, f qc.Finding, item qc.Item, catalogue qc.Catalogue, opts PackOptions) (Pack, error) {
	p, err := forSeller(ctx, files, f, item, catalogue, opts)
	if err != nil {
		return Pack{}, fmt.Errorf("pack evidence of finding %s: %w", f.ID, err)
	}
	return p, nil
}

func forSeller(ctx context.Context, files Files, f qc.Finding, item qc.Item, catalogue qc.Catalogue, opts PackOptions) (Pack, error) {
	if len(f.Flaws) == 0 {
		return Pack{}, ErrNothing
	}
	if opts.MostBytes <= 0 {
		opts.MostBytes = MostFileBytes
	}
	k := packing{files: files, opts: opts, finding: f, catalogue: catalogue, opened: map[qc.PhotoID]*subject{}}
	k.out.Reason = ReasonFor(f, catalogue)
	for lang, text := range map[string]*string{"zh": &k.out.Text, "en": &k.out.English} {
		var err error
		if *text, err = Text(f, item, catalogue, opts.Ask, lang); err != nil {
			return Pack{}, err
		}
	}
	if err := k.pictures(ctx); err != nil {
		return Pack{}, err
	}
	if len(k.out.Files) == 0 {
		return Pack{}, ErrNoPhotos
	}
	shown := make(map[int]bool)
	for i := range k.out.Files {
		file := &k.out.Files[i]
		file.Name = fmt.Sprintf("%d-%s.jpg", i+1, file.View)
		for _, n := range file.Flaws {
			shown[n] = true
		}
	}
	for _, c := range claims(f, catalogue) {
		if !shown[c.number] {
			k.out.Unshown = append(k.out.Unshown, c.number)
		}
	}
	slices.Sort(k.out.Unshown)
	return k.out, nil
}

// packing is a pack in the making.
type packing struct {
	files     Files
	opts      PackOptions
	finding   qc.Finding
	catalogue qc.Catalogue
	opened    map[qc.PhotoID]*subject // nil: there is no file
	out       Pack
}

// pictures makes the files: overviews of the photos that show the gravest flaws,
// the comparison, details, and what else there is room for.
func (k *packing) pictures(ctx context.Context) error {
	order := k.byGravity()
	room := MostFiles
	if len(k.opts.Listing) > 0 {
		room--
	}
	var later []qc.Photo
	for _, p := range order {
		marked := len(k.shown(p.ID)) > 0
		if len(k.out.Files) == mostOverviews || !marked {
			later = append(later, p)
			continue
		}
		if err := k.overview(ctx, p); err != nil {
			return err
		}
	}
	for _, p := range order[:min(MostFiles, len(order))] { // more than that would only take memory
		if len(k.shown(p.ID)) > 0 {
			if _, err := k.open(ctx, p); err != nil {
				return err
			}
		}
	}
	for _, d := range k.details(room - len(k.out.Files)) {
		if err := k.detail(ctx, d); err != nil {
			return err
		}
	}
	unmarked := k.unmarked()
	for _, p := range later {
		if len(k.out.Files) < room && (unmarked || k.tells(p.ID)) {
			if err := k.overview(ctx, p); err != nil {
				return err
			}
		}
	}
	return k.comparison(ctx)
}

// tells reports whether a photo shows a flaw that no file shows yet.
func (k *packing) tells(p qc.PhotoID) bool {
	return slices.ContainsFunc(k.shown(p), func(n int) bool {
		return !slices.ContainsFunc(k.out.Files, func(f File) bool { return slices.Contains(f.Flaws, n) })
	})
}

// unmarked reports whether a flaw is claimed that no mark shows, such as a
// missing part: then photos without marks are evidence, too.
func (k *packing) unmarked() bool {
	list := claims(k.finding, k.catalogue)
	return len(list) == 0 || slices.ContainsFunc(list, func(c claim) bool {
		return !slices.ContainsFunc(k.finding.Marks, func(m qc.Mark) bool { return m.Flaw == c.ID })
	})
}

// byGravity returns the photos, first those that show the gravest flaws, then
// those that show more of them.
func (k *packing) byGravity() []qc.Photo {
	rank := func(p qc.Photo) (grave, count int) {
		numbers := k.shown(p.ID)
		grave = len(qc.Severities())
		for _, n := range numbers {
			grave = min(grave, slices.Index(qc.Severities(), k.finding.Flaws[n-1].Severity))
		}
		return grave, len(numbers)
	}
	photos := slices.Clone(k.finding.Photos)
	slices.SortStableFunc(photos, func(a, b qc.Photo) int {
		graveA, countA := rank(a)
		graveB, countB := rank(b)
		return cmp.Or(cmp.Compare(graveA, graveB), cmp.Compare(countB, countA))
	})
	return photos
}

// shown returns the numbers of the claimed flaws that marks on a photo show.
func (k *packing) shown(p qc.PhotoID) []int {
	var numbers []int
	for _, m := range k.finding.Marks {
		n := k.finding.Number(m.Flaw)
		if m.Photo == p && n > 0 && claimed(k.finding.Flaws[n-1], k.catalogue) && !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// subject is a photo of the finding, opened and already redacted.
type subject struct {
	qc.Photo
	picture *tiles.Picture
	w, h    int
	marks   []annotate.Shape // in pixels of the picture
}

// open returns a photo, nil where there is no file of it.
func (k *packing) open(ctx context.Context, p qc.Photo) (*subject, error) {
	if s, ok := k.opened[p.ID]; ok {
		return s, nil
	}
	k.opened[p.ID] = nil
	for _, d := range []qc.Digest{p.Digest, p.Preview.Digest} {
		if d == "" {
			continue
		}
		data, err := k.files(ctx, d)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("photo %s: %w", p.ID, err)
		}
		picture, err := opened(ctx, data, d, k.opts.Limits)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err != nil {
			continue // damaged: the preview may be sound
		}
		if d != p.Digest {
			k.out.Previews = append(k.out.Previews, p.ID)
		}
		s := k.subject(p, picture)
		k.opened[p.ID] = s
		return s, nil
	}
	k.out.Missing = append(k.out.Missing, p.ID)
	return nil, nil
}

// opened gives the picture of a photo's file, as parts of it where it can be
// reached into, else by way of a pack.
func opened(ctx context.Context, data []byte, d qc.Digest, lim photo.Limits) (*tiles.Picture, error) {
	x, err := tiles.Build(data, d, lim)
	if err == nil {
		return tiles.Open(bytes.NewReader(data), int64(len(data)), x, nil, lim)
	}
	if !errors.Is(err, tiles.ErrNotIndexable) {
		return nil, err
	}
	var file bytes.Buffer
	if err := tiles.WritePack(ctx, &file, data, d, lim, tiles.PackOptions{Complete: true, Quality: 95}); err != nil {
		return nil, err
	}
	pack, err := tiles.OpenPack(bytes.NewReader(file.Bytes()), int64(file.Len()), d, int64(len(data)))
	if err != nil {
		return nil, err
	}
	return tiles.Open(nil, int64(len(data)), nil, pack, lim)
}

// subject hides what is redacted on a picture and brings the marks onto its
// size, which is another one where it is a preview.
func (k *packing) subject(p qc.Photo, picture *tiles.Picture) *subject {
	s := &subject{Photo: p}
	s.w, s.h = picture.Size()
	across, down := 1.0, 1.0
	if p.Width > 0 && p.Height > 0 {
		across, down = float64(s.w)/float64(p.Width), float64(s.h)/float64(p.Height)
	}
	var hidden []image.Rectangle
	for _, m := range k.finding.Marks {
		if m.Photo != p.ID {
			continue
		}
		label := m.Label(p.Scale)
		m.Points = slices.Clone(m.Points)
		for i := range m.Points {
			m.Points[i].X *= across
			m.Points[i].Y *= down
		}
		if m.Tool == qc.Redaction {
			hidden = append(hidden, redacted(m, s.w, s.h, across != 1 || down != 1))
			continue
		}
		shape := annotate.Shape{Mark: m, Number: k.finding.Number(m.Flaw), Severity: qc.Observation, Label: label}
		if shape.Number > 0 {
			flaw := k.finding.Flaws[shape.Number-1]
			if !claimed(flaw, k.catalogue) {
				continue
			}
			shape.Severity = flaw.Severity
		}
		s.marks = append(s.marks, shape)
	}
	slices.SortStableFunc(s.marks, func(a, b annotate.Shape) int { return compareSeverity(b.Severity, a.Severity) })
	if s.picture = picture; len(hidden) > 0 {
		s.picture = picture.Redacted(hidden, nil)
	}
	return s
}

// redacted is what a redaction hides: everything where it is no rectangle, and
// a little more where the picture is not of the size that it was drawn on.
func redacted(m qc.Mark, w, h int, scaled bool) image.Rectangle {
	everything := image.Rect(0, 0, w, h)
	if len(m.Points) != 2 {
		return everything
	}
	a, b := m.Points[0], m.Points[1]
	if v := a.X + a.Y + b.X + b.Y; math.IsNaN(v) || math.IsInf(v, 0) {
		return everything
	}
	r := image.Rect(
		whole32(math.Floor(min(a.X, b.X))), whole32(math.Floor(min(a.Y, b.Y))),
		whole32(math.Ceil(max(a.X, b.X))), whole32(math.Ceil(max(a.Y, b.Y))),
	)
	if scaled {
		r = r.Inset(-4)
	}
	return r
}
