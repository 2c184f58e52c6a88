package client

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"
)

// PushEvents sends a batch and returns what became of each of its events.
func (c *Client) PushEvents(ctx context.Context, batch qc.Batch) (qc.Ack, error) {
	const op = "push events"
	if len(c.cfg.Key) != ed25519.PrivateKeySize {
		return qc.Ack{}, &wire.Failure{Kind: wire.Unauthorised, Op: op, Err: errors.New("not enrolled")}
	}
	signed, err := Sign(c.cfg.Station, batch, c.cfg.Key)
	if err != nil {
		return qc.Ack{}, &wire.Failure{Kind: wire.Rejected, Op: op, Err: err}
	}
	return c.push(ctx, op, signed)
}

// PushFor brings the centre a batch of another station's log, as that station
// has signed it.
func (c *Client) PushFor(ctx context.Context, batch qc.SignedBatch) (qc.Ack, error) {
	return c.push(ctx, "push another station's events", batch)
}

// Sign makes a batch fit for travel: the signature is over the hash of its last
// event, and so over the whole chain behind it.
func Sign(station qc.StationID, batch qc.Batch, key ed25519.PrivateKey) (qc.SignedBatch, error) {
	head, err := headOf(batch)
	if err != nil {
		return qc.SignedBatch{}, err
	}
	signature := ed25519.Sign(key, wire.BatchMessage(batch.Epoch, head))
	return qc.SignedBatch{Station: station, Batch: batch, Signature: signature}, nil
}

// ErrSignature reports a batch that is not what its station has signed.
var ErrSignature = errors.New("batch is not as its station signed it")

// Verify fails with [ErrSignature] unless a batch is one unbroken chain under
// the signature of key.
func Verify(signed qc.SignedBatch, key ed25519.PublicKey) error {
	head := signed.Batch.Prev
	for i, sealed := range signed.Batch.Events {
		event, err := qc.OpenEvent(sealed, head)
		if err != nil || event.Seq != signed.Batch.First+uint64(i) {
			return fmt.Errorf("%w: event %d", ErrSignature, i)
		}
		head = event.Hash
	}
	if len(key) != ed25519.PublicKeySize || len(signed.Batch.Events) == 0 ||
		!ed25519.Verify(key, wire.BatchMessage(signed.Batch.Epoch, string(head)), signed.Signature) {
		return ErrSignature
	}
	return nil
}

func headOf(batch qc.Batch) (string, error) {
	var last struct {
		Hash qc.ChainHash `json:"hash"`
	}
	if len(batch.Events) == 0 || json.Unmarshal(batch.Events[len(batch.Events)-1], &last) != nil {
		return "", errors.New("a batch needs sealed events")
	}
	return string(last.Hash), nil
}

func (c *Client) push(ctx context.Context, op string, signed qc.SignedBatch) (qc.Ack, error) {
	sent := wire.Batch{
		Epoch: signed.Batch.Epoch, First: signed.Batch.First, Prev: string(signed.Batch.Prev), Signature: signed.Signature,
	}
	for _, sealed := range signed.Batch.Events {
		sent.Events = append(sent.Events, sealed)
	}
	if len(sent.Events) == 0 {
		return qc.Ack{}, &wire.Failure{Kind: wire.Rejected, Op: op, Err: errors.New("a batch needs sealed events")}
	}
	var answer wire.Ack
	path := "/v1/stations/" + url.PathEscape(string(signed.Station)) + "/events"
	err := c.do(ctx, call{op: op, method: http.MethodPost, path: path, in: sent, out: &answer})
	if err != nil {
		return qc.Ack{}, err
	}
	ack, err := readAck(answer, len(sent.Events))
	if err != nil {
		return qc.Ack{}, garbled(op, err)
	}
	return ack, nil
}

func (c *Client) own(rest string) string {
	return "/v1/stations/" + url.PathEscape(string(c.cfg.Station)) + "/" + rest
}

// QueryBlobs returns which of the files the centre has, and which it has in
// part (Digest, Upload and Offset are set). The rest it wants.
func (c *Client) QueryBlobs(ctx context.Context, digests []qc.Digest) (have []qc.Digest, partial []qc.Shipment, err error) {
	query := wire.BlobQuery{SHA256: make([]string, 0, len(digests))}
	for _, digest := range digests {
		query.SHA256 = append(query.SHA256, string(digest))
	}
	var answer wire.BlobAnswer
	if err := c.do(ctx, call{op: "query blobs", method: http.MethodPost, path: "/v1/blobs:query", in: query, out: &answer}); err != nil {
		return nil, nil, err
	}
	for _, text := range answer.Have {
		have = append(have, qc.Digest(text))
	}
	for _, blob := range answer.Partial {
		partial = append(partial, qc.Shipment{Digest: qc.Digest(blob.SHA256), Upload: blob.URL, Offset: blob.Offset})
	}
	return have, partial, nil
}

// Changes returns what happened after a cursor, waiting up to wait for it.
func (c *Client) Changes(ctx context.Context, after qc.Cursor, limit int, wait time.Duration) (qc.Page, error) {
	query := url.Values{
		"after": {after.String()}, "limit": {strconv.Itoa(limit)}, "wait": {strconv.Itoa(int(min(wait, wire.MaxWait) / time.Second))},
	}
	const op = "follow changes"
	var answer page
	err := c.do(ctx, call{op: op, method: http.MethodGet, path: c.own("changes?" + query.Encode()), out: &answer, once: true, most: largestPage})
	if err != nil {
		return qc.Page{}, err
	}
	read, err := readPage(answer, after, limit)
	if err != nil {
		return qc.Page{}, garbled(op, err)
	}
	return read, nil
}

// BeginUpload announces a file and returns where its bytes go and how many are
// there already. Announcing the same file again continues the same upload.
func (c *Client) BeginUpload(ctx context.Context, shipment qc.Shipment) (upload string, offset int64, err error) {
	const op = "begin upload"
	metadata := "sha256 " + encodeMetadata(string(shipment.Digest)) + ",lane " + encodeMetadata(strconv.Itoa(int(shipment.Lane)))
	if shipment.MediaType != "" {
		metadata += ",filetype " + encodeMetadata(shipment.MediaType)
	}
	err = c.tus(ctx, op, http.MethodPost, "/v1/uploads", func(req *http.Request) {
		req.Header.Set("Upload-Length", strconv.FormatInt(shipment.Bytes, 10))
		req.Header.Set("Upload-Metadata", metadata)
	}, func(resp *http.Response) error {
		location, err := url.Parse(resp.Header.Get("Location"))
		if err != nil || location.Path == "" || resp.StatusCode != http.StatusCreated {
			return fmt.Errorf("no upload in the answer")
		}
		upload = location.Path
		if _, err := c.resolve(upload); err != nil {
			return err
		}
		offset, err = strconv.ParseInt(resp.Header.Get("Upload-Offset"), 10, 64)
		if err != nil { // a server that does not say: ask it
			offset = 0
		}
		if offset < 0 || offset > shipment.Bytes {
			return fmt.Errorf("offset %d of %d bytes", offset, shipment.Bytes)
		}
		return nil
	})
	return upload, offset, err
}

// UploadOffset asks how far an upload is. An upload that is no more is a
// failure whose problem is [wire.NotFound], or of kind [wire.Rejected].
func (c *Client) UploadOffset(ctx context.Context, upload string) (offset int64, err error) {
	err = c.tus(ctx, "ask for the offset", http.MethodHead, upload, nil, func(resp *http.Response) error {
		offset, err = readOffset(resp)
		return err
	})
	return offset, err
}

// UploadChunk sends n bytes of source from offset and returns how far the
// upload is. It is one try: after a failure only [Client.UploadOffset] knows.
func (c *Client) UploadChunk(ctx context.Context, upload string, source io.ReaderAt, offset, n int64) (after int64, err error) {
	const op = "upload"
	err = c.authorised(ctx, false, op, func(token string) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		watched := c.watch(io.NewSectionReader(source, offset, n), cancel)
		defer watched.stop()
		req, err := http.NewRequestWithContext(ctx, http.MethodPatch, c.base.String(), io.NopCloser(watched))
		if err != nil {
			return &wire.Failure{Kind: wire.Rejected, Op: op, Err: err}
		}
		if err := c.aim(req, upload, token); err != nil {
			return &wire.Failure{Kind: wire.Rejected, Op: op, Err: err}
		}
		req.ContentLength = n
		req.Header.Set("Tus-Resumable", wire.TusVersion)
		req.Header.Set("Content-Type", wire.ChunkType)
		req.Header.Set("Upload-Offset", strconv.FormatInt(offset, 10))
		resp, err := c.uploads.Do(req)
		if err != nil {
			return c.failure(ctx, op, err)
		}
		defer drain(resp)
		if err := c.check(op, resp); err != nil {
			return err
		}
		if after, err = readOffset(resp); err != nil {
			return &wire.Failure{Kind: wire.WrongNetwork, Op: op, Err: err}
		}
		if after < offset || after > offset+n { // not what we sent
			return garbled(op, fmt.Errorf("offset %d after %d bytes at %d", after, n, offset))
		}
		return nil
	})
	return after, err
}

// largestFetch is far above any preview or listing photo.
const largestFetch = 64 << 20

// FetchPhoto returns a file that the centre has, such as the preview of
// another station's finding or a listing photo, checked against its digest.
func (c *Client) FetchPhoto(ctx context.Context, digest qc.Digest) ([]byte, error) {
	const op, limit = "fetch photo", int64(largestFetch)
	var data []byte
	ctx = context.WithValue(ctx, patienceKey{}, 30*time.Minute) // of any size up to the limit
	err := c.request(ctx, op, http.MethodGet, "/v1/photos/"+string(digest), nil, func(resp *http.Response, cancel context.CancelCauseFunc) error {
		watched := c.watch(resp.Body, cancel)
		defer watched.stop()
		var err error
		data, err = io.ReadAll(io.LimitReader(watched, limit+1))
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, &wire.Failure{Kind: wire.Oversized, Op: op}
	case qc.DigestOf(data) != digest:
		return nil, &wire.Failure{Kind: wire.Retry, Op: op, Err: errors.New("the file is not what its digest says")}
	}
	return data, nil
}

// tus performs a repeatable request of the upload protocol.
func (c *Client) tus(ctx context.Context, op, method, path string, prepare func(*http.Request), read func(*http.Response) error) error {
	return c.request(ctx, op, method, path, func(req *http.Request) {
		req.Header.Set("Tus-Resumable", wire.TusVersion)
		if prepare != nil {
			prepare(req)
		}
	}, func(resp *http.Response, _ context.CancelCauseFunc) error {
		if resp.Header.Get("Tus-Resumable") == "" {
			return &wire.Failure{Kind: wire.WrongNetwork, Op: op}
		}
		if err := read(resp); err != nil {
			return &wire.Failure{Kind: wire.WrongNetwork, Op: op, Err: err}
		}
		return nil
	})
}

func readOffset(resp *http.Response) (int64, error) {
	offset, err := strconv.ParseInt(resp.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || offset < 0 || resp.Header.Get("Tus-Resumable") == "" {
		return 0, errors.New("no offset in the answer")
	}
	return offset, nil
}
