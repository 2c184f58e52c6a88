package qc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"flawmark/app/money"
)

// Verdict is the inspector's judgement of an item.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "pass"
	Flag Verdict = "flag"
)

// Severity grades a flaw. The letters are always shown beside the words,
// because trade texts differ in their words.
type Severity string

// The severities, worst first.
const (
	Critical    Severity = "CR"  // unsafe, unusable, or not what was ordered
	Major       Severity = "MAJ" // a reasonable customer would send it back
	Minor       Severity = "MIN" // seen on a close look, use unaffected
	Observation Severity = "OBS" // a remark only
)

// Severities lists all severities, worst first.
func Severities() []Severity { return []Severity{Critical, Major, Minor, Observation} }

// Worse reports whether s is graver than t.
func (s Severity) Worse(t Severity) bool {
	return slices.Index(Severities(), s) < slices.Index(Severities(), t)
}

// Zone says where on the item a flaw is.
type Zone string

// The zones. ZoneB is what the catalogue's severities are given for.
const (
	ZoneA Zone = "A" // front, logo, toe, face
	ZoneB Zone = "B" // side, back, inside that is seen
	ZoneC Zone = "C" // hidden
)

// Photo is one original, bit for bit as it came, with its small derivatives.
type Photo struct {
	ID        PhotoID    `json:"id"`
	Digest    Digest     `json:"sha256"`
	Bytes     int64      `json:"size"`
	MediaType string     `json:"media_type"`
	Width     int        `json:"width"`  // pixels, after orientation
	Height    int        `json:"height"` // pixels, after orientation
	Name      string     `json:"name"`   // of the file it came from
	Preview   Derivative `json:"preview"`
	Thumb     Derivative `json:"thumb"`
	Scale     Scale      `json:"scale,omitzero"` // none: nothing was measured on it
	// Redactions tells with which redactions the derivatives were made; see
	// [Finding.Redactions].
	Redactions Digest    `json:"redactions,omitempty"`
	CapturedAt time.Time `json:"captured_at,omitzero"`
	ReceivedAt time.Time `json:"received_at"`
}

// Derivative is a small JPEG without metadata made from an original.
type Derivative struct {
	Digest Digest `json:"sha256"`
	Bytes  int64  `json:"size"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// Flaw is one fault of an item. Its number on photos and lists is its place in
// [Finding.Flaws], counted from 1.
type Flaw struct {
	ID       FlawID   `json:"id"`
	Code     FlawCode `json:"code"`
	Severity Severity `json:"severity"`
	Zone     Zone     `json:"zone"`
	Quantity int      `json:"quantity"` // pieces affected, at most the line's
	SizeMM   float64  `json:"size_mm,omitempty"`
	Note     string   `json:"note,omitempty"` // the inspector's own words, not translated
}

// Point is a place on a photo in pixels of the oriented image: origin at the
// top left edge, x to the right, y down.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Mark shows a flaw on a photo.
type Mark struct {
	ID     MarkID  `json:"id"`
	Photo  PhotoID `json:"photo"`
	Flaw   FlawID  `json:"flaw,omitempty"` // empty: shows no particular flaw
	Tool   Tool    `json:"type"`
	Points []Point `json:"points"`
	Text   string  `json:"text,omitempty"` // of a [Text]: the words on the photo, not translated
	Zoom   float64 `json:"zoom,omitempty"` // of an [Inset]; 0 stands for [DefaultZoom]
}

// Finding is the outcome of inspecting an item once. A later Revision of the
// same ID replaces the earlier one.
type Finding struct {
	ID       FindingID `json:"id"`
	Revision int       `json:"revision"` // from 1
	Item     ItemID    `json:"item"`
	Order    OrderID   `json:"order"`
	Round    int       `json:"round"`
	// Case is the case that the inspection was made for, such as that of the
	// replacement on the bench; empty: that is for the centre to find.
	Case       CaseID    `json:"case,omitempty"`
	Verdict    Verdict   `json:"verdict"`
	Photos     []Photo   `json:"photos"`
	Flaws      []Flaw    `json:"flaws,omitempty"`
	Marks      []Mark    `json:"marks,omitempty"`
	Unsure     bool      `json:"unsure,omitempty"` // the inspector asks for a second look
	Inspector  StaffID   `json:"inspector"`
	Station    StationID `json:"station"`
	RecordedAt time.Time `json:"recorded_at"`
}

// Why a finding cannot be recorded. Each is a sentence to the inspector under
// the key "error." plus its text.
var (
	ErrNoPhoto       = errors.New("finding_no_photo")
	ErrNoFlaw        = errors.New("finding_no_flaw")
	ErrFlawOnPass    = errors.New("finding_flaw_on_pass")
	ErrFlawCode      = errors.New("finding_flaw_code")
	ErrFlawQuantity  = errors.New("finding_flaw_quantity")
	ErrMarkElsewhere = errors.New("finding_mark_elsewhere")
	ErrMarkCount     = errors.New("finding_mark_count")
	ErrMarkText      = errors.New("finding_mark_text")
	ErrSpotlights    = errors.New("finding_spotlights")
	ErrScale         = errors.New("finding_scale")
	ErrRedactions    = errors.New("finding_redactions")
)

// Refusals returns every reason for which [Finding.Check] refuses a finding.
func Refusals() []error {
	return []error{
		ErrNoPhoto, ErrNoFlaw, ErrFlawOnPass, ErrFlawCode, ErrFlawQuantity, ErrMarkElsewhere, ErrMarkCount,
		ErrMarkText, ErrSpotlights, ErrScale, ErrRedactions,
	}
}

// Check reports what keeps f from being recorded against item, or nil.
// A flag needs a photo and a flaw; flaws come from the catalogue; marks are
// well formed, not too many and lie on the finding's photos. A mark of a tool
// that this version does not know is refused: what cannot be shown must not
// seem to be shown. So is a photo whose derivatives were not made with the
// redactions on it: they are what people outside see.
func (f Finding) Check(item Item, catalogue Catalogue) error {
	if len(f.Photos) == 0 {
		return ErrNoPhoto
	}
	if f.Verdict == Flag && len(f.Flaws) == 0 {
		return ErrNoFlaw
	}
	if f.Verdict == Pass && slices.ContainsFunc(f.Flaws, func(flaw Flaw) bool { return flaw.Severity != Observation }) {
		return ErrFlawOnPass
	}
	for _, flaw := range f.Flaws {
		if _, ok := catalogue.Flaw(flaw.Code); !ok || !slices.Contains(Severities(), flaw.Severity) {
			return fmt.Errorf("%w: %s %s", ErrFlawCode, flaw.Code, flaw.Severity)
		}
		if flaw.Quantity < 1 || flaw.Quantity > item.Quantity {
			return fmt.Errorf("%w: %d of %d", ErrFlawQuantity, flaw.Quantity, item.Quantity)
		}
	}
	if all := f.points(); len(f.Marks) > MaxMarks || all > MaxAllPoints {
		return fmt.Errorf("%w: %d of %d points", ErrMarkCount, len(f.Marks), all)
	}
	for _, mark := range f.Marks {
		if err := f.checkMark(mark); err != nil {
			return err
		}
	}
	return f.checkPhotos()
}

func (f Finding) checkPhotos() error {
	for _, photo := range f.Photos {
		spotlights := 0
		for _, mark := range f.Marks {
			if mark.Photo == photo.ID && mark.Tool == Spotlight {
				spotlights++
			}
		}
		switch {
		case spotlights > 1:
			return fmt.Errorf("%w: photo %s", ErrSpotlights, photo.ID)
		case !photo.Scale.valid():
			return fmt.Errorf("%w: photo %s", ErrScale, photo.ID)
		case photo.Redactions != f.Redactions(photo.ID):
			return fmt.Errorf("%w: photo %s", ErrRedactions, photo.ID)
		}
	}
	return nil
}

func (f Finding) checkMark(mark Mark) error {
	photo, ok := f.Photo(mark.Photo)
	if form, known := mark.Tool.Form(); !ok || !known || !form.Fits(len(mark.Points)) {
		return fmt.Errorf("%w: mark %s", ErrMarkElsewhere, mark.ID)
	}
	for _, p := range mark.Points {
		inside := p.X >= 0 && p.Y >= 0 && p.X <= float64(photo.Width) && p.Y <= float64(photo.Height)
		if !inside { // NaN is not inside either
			return fmt.Errorf("%w: mark %s", ErrMarkElsewhere, mark.ID)
		}
	}
	if mark.Flaw != "" && f.Number(mark.Flaw) == 0 {
		return fmt.Errorf("%w: mark %s shows no flaw of the finding", ErrMarkElsewhere, mark.ID)
	}
	if !mark.wellSaid() {
		return fmt.Errorf("%w: mark %s", ErrMarkText, mark.ID)
	}
	return nil
}

// wellSaid reports whether words and zoom are those of the mark's tool and
// within what can be shown.
func (m Mark) wellSaid() bool {
	switch m.Tool {
	case Text:
		control := strings.ContainsFunc(m.Text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' })
		return m.Zoom == 0 && m.Text != "" && utf8.ValidString(m.Text) && utf8.RuneCountInString(m.Text) <= MaxText && !control
	case Inset:
		return m.Text == "" && (m.Zoom == 0 || m.Zoom >= MinZoom && m.Zoom <= MaxZoom)
	default:
		return m.Text == "" && m.Zoom == 0
	}
}

// RoomFor reports whether f can hold another mark of that many points.
func (f Finding) RoomFor(points int) bool {
	return len(f.Marks) < MaxMarks && f.points()+points <= MaxAllPoints
}

func (f Finding) points() int {
	n := 0
	for _, mark := range f.Marks {
		n += len(mark.Points)
	}
	return n
}

// Photo returns the finding's photo with that id.
func (f Finding) Photo(id PhotoID) (Photo, bool) {
	i := slices.IndexFunc(f.Photos, func(p Photo) bool { return p.ID == id })
	if i < 0 {
		return Photo{}, false
	}
	return f.Photos[i], true
}

// Number returns the number that flaw id carries on photos and lists, from 1,
// or 0 when the finding has no such flaw.
func (f Finding) Number(id FlawID) int {
	return slices.IndexFunc(f.Flaws, func(flaw Flaw) bool { return flaw.ID == id }) + 1
}

// Worst returns the gravest severity among the flaws, Observation when none.
func (f Finding) Worst() Severity {
	worst := Observation
	for _, flaw := range f.Flaws {
		if flaw.Severity.Worse(worst) {
			worst = flaw.Severity
		}
	}
	return worst
}

// ReviewPolicy says which flags wait for a shift lead before the customer is
// told. Everything else reaches the customer at once and the lead looks later.
type ReviewPolicy struct {
	Critical  bool         `json:"critical"`   // critical flaws wait
	ValueOver money.Amount `json:"value_over"` // lines paid above this wait; zero: no limit
	Unsure    bool         `json:"unsure"`     // what the inspector is unsure of waits
}

// DefaultReviewPolicy is in force until an administrator sets another.
func DefaultReviewPolicy() ReviewPolicy {
	return ReviewPolicy{Critical: true, ValueOver: money.Fen(1000_00), Unsure: true}
}

// Waits reports whether a flag of item waits for a lead. A line whose value
// cannot be compared waits: a person is asked rather than guessed for.
func (p ReviewPolicy) Waits(f Finding, item Item) bool {
	if f.Verdict != Flag {
		return false
	}
	if p.Critical && f.Worst() == Critical || p.Unsure && f.Unsure {
		return true
	}
	if p.ValueOver.IsZero() {
		return false
	}
	paid, err := item.Paid()
	if err != nil {
		return true
	}
	over, err := paid.Cmp(p.ValueOver)
	return err != nil || over > 0
}

// Outcome is what a shift lead says of a flag.
type Outcome string

// The outcomes of a review.
const (
	Confirmed Outcome = "confirm"
	SentBack  Outcome = "send_back" // to the inspector, with what is missing
	Dismissed Outcome = "dismiss"   // no defect
)

// Review is a shift lead's word on one revision of a finding. The reviewer is
// never the finding's inspector.
type Review struct {
	Finding  FindingID `json:"finding"`
	Revision int       `json:"revision"`
	Outcome  Outcome   `json:"outcome"`
	Reason   string    `json:"reason,omitempty"` // required unless confirmed
	By       StaffID   `json:"by"`
	At       time.Time `json:"at"`
}

// Standing is where a flag stands with the leads, as the centre tells stations.
type Standing struct {
	Finding Finding   `json:"finding"`
	Item    Item      `json:"item"`
	Case    CaseID    `json:"case"`
	Waits   bool      `json:"waits"`             // the customer is not told before the lead speaks
	Review  *Review   `json:"review,omitempty"`  // nil: nobody has looked yet
	Missing int       `json:"missing,omitempty"` // photos that the centre does not have yet
	At      time.Time `json:"at"`
}
