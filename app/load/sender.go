package load

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"flawmark/app/qc"
	"flawmark/sync/client"
)

// Sender is a station as the centre sees it: admitted, signing, with a log that
// has no gaps. It keeps nothing.
type Sender struct {
	ID     qc.StationID
	remote *client.Client

	mu    sync.Mutex // the log is a chain: one batch at a time
	epoch string
	next  uint64
	head  qc.ChainHash
}

// Admit has a new station admitted by the centre's administrator. transport is
// its way to the centre; nil: the network as it is.
func (c *Centre) Admit(ctx context.Context, name string, transport http.RoundTripper) (*Sender, error) {
	identity, err := c.admit(ctx, name)
	if err != nil {
		return nil, err
	}
	remote, err := identity.connect(c.URL, transport)
	if err != nil {
		return nil, err
	}
	return &Sender{ID: identity.station, remote: remote, epoch: uuid.NewString(), next: 1, head: qc.ChainStart}, nil
}

// identity is what a station has once it is admitted.
type identity struct {
	station  qc.StationID
	instance string
	key      ed25519.PrivateKey
}

func (c *Centre) admit(ctx context.Context, name string) (identity, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return identity{}, fmt.Errorf("admit %s: %w", name, err)
	}
	stranger, err := client.New(client.Config{BaseURL: c.URL, Key: private, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return identity{}, fmt.Errorf("admit %s: %w", name, err)
	}
	defer stranger.Close()
	asked, err := stranger.BeginEnrolment(ctx, name, public)
	if err != nil {
		return identity{}, fmt.Errorf("admit %s: %w", name, err)
	}
	if _, err := c.Admin(ctx, "station", "approve", asked.UserCode); err != nil {
		return identity{}, err
	}
	station, instance, err := stranger.PollEnrolment(ctx, asked.DeviceCode)
	if err != nil {
		return identity{}, fmt.Errorf("admit %s: %w", name, err)
	}
	return identity{station: station, instance: instance, key: private}, nil
}

func (i identity) connect(address string, transport http.RoundTripper) (*client.Client, error) {
	remote, err := client.New(client.Config{
		BaseURL: address, Instance: i.instance, Station: i.station, Key: i.key,
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Transport: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("connect %s: %w", i.station, err)
	}
	return remote, nil
}

// Close ends its connections.
func (s *Sender) Close() { s.remote.Close() }

// Flag sends the finding of a stain on an item with the given photos.
func (s *Sender) Flag(ctx context.Context, item qc.Item, photos ...qc.Photo) (qc.FindingID, error) {
	return s.send(ctx, s.finding(item, qc.Flag, photos))
}

// Pass sends the finding of an item without a flaw.
func (s *Sender) Pass(ctx context.Context, item qc.Item, photos ...qc.Photo) (qc.FindingID, error) {
	return s.send(ctx, s.finding(item, qc.Pass, photos))
}

func (s *Sender) finding(item qc.Item, verdict qc.Verdict, photos []qc.Photo) qc.Finding {
	return finding(s.ID, item, verdict, photos)
}

// finding is one of [Inspector], recorded now.
func finding(station qc.StationID, item qc.Item, verdict qc.Verdict, photos []qc.Photo) qc.Finding {
	f := qc.Finding{
		ID: qc.FindingID(uuid.NewString()), Revision: 1, Item: item.ID, Order: item.Order, Round: item.Round, Verdict: verdict,
		Inspector: Inspector, Station: station, RecordedAt: time.Now(), Photos: photos,
	}
	if verdict == qc.Flag {
		f.Flaws = []qc.Flaw{{ID: "f1", Code: "F04", Severity: qc.Minor, Zone: qc.ZoneA, Quantity: 1}}
	}
	return f
}

// send pushes one event and fails unless the centre has applied it.
func (s *Sender) send(ctx context.Context, f qc.Finding) (qc.FindingID, error) {
	data, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("send finding: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := qc.Event{
		Seq: s.next, ID: uuid.Must(uuid.NewV7()).String(), Kind: qc.FindingRecorded, Version: 1, By: Inspector, At: f.RecordedAt, Data: data,
	}
	sealed, err := qc.Seal(&e, s.head)
	if err != nil {
		return "", fmt.Errorf("send finding: %w", err)
	}
	ack, err := s.remote.PushEvents(ctx, qc.Batch{Epoch: s.epoch, First: s.next, Prev: s.head, Events: [][]byte{sealed}})
	if err != nil {
		return "", fmt.Errorf("send finding: %w", err)
	}
	s.next, s.head = s.next+1, e.Hash
	for _, receipt := range ack.Receipts {
		if receipt.Status != qc.Applied {
			return "", fmt.Errorf("send finding %s: %s: %s", f.ID, receipt.Status, receipt.Problem)
		}
	}
	return f.ID, nil
}

// chunk is what stations send of a file at a time on a good network.
const chunk = 8 << 20

// Photograph uploads previews that stand for all photos of a load, and returns
// the photo that has them: a finding with it reaches its customer at once.
func (s *Sender) Photograph(ctx context.Context) (qc.Photo, error) {
	p := qc.Photo{ID: "p1", Bytes: 4e6, MediaType: "image/jpeg", Width: 4240, Height: 2832, ReceivedAt: time.Now()}
	for _, file := range []struct {
		size   int
		digest *qc.Digest
		bytes  *int64
	}{{4e6, &p.Digest, &p.Bytes}, {300e3, &p.Preview.Digest, &p.Preview.Bytes}, {20e3, &p.Thumb.Digest, &p.Thumb.Bytes}} {
		made, err := newNoise(file.size)
		if err != nil {
			return qc.Photo{}, err
		}
		digest, data := made.file()
		if err := s.Upload(ctx, digest, data); err != nil {
			return qc.Photo{}, err
		}
		*file.digest, *file.bytes = digest, int64(file.size)
	}
	p.Preview.Width, p.Preview.Height, p.Thumb.Width, p.Thumb.Height = 1920, 1282, 256, 171
	return p, nil
}

// Upload sends a file that the centre lacks.
func (s *Sender) Upload(ctx context.Context, digest qc.Digest, data []byte) error {
	upload, offset, err := s.remote.BeginUpload(ctx, qc.Shipment{Digest: digest, Bytes: int64(len(data)), MediaType: "image/jpeg"})
	for err == nil && offset < int64(len(data)) {
		offset, err = s.remote.UploadChunk(ctx, upload, bytes.NewReader(data), offset, min(chunk, int64(len(data))-offset))
	}
	if err != nil {
		return fmt.Errorf("upload %s: %w", digest, err)
	}
	return nil
}
