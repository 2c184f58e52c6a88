package model

import (
	"context"
	"fmt"
	"time"

	"flawmark/app/qc"

	"github.com/google/uuid"
)

// KeepPhoto develops an original's bytes and keeps them with their renditions,
// the files before the photo that names them. It is what the window does with
// a photo, for commands without one.
func KeepPhoto(ctx context.Context, blobs Blobs, name string, data []byte, at time.Time) (qc.Photo, error) {
	developed, err := develop(data)
	if err != nil {
		return qc.Photo{}, fmt.Errorf("develop photo %s: %w", name, err)
	}
	id := qc.PhotoID(uuid.Must(uuid.NewV7()).String())
	return keep(ctx, blobs, id, name, data, developed, at)
}

// PhotoProblem returns the key of the sentence that says why a file was not
// taken as a photo.
func PhotoProblem(err error) string {
	if key := errorKey(err); key != "" {
		return key
	}
	return "error.unexpected"
}

func keep(ctx context.Context, blobs Blobs, id qc.PhotoID, name string, data []byte, d Developed, at time.Time) (qc.Photo, error) {
	p := qc.Photo{
		ID: id, Bytes: int64(len(data)), MediaType: string(d.Info.Kind),
		Width: d.Info.Width, Height: d.Info.Height, Name: name, CapturedAt: d.Info.CapturedAt, ReceivedAt: at,
		Preview: qc.Derivative{Bytes: int64(len(d.Preview.Data)), Width: d.Preview.Width, Height: d.Preview.Height},
		Thumb:   qc.Derivative{Bytes: int64(len(d.Thumb.Data)), Width: d.Thumb.Width, Height: d.Thumb.Height},
	}
	// The files first: a photo in a draft must never point at nothing.
	for _, file := range []struct {
		digest *qc.Digest
		data   []byte
	}{{&p.Digest, data}, {&p.Preview.Digest, d.Preview.Data}, {&p.Thumb.Digest, d.Thumb.Data}} {
		var err error
		if *file.digest, err = blobs.PutBytes(ctx, file.data); err != nil {
			return qc.Photo{}, fmt.Errorf("keep photo %s: %w", name, err)
		}
	}
	return p, nil
}
