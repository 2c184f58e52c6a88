package journey

import (
	"bytes"
	"context"
	"errors"
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
	"flawmark/sync/wire"
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

// TestDrillCentres_NewerRequestGoesOn has a request hang at one centre, as after a
// lost connection, while a newer one about the same upload comes to another. The
// newer one does not wait; what the older one brings late is told where the upload
// stands, and changes nothing.
func TestDrillCentres_NewerRequestGoesOn(t *testing.T) {
	rig := drill.Begin(t, "centres", drill.Sizes{Test: 1, Short: 1, Long: 1})
	store := storagetest.StartS3(t)
	site, address := newDrillSite(t, rig, inMemory), store.Bucket(t)
	var doors []string
	var buckets []*blob.Bucket
	for range 2 {
		bucket, err := blob.OpenBucket(t.Context(), blob.BucketConfig{
			URL: address, AccessKey: store.AccessKey, SecretKey: store.SecretKey, Scratch: t.TempDir(),
		})
		if err != nil {
			t.Fatal(err)
		}
		buckets, doors = append(buckets, bucket), append(doors, host(site.door(t, bucket, false)))
	}
	front := newBalancer(t, doors...)
	station := site.enrolStation(t, front.server.URL, nil)
	data := bytes.Repeat([]byte("photo "), 1000)
	front.only(doors[0])
	upload, _, err := station.remote.BeginUpload(t.Context(), qc.Shipment{Digest: qc.DigestOf(data), Bytes: int64(len(data)), MediaType: "image/jpeg"})
	if err != nil {
		t.Fatal(err)
	}
	hanging := &halfway{data: data, reached: make(chan struct{}), goOn: make(chan struct{})}
	older, before := make(chan error, 1), front.sentTo(doors[0])
	go func() {
		_, err := station.remote.UploadChunk(t.Context(), upload, hanging, 0, int64(len(data)))
		older <- err
	}()
	<-hanging.reached
	until(t, "the older request to come to its centre", func() bool { return front.sentTo(doors[0]) > before })

	front.only(doors[1])
	begun := time.Now()
	offset, err := station.remote.UploadOffset(t.Context(), upload)
	if err != nil {
		t.Fatal(err)
	}
	if after, err := station.remote.UploadChunk(t.Context(), upload, bytes.NewReader(data), offset, 4000-offset); after != 4000 || err != nil {
		t.Fatalf("the newer request: %d, %v", after, err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("the newer request waited %v for the older one", took)
	}
	close(hanging.goOn)
	failure, ok := errors.AsType[*wire.Failure](<-older)
	if !ok || !failure.Says(wire.OffsetConflict) || failure.Problem.Offset != 4000 {
		t.Errorf("the older request: %v", failure)
	}
	if after, err := station.remote.UploadChunk(t.Context(), upload, bytes.NewReader(data), 4000, 2000); after != 6000 || err != nil {
		t.Fatalf("the end: %d, %v", after, err)
	}
	if err := buckets[0].Verify(t.Context(), qc.DigestOf(data)); err != nil {
		t.Error(err)
	}
	if back := front.wentBack(); len(back) > 0 {
		t.Errorf("the balancer saw %q", back)
	}
}

// halfway gives the first half of what it has, and the rest when it is told to.
type halfway struct {
	data          []byte
	once          sync.Once
	reached, goOn chan struct{}
}

func (h *halfway) ReadAt(p []byte, off int64) (int, error) {
	half := int64(len(h.data) / 2)
	if off < half {
		return bytes.NewReader(h.data[:half]).ReadAt(p[:min(int64(len(p)), half-off)], off)
	}
	h.once.Do(func() { close(h.reached) })
	<-h.goOn
	return bytes.NewReader(h.data).ReadAt(p, off)
}
