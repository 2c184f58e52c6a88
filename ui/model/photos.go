package model

import (
	"context"
	"fmt"
	"slices"

	"flawmark/app/qc"
)

// AddPhoto adds an original to the open item. The bytes are kept as they are.
func (i *Inspection) AddPhoto(name string, data []byte) {
	i.AddPhotoFrom(name, func() ([]byte, error) { return data, nil })
}

// AddPhotoFrom is AddPhoto for bytes that must still be read; read is called
// off the window's goroutine.
func (i *Inspection) AddPhotoFrom(name string, read func() ([]byte, error)) {
	if i.item.ID == "" {
		i.notices.Warn(Say("station.photo_without_item"))
		return
	}
	if i.recording {
		i.notices.Warn(Say("station.recording"))
		return
	}
	finding, item := i.draft.Finding.ID, i.item.ID
	i.arriving++
	i.changed()
	i.parts.Work.Do(LanePhoto, func(ctx context.Context) func() {
		added, err := i.ingest(ctx, name, read)
		return func() { i.arrived(finding, item, name, added, err) }
	})
}

// Arriving returns how many photos are still being read.
func (i *Inspection) Arriving() int { return i.arriving }

func (i *Inspection) ingest(ctx context.Context, name string, read func() ([]byte, error)) (qc.Photo, error) {
	data, err := read()
	if err != nil {
		return qc.Photo{}, fmt.Errorf("read photo %s: %w", name, err)
	}
	developed, err := i.parts.Develop(data)
	if err != nil {
		return qc.Photo{}, fmt.Errorf("develop photo %s: %w", name, err)
	}
	return keep(ctx, i.parts.Blobs, qc.PhotoID(i.parts.NewID()), name, data, developed, i.parts.Now())
}

func (i *Inspection) arrived(finding qc.FindingID, item qc.ItemID, name string, p qc.Photo, err error) {
	here := i.draft.Finding.ID == finding
	if here && i.arriving > 0 {
		i.arriving--
	}
	switch {
	case err != nil:
		i.notices.fail("add photo", err, "file", name)
	case !here:
		i.addToDraft(finding, item, p)
	case slices.ContainsFunc(i.draft.Finding.Photos, func(q qc.Photo) bool { return q.Digest == p.Digest }):
		i.notices.Warn(Say("station.photo_twice", "file", name))
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
