package journey

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/qc"
	"flawmark/storage/blob"
	"flawmark/storage/storagetest"
	"flawmark/sync/intake"
)

// TestDrillCentres_SeesAHastyCentre plants the fault that the rig is for: a centre
// acknowledges what it has only in its memory, and is killed. The balancer sees
// that less is known of the upload than before; of sound centres it does not.
func TestDrillCentres_SeesAHastyCentre(t *testing.T) {
	rig := drill.Begin(t, "centres", drill.Sizes{Test: 1, Short: 1, Long: 1})
	store := storagetest.StartS3(t)
	for name, hasty := range map[string]bool{"sound": false, "hasty": true} {
		t.Run(name, func(t *testing.T) {
			site := newDrillSite(t, rig, inMemory)
			bucket, err := blob.OpenBucket(t.Context(), blob.BucketConfig{
				URL: store.Bucket(t), AccessKey: store.AccessKey, SecretKey: store.SecretKey, Scratch: t.TempDir(),
			})
			if err != nil {
				t.Fatal(err)
			}
			first, second := site.door(t, bucket, hasty), site.door(t, bucket, hasty)
			front := newBalancer(t, host(first), host(second))
			station := site.enrolStation(t, front.server.URL, nil)

			data := bytes.Repeat([]byte("photo "), 1000)
			until(t, "the first centre to be ready", func() bool { return front.isUp(host(first)) && front.isUp(host(second)) })
			front.only(host(first))
			upload, _, err := station.remote.BeginUpload(t.Context(), qc.Shipment{Digest: qc.DigestOf(data), Bytes: int64(len(data)), MediaType: "image/jpeg"})
			if err != nil {
				t.Fatal(err)
			}
			after, err := station.remote.UploadChunk(t.Context(), upload, bytes.NewReader(data), 0, 3000)
			if after != 3000 || err != nil {
				t.Fatalf("acknowledged %d, %v", after, err)
			}
			first.CloseClientConnections()
			first.Close()
			front.only(host(second))
			if _, err := station.remote.UploadOffset(t.Context(), upload); err != nil {
				t.Fatal(err)
			}
			if back := front.wentBack(); (len(back) > 0) != hasty {
				t.Errorf("the balancer saw %q", back)
			}
		})
	}
}

func host(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

// only has the balancer send everything to one centre.
func (b *balancer) only(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.behind = []string{host}
}

// door is another centre on the site's database, with its photos in a bucket.
func (s *drillSite) door(t *testing.T, bucket *blob.Bucket, hasty bool) *httptest.Server {
	t.Helper()
	secret, err := s.store.Secret(t.Context(), "station tokens")
	if err != nil {
		t.Fatal(err)
	}
	memory := &memory{held: make(map[string][]byte)}
	handler, err := intake.New(intake.Config{
		Centre: drillDoor{s.store, func(string) error { return nil }},
		Stage: func(id string) (intake.Staged, error) {
			staged, err := bucket.Stage(id)
			if err == nil && hasty {
				return hastyUpload{staged, id, memory}, nil
			}
			return staged, err
		},
		Open:     func(d qc.Digest) (intake.File, error) { return bucket.Open(d) },
		Refusals: drillRefusals(), Instance: s.store.Instance(), Secret: secret, Now: time.Now, Log: s.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	routes := http.NewServeMux()
	routes.Handle("/", handler)
	routes.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(routes)
	t.Cleanup(server.Close)
	return server
}

// hastyUpload says that it has what only this process has.
type hastyUpload struct {
	intake.Staged
	id string
	*memory
}

type memory struct {
	mu   sync.Mutex
	held map[string][]byte
}

func (h hastyUpload) Size() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.Staged.Size() + int64(len(h.held[h.id]))
}

func (h hastyUpload) Append(_ context.Context, r io.Reader, limit int64) (int64, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held[h.id] = append(h.held[h.id], data...)
	return int64(len(data)), err
}
