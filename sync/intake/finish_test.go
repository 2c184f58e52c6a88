package intake_test

import (
	"context"
	"errors"
	"testing"

	"flawmark/app/qc"
	"flawmark/sync/intake"
)

// stubborn is a folder that cannot publish for a while.
type stubborn struct {
	intake.Staged
	fails *bool
}

func (s stubborn) Publish(ctx context.Context, want qc.Digest) (int64, error) {
	if *s.fails {
		return 0, errors.New("the disk is full")
	}
	return s.Staged.Publish(ctx, want)
}

// TestTus_PublishesWhatIsWhole has all bytes arrive while the centre cannot
// finish: every later request about the upload must.
func TestTus_PublishesWhatIsWhole(t *testing.T) {
	data := []byte("all of it is there")
	digest := qc.DigestOf(data)
	for name, ask := range map[string]func(d *door, place string) (status int){
		"head":         func(d *door, place string) int { resp, _ := d.ask("HEAD", place, nil, tus); return resp.StatusCode },
		"post":         func(d *door, place string) int { d.create(data, digest); return 0 },
		"empty patch":  func(d *door, place string) int { return d.patch(place, len(data), nil).StatusCode },
		"repeat patch": func(d *door, place string) int { return d.patch(place, 0, data).StatusCode },
	} {
		t.Run(name, func(t *testing.T) {
			fails := true
			d := open(t, func(cfg *intake.Config) {
				stage := cfg.Stage
				cfg.Stage = func(id string) (intake.Staged, error) {
					staged, err := stage(id)
					return stubborn{staged, &fails}, err
				}
			})
			place := d.create(data, digest)
			if resp := d.patch(place, 0, data); resp.StatusCode != 500 {
				t.Fatalf("a file that cannot be published: %d", resp.StatusCode)
			}
			if resp, _ := d.ask("HEAD", place, nil, tus); resp.StatusCode != 500 {
				t.Errorf("still not published, and the answer is %d", resp.StatusCode)
			}
			fails = false
			status := ask(d, place)
			d.centre.Lock()
			defer d.centre.Unlock()
			if d.centre.Stored[digest] != 1 || len(d.centre.Uploads) != 0 {
				t.Errorf("status %d: stored %d times, %d uploads left", status, d.centre.Stored[digest], len(d.centre.Uploads))
			}
		})
	}
}
