package local

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// fileState is one file of a finding that was recorded here.
type fileState struct {
	Bytes     int64  `json:"size"`
	MediaType string `json:"media_type"`
	Original  bool   `json:"original,omitempty"`
	Place     []byte `json:"place,omitempty"` // in the lanes while it waits; see laneKey
	Upload    string `json:"upload,omitempty"`
	Offset    int64  `json:"offset,omitempty"`
	Stored    bool   `json:"stored,omitempty"` // the centre has it
	Seq       uint64 `json:"seq"`              // the newest event that names it; 0: none here, it is carried for another station
}

// queue is the sum over what waits, kept up to date so that a status line never
// counts thousands of files.
type queue struct {
	Photos    int   `json:"photos"`    // originals that wait
	Total     int   `json:"total"`     // originals that came since none waited
	Bytes     int64 `json:"bytes"`     // of all files that wait, less what has been sent of them
	Attention int   `json:"attention"` // events that the centre refused
}

// Counts is what waits to be sent.
type Counts struct {
	EventsWaiting int // with those that are carried for other stations
	// PhotosWaiting and PhotosTotal count originals: those that wait, and all
	// that have joined since the queue was last empty ("5 of 9 sent").
	PhotosWaiting int
	PhotosTotal   int
	BytesWaiting  int64 // of events' files of every kind, not yet at the centre
	Attention     int   // events that the centre refused
}

// Counts returns what waits.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var counts Counts
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		state, err := getLog(tx)
		if err != nil {
			return err
		}
		var q queue
		if _, err := get(tx, inMeta, keyCounts, &q); err != nil {
			return err
		}
		counts = Counts{
			EventsWaiting: int(state.Last-state.Acked) + countCarried(tx),
			PhotosWaiting: q.Photos, PhotosTotal: q.Total, BytesWaiting: q.Bytes, Attention: q.Attention,
		}
		return nil
	})
	if err != nil {
		return Counts{}, fmt.Errorf("count what waits: %w", err)
	}
	return counts, nil
}

// parcel is one file as a finding asks for it.
type parcel struct {
	digest    qc.Digest
	bytes     int64
	mediaType string
	original  bool
	place     []byte
}

// parcels returns the files of a finding: the previews first, because the
// customer is told when they are there, then the thumbnails, then the originals.
func parcels(seq uint64, f qc.Finding) []parcel {
	urgency, lane := byte(1), qc.LaneOriginals
	if f.Verdict == qc.Flag {
		urgency, lane = 0, qc.LaneFlagged
	}
	var all []parcel
	add := func(p parcel, lane qc.Lane, urgency byte) {
		if p.digest == "" {
			return
		}
		p.place = laneKey(lane, urgency, seq, len(all))
		all = append(all, p)
	}
	const derived = "image/jpeg"
	for _, p := range f.Photos {
		add(parcel{digest: p.Preview.Digest, bytes: p.Preview.Bytes, mediaType: derived}, qc.LanePreview, urgency)
	}
	for _, p := range f.Photos {
		add(parcel{digest: p.Thumb.Digest, bytes: p.Thumb.Bytes, mediaType: derived}, qc.LanePreview, urgency)
	}
	for _, p := range f.Photos {
		add(parcel{digest: p.Digest, bytes: p.Bytes, mediaType: p.MediaType, original: true}, lane, 0)
	}
	return all
}

// laneKey is a place in the queue: lane, flags before passes, the order in which
// things were recorded, the order within a finding.
func laneKey(lane qc.Lane, urgency byte, seq uint64, n int) []byte {
	key := binary.BigEndian.AppendUint64([]byte{byte(lane), urgency}, seq)
	return binary.BigEndian.AppendUint32(key, uint32(n))
}

// enqueue adds a finding's files to the queue. One that the centre has, or that
// waits already at a more urgent place, stays as it is. With again, what the
// centre had counts for nothing.
func enqueue(tx *bbolt.Tx, seq uint64, f qc.Finding, again bool) error {
	return change(tx, func(q *queue) error {
		for _, p := range parcels(seq, f) {
			var file fileState
			known, err := get(tx, inFiles, []byte(p.digest), &file)
			if err != nil {
				return err
			}
			back := again && file.Stored
			stays := known && !back && (file.Stored || string(file.Place[:2]) <= string(p.place[:2]))
			switch {
			case back:
				file.Stored = false
				q.add(file)
			case !known:
				file = fileState{Bytes: p.bytes, MediaType: p.mediaType, Original: p.original}
				q.add(file)
			case !stays:
				if err := tx.Bucket(inLanes).Delete(file.Place); err != nil {
					return fmt.Errorf("move file %s: %w", p.digest, err)
				}
			}
			file.Seq = seq
			if !stays {
				file.Place = p.place
				if err := tx.Bucket(inLanes).Put(p.place, []byte(p.digest)); err != nil {
					return fmt.Errorf("queue file %s: %w", p.digest, err)
				}
			}
			if err := put(tx, inFiles, []byte(p.digest), file); err != nil {
				return err
			}
		}
		return nil
	})
}

// enqueueAgain puts the files of all events from the given one on back into the
// queue: the centre may have lost them. What it did not lose leaves the queue as
// soon as it is asked.
func enqueueAgain(tx *bbolt.Tx, from uint64) error {
	events := tx.Bucket(inEvents).Cursor()
	for key, sealed := events.Seek(eventKey(from)); key != nil; key, sealed = events.Next() {
		seq := binary.BigEndian.Uint64(key)
		var event qc.Event
		if err := json.Unmarshal(sealed, &event); err != nil {
			return damaged("event %d: %v", seq, err)
		}
		finding, err := findingIn(event.Kind, event.Data)
		if err != nil {
			return damaged("event %d: %v", seq, err)
		}
		if finding == nil {
			continue
		}
		if err := enqueue(tx, seq, *finding, true); err != nil {
			return err
		}
	}
	return nil
}

// change runs fn on the sums and stores them.
func change(tx *bbolt.Tx, fn func(*queue) error) error {
	var q, before queue
	if _, err := get(tx, inMeta, keyCounts, &q); err != nil {
		return err
	}
	before = q
	if err := fn(&q); err != nil {
		return err
	}
	if q == before {
		return nil
	}
	return put(tx, inMeta, keyCounts, q)
}

func (q *queue) add(file fileState) {
	q.Bytes += file.Bytes - file.Offset
	if !file.Original {
		return
	}
	if q.Photos == 0 {
		q.Total = 0
	}
	q.Photos++
	q.Total++
}

func (q *queue) remove(file fileState) {
	q.Bytes -= file.Bytes - file.Offset
	if file.Original {
		q.Photos--
	}
}

// PendingShipments returns at most limit files that wait, the most urgent first:
// by lane, flags before passes, then in the order of recording.
func (s *Store) PendingShipments(ctx context.Context, limit int) ([]qc.Shipment, error) {
	var pending []qc.Shipment
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		lanes := tx.Bucket(inLanes).Cursor()
		for place, digest := lanes.First(); place != nil && len(pending) < limit; place, digest = lanes.Next() {
			var file fileState
			if ok, err := get(tx, inFiles, digest, &file); err != nil || !ok {
				return fmt.Errorf("file %s waits: %w", digest, orDamaged(err))
			}
			pending = append(pending, qc.Shipment{
				Digest: qc.Digest(digest), Bytes: file.Bytes, MediaType: file.MediaType,
				Lane: qc.Lane(place[0]), Upload: file.Upload, Offset: file.Offset,
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list files to send: %w", err)
	}
	return pending, nil
}

func orDamaged(err error) error {
	if err == nil {
		return ErrDamaged
	}
	return err
}

// UploadProgress notes where an upload goes on after an interruption and how
// many bytes the centre has; an empty upload forgets it. It fails with
// [qc.ErrNotFound] for a file of no finding; one that is stored stays so.
func (s *Store) UploadProgress(ctx context.Context, d qc.Digest, upload string, offset int64) error {
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		return change(tx, func(q *queue) error {
			var file fileState
			if ok, err := get(tx, inFiles, []byte(d), &file); err != nil || !ok {
				return orNotFound(err)
			}
			if file.Stored {
				return nil
			}
			q.remove(file)
			total := q.Total
			file.Upload, file.Offset = upload, min(max(offset, 0), file.Bytes)
			q.add(file)
			q.Total = total // it did not leave the queue
			return put(tx, inFiles, []byte(d), file)
		})
	})
	if err != nil {
		return fmt.Errorf("note progress of file %s: %w", d, err)
	}
	return nil
}

func orNotFound(err error) error {
	if err == nil {
		return qc.ErrNotFound
	}
	return err
}

// Shipped notes that the centre has these files. Unknown ones are passed over.
func (s *Store) Shipped(ctx context.Context, ds ...qc.Digest) error {
	if len(ds) == 0 {
		return ctx.Err()
	}
	err := s.update(ctx, func(tx *bbolt.Tx) error { return markStored(tx, ds) })
	if err != nil {
		return fmt.Errorf("note %d files as stored: %w", len(ds), err)
	}
	return nil
}

func markStored(tx *bbolt.Tx, ds []qc.Digest) error {
	return change(tx, func(q *queue) error {
		for _, d := range ds {
			var file fileState
			if d == "" {
				continue
			}
			known, err := get(tx, inFiles, []byte(d), &file)
			if err != nil {
				return err
			}
			if !known || file.Stored {
				continue
			}
			if err := tx.Bucket(inLanes).Delete(file.Place); err != nil {
				return fmt.Errorf("take file %s out of the queue: %w", d, err)
			}
			q.remove(file)
			file.Stored, file.Place, file.Upload, file.Offset = true, nil, "", 0
			if file.Seq == 0 { // carried, and there: nothing here needs it any more
				if err := tx.Bucket(inFiles).Delete([]byte(d)); err != nil {
					return err
				}
				continue
			}
			if err := put(tx, inFiles, []byte(d), file); err != nil {
				return err
			}
		}
		return nil
	})
}
