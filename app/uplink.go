package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"time"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/sync/client"
	"flawmark/sync/outbox"
	"flawmark/sync/wire"
	"flawmark/ui/model"
)

// uplink is the station's way to its centre. A station that is not enrolled
// has none yet, and may be enrolled while everything runs.
type uplink struct {
	station *station

	mu     sync.Mutex
	client *client.Client // nil: not enrolled
}

var errNotEnrolled = errors.New("this station is not enrolled")

func newUplink(ctx context.Context, s *station) (*uplink, error) {
	u := &uplink{station: s}
	identity, enrolled, err := s.store.Identity(ctx)
	if err != nil || !enrolled {
		return u, err
	}
	if s.settings.Central == "" {
		s.settings.Central = identity.Centre
	}
	return u, u.connect(identity, s.settings.Central)
}

// connect makes the centre at address the one that is spoken to as identity.
func (u *uplink) connect(identity qc.Identity, address string) error {
	cfg, err := u.station.way(address)
	if err != nil {
		return err
	}
	cfg.Instance, cfg.Station, cfg.Key = identity.Instance, identity.Station, u.station.key
	c, err := newClient(cfg)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.client != nil {
		u.client.Close()
	}
	u.client = c
	return nil
}

// way says how a centre at address is reached and recognised.
func (s *station) way(address string) (client.Config, error) {
	cfg := client.Config{BaseURL: address, Pins: s.settings.Pins, Now: s.now, Log: s.log}
	var err error
	if cfg.RootCAs, err = s.settings.Authorities(); err != nil || s.settings.Proxy == "" {
		return cfg, err
	}
	cfg.Proxy, err = url.Parse(s.settings.Proxy)
	return cfg, err
}

func newClient(cfg client.Config) (*client.Client, error) {
	c, err := client.New(cfg)
	if errors.Is(err, client.ErrPlain) {
		return nil, &settings.Invalid{Key: "cli.setting_invalid", Setting: "--central", Value: cfg.BaseURL, Want: "https://qc.example.com", Cause: err}
	}
	return c, err
}

func (u *uplink) Close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.client != nil {
		u.client.Close()
	}
}

// now returns the centre's client, or says that there is none.
func (u *uplink) now() (*client.Client, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.client == nil {
		return nil, &wire.Failure{Kind: wire.Unauthorised, Op: "connect", Err: errNotEnrolled}
	}
	if u.station.key == nil { // no question that the centre could answer
		return nil, &wire.Failure{Kind: wire.Unauthorised, Op: "connect", Err: errKeyMissing, Sentence: saysKeyMissing}
	}
	return u.client, nil
}

func (u *uplink) Connect(ctx context.Context) error {
	c, err := u.now()
	if err != nil {
		return err
	}
	return c.Connect(ctx)
}

func (u *uplink) PushEvents(ctx context.Context, batch qc.Batch) (qc.Ack, error) {
	c, err := u.now()
	if err != nil {
		return qc.Ack{}, err
	}
	return c.PushEvents(ctx, batch)
}

// PushFor brings the centre what another station signed.
func (u *uplink) PushFor(ctx context.Context, batch qc.SignedBatch) (qc.Ack, error) {
	c, err := u.now()
	if err != nil {
		return qc.Ack{}, err
	}
	return c.PushFor(ctx, batch)
}

func (u *uplink) QueryBlobs(ctx context.Context, ds []qc.Digest) ([]qc.Digest, []qc.Shipment, error) {
	c, err := u.now()
	if err != nil {
		return nil, nil, err
	}
	return c.QueryBlobs(ctx, ds)
}

func (u *uplink) BeginUpload(ctx context.Context, s qc.Shipment) (string, int64, error) {
	c, err := u.now()
	if err != nil {
		return "", 0, err
	}
	return c.BeginUpload(ctx, s)
}

func (u *uplink) UploadOffset(ctx context.Context, upload string) (int64, error) {
	c, err := u.now()
	if err != nil {
		return 0, err
	}
	return c.UploadOffset(ctx, upload)
}

func (u *uplink) UploadChunk(ctx context.Context, upload string, source io.ReaderAt, offset, n int64) (int64, error) {
	c, err := u.now()
	if err != nil {
		return 0, err
	}
	return c.UploadChunk(ctx, upload, source, offset, n)
}

func (u *uplink) Changes(ctx context.Context, after qc.Cursor, limit int, wait time.Duration) (qc.Page, error) {
	c, err := u.now()
	if err != nil {
		return qc.Page{}, err
	}
	return c.Changes(ctx, after, limit, wait)
}

// FetchPhoto gets a small picture of another station's from the centre.
func (u *uplink) FetchPhoto(ctx context.Context, d qc.Digest) ([]byte, error) {
	c, err := u.now()
	if err != nil {
		return nil, err
	}
	return c.FetchPhoto(ctx, d)
}

// enrolAt makes the station known at the centre at address: it shows the code
// that an administrator must approve and waits until that has happened.
func (s *station) enrolAt(ctx context.Context, address, name string, show func(code string)) (qc.Identity, error) {
	identity, err := s.enrol(ctx, address, name, func(e client.Enrolment) { show(e.UserCode) })
	if err != nil && !errors.Is(err, context.Canceled) {
		return identity, command.Fail(enrolProblem(err), err, "address", address)
	}
	return identity, err
}

func (s *station) enrol(ctx context.Context, address, name string, show func(client.Enrolment)) (qc.Identity, error) {
	if s.key == nil {
		return qc.Identity{}, command.Fail(saysKeyMissing, errKeyMissing)
	}
	cfg, err := s.way(address)
	if err != nil {
		return qc.Identity{}, err
	}
	c, err := newClient(cfg)
	if err != nil {
		return qc.Identity{}, err
	}
	defer c.Close()
	identity, err := c.Enrol(ctx, name, s.key.Public().(ed25519.PublicKey), show)
	if err != nil {
		return qc.Identity{}, fmt.Errorf("enrol at %s: %w", address, err)
	}
	return identity, errors.Join(s.store.SetIdentity(ctx, identity), s.link.connect(identity, address))
}

// enrolDemo enrols at a demo centre, which approves by itself, as soon as that
// answers.
func (s *station) enrolDemo(ctx context.Context) error {
	for {
		_, enrolled, err := s.store.Identity(ctx)
		if err != nil || enrolled || s.settings.Central == "" {
			return err
		}
		if _, err := s.enrolAt(ctx, s.settings.Central, s.benchName(), func(string) {}); err == nil {
			s.engine.Kick()
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// benchName is what the station is called where nobody has named it.
func (s *station) benchName() string {
	if s.settings.Name != "" {
		return s.settings.Name
	}
	return "Bench 1"
}

// engineLink is the engine as [model.Engine].
type engineLink struct{ *station }

func (e engineLink) Link() model.Link {
	status := e.engine.Status()
	state := string(status.Link)
	if _, err := e.link.now(); errors.Is(err, errNotEnrolled) {
		state = string(outbox.NotEnrolled)
	}
	return model.Link{
		State: state, Since: status.Since, EventsWaiting: status.EventsWaiting,
		PhotosWaiting: status.PhotosWaiting, PhotosTotal: status.PhotosTotal,
		BytesPerSecond: status.BytesPerSecond, BytesWaiting: status.BytesWaiting,
		Paused: status.Paused, Problem: status.Problem,
	}
}

func (e engineLink) Watch() (<-chan struct{}, func()) { return e.engine.Watch() }

func (e engineLink) Kick() { e.engine.Kick() }

func (e engineLink) Retry() { e.engine.Retry() }

func (e engineLink) Pause() { e.engine.Pause() }

func (e engineLink) Resume() { e.engine.Resume() }
