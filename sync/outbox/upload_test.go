package outbox_test

import (
	"bytes"
	"testing"
	"testing/synctest"

	"flawmark/app/qc"
	"flawmark/sync/intake"
)

// TestWholeIsNotShipped meets a centre that has every byte of a file but could
// not publish it: only an answer to a part, or the centre's list, may count.
func TestWholeIsNotShipped(t *testing.T) {
	for name, begun := range map[string]bool{"known here": true, "announced again": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, c := newMemory(), newCentre()
				data := photo(1, 80_000)
				d := m.photo(data, qc.LaneFlagged)
				id := "u-" + string(d)
				c.Uploads[id] = intake.Upload{ID: id, Station: "s1", Digest: d, Length: int64(len(data))}
				c.Partial[id] = bytes.Clone(data)
				if begun {
					if err := m.UploadProgress(t.Context(), d, id, 10); err != nil {
						t.Fatal(err)
					}
				}
				if err := m.engine(direct{c.Centre}).Once(t.Context()); err != nil {
					t.Fatal(err)
				}
				wantAll(t, m, c.Centre)
				if m.shipped[d] == 0 {
					t.Error("not noted as sent")
				}
			})
		})
	}
}
