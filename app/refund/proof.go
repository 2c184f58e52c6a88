package refund

import "flawmark/app/qc"

// Proof is one piece of evidence that a claim for a flaw should show.
type Proof struct {
	Flaw qc.FlawID
	Kind ProofKind
	Have Have
}

// ProofKind names a piece of evidence.
type ProofKind string

// The kinds of evidence.
const (
	Overview ProofKind = "overview" // the whole item
	CloseUp  ProofKind = "close_up" // the flaw, marked
	Label    ProofKind = "label"    // what it says it is
	AsListed ProofKind = "as_listed"
	Ruler    ProofKind = "ruler"  // at both ends of what is measured
	Parts    ProofKind = "parts"  // all of them laid out
	Weight   ProofKind = "weight" // of the parcel
	Parcel   ProofKind = "parcel" // sealed, from six sides
	Running  ProofKind = "running"
)

// ProofKinds lists the kinds of evidence.
func ProofKinds() []ProofKind {
	return []ProofKind{Overview, CloseUp, Label, AsListed, Ruler, Parts, Weight, Parcel, Running}
}

// Have says whether a piece of evidence is there.
type Have string

// What can be said of a piece of evidence.
const (
	Has      Have = "has"
	Lacks    Have = "lacks"
	LookSelf Have = "look" // no program can tell: somebody must look
)

// special is what flaws need beside an overview and a marked close-up, by the
// chapter of the catalogue they are in.
var special = map[string][]ProofKind{
	"W": {Label, AsListed},
	"S": {Ruler},
	"Q": {Parts, Weight},
	"K": {Parcel},
	"E": {Running},
}

// Proofs lists the evidence that a claim for a finding should show, and what
// of it is there. Flaws that are not the seller's are left out.
func Proofs(f qc.Finding, item qc.Item, catalogue qc.Catalogue) []Proof {
	var list []Proof
	whole := Lacks
	if len(f.Photos) > 1 || len(f.Marks) == 0 && len(f.Photos) == 1 {
		whole = Has
	}
	for _, flaw := range f.Flaws {
		kind, known := catalogue.Flaw(flaw.Code)
		if !known || kind.Internal || kind.Liability == qc.LiableAgent {
			continue
		}
		marked, measured := Lacks, Lacks
		for _, mark := range f.Marks {
			if mark.Flaw != flaw.ID {
				continue
			}
			marked = Has
			if photo, ok := f.Photo(mark.Photo); ok && photo.Scale.MMPerPixel > 0 {
				measured = Has
			}
		}
		list = append(list, Proof{flaw.ID, Overview, whole}, Proof{flaw.ID, CloseUp, marked})
		for _, need := range special[kind.Group] {
			have := LookSelf
			switch {
			case need == Ruler:
				have = measured
			case need == AsListed && item.ListingPhoto != "":
				have = Has
			case need == AsListed:
				have = Lacks
			}
			list = append(list, Proof{flaw.ID, need, have})
		}
	}
	return list
}
