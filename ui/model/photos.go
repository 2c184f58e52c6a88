package model

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"slices"

	"flawmark/app/qc"
)

// AddPhoto adds an original to the open item. The bytes are kept as they are.
func (i *Inspection) AddPhoto(name string, data []byte) {
	i.AddPhotoFrom(name, func() (io.ReadCloser, error) { return inMemory{bytes.NewReader(data)}, nil })
}

// inMemory is a file in memory that tells its length.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// AddPhotoFrom is AddPhoto for bytes that must still be read; open is called,
// and what it returns is read, off the window's goroutine.
func (i *Inspection) AddPhotoFrom(name string, open func() (io.ReadCloser, error)) {
	if i.item.ID == "" {
		i.notices.Warn(Say("station.photo_without_item"))
		return
	}
	if i.recording {
		i.notices.Warn(Say("station.recording"))
		return
	}
	a := arrival{finding: i.draft.Finding.ID, item: i.item.ID, photo: qc.PhotoID(i.parts.NewID()), name: name}
	if i.arriving == 0 {
		i.came = 0
	}
	i.arriving++
	i.changed()
	i.parts.Work.Do(LanePhoto, func(ctx context.Context) func() {
		taken, err := i.ingest(ctx, a, open)
		return func() { i.arrived(a, taken, err) }
	})
}

// arrival is a photo on its way into the finding for which it was added.
type arrival struct {
	finding qc.FindingID
	item    qc.ItemID
	photo   qc.PhotoID
	name    string
}

// Arriving returns how many photos are still being read.
func (i *Inspection) Arriving() int { return i.arriving }

// Reading returns which photo is being read, of how many that were added
// together; 0 of 0 when none is.
func (i *Inspection) Reading() (n, of int) {
	if i.arriving == 0 {
		return 0, 0
	}
	return i.came + 1, i.came + i.arriving
}

// Early returns the first pixels of the photo that is being read, to look at
// until it is here, with the id that it will have; nil when there are none. It
// is not to be changed.
func (i *Inspection) Early() (qc.PhotoID, *image.RGBA) { return i.early.photo, i.early.picture }

// early is what is seen of a photo before it is kept.
type early struct {
	photo   qc.PhotoID
	picture *image.RGBA
}

func (i *Inspection) ingest(ctx context.Context, a arrival, open func() (io.ReadCloser, error)) (Taken, error) {
	src, err := open()
	if err != nil {
		return Taken{}, fmt.Errorf("read photo %s: %w", a.name, err)
	}
	defer src.Close()
	shelf := Shelf{Blobs: i.parts.Blobs, Derived: i.parts.Derived, Budget: i.parts.Budget, Log: i.parts.Log}
	return shelf.take(ctx, a.photo, a.name, src, i.parts.Now(), func(img *image.RGBA) {
		i.parts.Work.dispatch(func() {
			if i.draft.Finding.ID == a.finding {
				i.early = early{a.photo, img}
				i.changed()
			}
		})
	})
}

func (i *Inspection) arrived(a arrival, taken Taken, err error) {
	p := taken.Photo
	here := i.draft.Finding.ID == a.finding
	if here && i.arriving > 0 {
		i.arriving--
		i.came++
		i.early = early{}
	}
	if err == nil {
		i.pictures.arrived(taken)
	}
	switch {
	case err != nil:
		i.notices.fail("add photo", err, "file", a.name)
	case !here:
		i.addToDraft(a.finding, a.item, p)
	case slices.ContainsFunc(i.draft.Finding.Photos, func(q qc.Photo) bool { return q.Digest == p.Digest }):
		i.notices.Warn(Say("station.photo_twice", "file", a.name))
	default:
		i.step("", func(f *qc.Finding) { f.Photos = append(f.Photos, p) })
		i.photo, i.marks = p.ID, nil
	}
	i.changed()
}

// addToDraft adds a photo to the item it was meant for although the inspector
// has gone on to another one.
func (i *Inspection) addToDraft(finding qc.FindingID, item qc.ItemID, p qc.Photo) {
	i.parts.Work.Do(LaneSave, func(ctx context.Context) func() {
		draft, err := i.parts.Store.Draft(ctx, item)
		if err == nil && draft.Finding.ID != finding {
			err = qc.ErrNotFound
		}
		if err == nil {
			draft.Finding.Photos = append(draft.Finding.Photos, p)
			draft.UpdatedAt = i.parts.Now()
			err = i.parts.Store.SaveDraft(ctx, draft)
		}
		return func() {
			if err != nil {
				i.notices.Warn(Say("station.photo_left_out", "file", p.Name, "item", string(item)))
				return
			}
			i.notices.Tell(Say("station.photo_elsewhere", "file", p.Name, "item", string(item)))
		}
	})
}

// Photo returns the photo in view, if any.
func (i *Inspection) Photo() (qc.Photo, bool) { return i.draft.Finding.Photo(i.photo) }

// ShowPhoto brings a photo into view.
func (i *Inspection) ShowPhoto(id qc.PhotoID) {
	if _, ok := i.draft.Finding.Photo(id); ok && id != i.photo {
		i.photo, i.marks = id, nil
		i.changed()
	}
}

// NextPhoto brings the photo by places after the one in view, around the end.
func (i *Inspection) NextPhoto(by int) {
	photos := i.draft.Finding.Photos
	at := slices.IndexFunc(photos, func(p qc.Photo) bool { return p.ID == i.photo })
	if at < 0 {
		return
	}
	n := len(photos)
	i.ShowPhoto(photos[((at+by)%n+n)%n].ID)
}

// RemovePhoto takes a photo and the marks on it out of the finding.
func (i *Inspection) RemovePhoto(id qc.PhotoID) {
	i.step("", func(f *qc.Finding) {
		f.Photos = slices.DeleteFunc(f.Photos, func(p qc.Photo) bool { return p.ID == id })
		f.Marks = slices.DeleteFunc(f.Marks, func(m qc.Mark) bool { return m.Photo == id })
	})
}

// Nearby returns the photos beside the one in view: the next ones to be looked
// at.
func (i *Inspection) Nearby() []qc.Photo { return beside(i.draft.Finding.Photos, i.photo) }

// beside returns the photo after and the one before that with the id.
func beside(photos []qc.Photo, id qc.PhotoID) []qc.Photo {
	at, n := slices.IndexFunc(photos, func(p qc.Photo) bool { return p.ID == id }), len(photos)
	switch {
	case at < 0 || n < 2:
		return nil
	case n == 2:
		return []qc.Photo{photos[1-at]}
	}
	return []qc.Photo{photos[(at+1)%n], photos[(at+n-1)%n]}
}
