package model

import (
	"cmp"
	"context"
	"image"
	"slices"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// Comparable is a picture that the photo in view can be compared with.
type Comparable struct {
	Key   string // tells it apart from others
	Label Sentence

	picture qc.Digest
}

// Comparables returns what the photo in view can be compared with: the
// listing's photo, and the photo with the same place among those of the round
// before.
func (i *Inspection) Comparables() []Comparable {
	return comparables(i.item, i.draft.Finding, i.photo, i.before)
}

// Comparables returns what the photo in view can be compared with; see
// [Inspection.Comparables].
func (r *Reviews) Comparables() []Comparable {
	row, _, ok := r.Selected()
	p, _, has := r.Photo()
	if !ok || !has {
		return nil
	}
	return comparables(row.Standing.Item, row.Standing.Finding, p.ID, newestBefore(r.standings, row.Standing.Finding))
}

func comparables(item qc.Item, f qc.Finding, photo qc.PhotoID, before qc.Finding) []Comparable {
	at := slices.IndexFunc(f.Photos, func(p qc.Photo) bool { return p.ID == photo })
	if at < 0 {
		return nil
	}
	var all []Comparable
	if item.ListingPhoto != "" {
		all = append(all, Comparable{"listing", Say("station.compare.listing"), item.ListingPhoto})
	}
	if at < len(before.Photos) {
		p := before.Photos[at]
		all = append(all, Comparable{"round " + string(p.ID), Say("station.compare.round", "n", before.Round, "photo", at+1), p.Preview.Digest})
	}
	return all
}

// roundBefore returns the newest finding of the same item in an earlier round,
// from the centre or recorded here, or none.
func (i *Inspection) roundBefore(ctx context.Context, f qc.Finding) (qc.Finding, error) {
	if f.Round < 2 {
		return qc.Finding{}, nil
	}
	standings, err := i.parts.Store.Standings(ctx)
	if err != nil {
		return qc.Finding{}, err
	}
	recorded, err := i.parts.Store.Recorded(ctx, 500)
	if err != nil {
		return qc.Finding{}, err
	}
	for _, r := range recorded {
		if r.Finding != nil {
			standings = append(standings, qc.Standing{Finding: *r.Finding})
		}
	}
	return newestBefore(standings, f), nil
}

func newestBefore(standings []qc.Standing, f qc.Finding) qc.Finding {
	var before qc.Finding
	for _, s := range standings {
		if g := s.Finding; g.Item == f.Item && g.Round < f.Round &&
			cmp.Or(cmp.Compare(g.Round, before.Round), cmp.Compare(g.Revision, before.Revision)) > 0 {
			before = g
		}
	}
	return before
}

// Listing delivers the item's listing photo; see [Pictures.Compare].
func (p *Pictures) Listing(item qc.Item, got func(*image.RGBA), missing func()) {
	p.Compare(Comparable{picture: item.ListingPhoto}, got, missing)
}

// Compare delivers the picture to compare with, fetched when it is not here;
// its size in pixels is that of the picture. missing is called when it cannot
// be had now.
func (p *Pictures) Compare(with Comparable, got func(*image.RGBA), missing func()) {
	p.parts.Work.Do(LaneOpen, func(ctx context.Context) func() {
		img, err := p.decode(ctx, with.picture, func(data []byte) (*image.RGBA, error) {
			img, _, err := photo.DecodeFit(data, previewSide, previewSide, photo.Limits{})
			return img, err
		})
		return func() {
			if err != nil {
				p.parts.Log.Info("no picture to compare with", "digest", with.picture, "error", err)
				missing()
				return
			}
			got(img)
		}
	})
}
