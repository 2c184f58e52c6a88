package blob

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"flawmark/app/qc"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// What can go wrong with a [Bucket] beside what can with a folder.
var (
	// ErrAway: the object store does not answer, or not in time. Nothing that was
	// not stored has been said to be; it may be tried again.
	ErrAway = errors.New("object store does not answer")
	// ErrBucket: the address is wrong, the store does not let us in, there is no
	// such bucket, or it cannot keep the promises of this package.
	ErrBucket = errors.New("bucket cannot be used")
)

const (
	// markObject is what the first centre leaves in a bucket, and how it is found
	// out whether the store keeps what is there.
	markObject = "flawmark"
	markText   = "Photo files of a Flawmark centre, each named by its SHA-256.\n"
	// pieceSize is how much of an upload is one object while it is on its way:
	// what a cut costs at most, and what it takes of the memory.
	pieceSize = 4 << 20
	// mostPieces are held in memory at a time; further senders wait.
	mostPieces = 24
	// tries of a request whose answer never came, or half.
	tries = 3
	// A request may take answerTime, and beyond that as long as its bytes do at
	// slowest, in bytes a second.
	answerTime = 30 * time.Second
	slowest    = 128 << 10
)

// BucketConfig says where a bucket is and who asks.
type BucketConfig struct {
	// URL is s3://bucket/folder?endpoint=https://host:port&region=name or
	// https://host:port/bucket/folder?region=name; folder and region may be left
	// out, the endpoint for Amazon's own. It holds no secret.
	URL                  string
	AccessKey, SecretKey string
	// Roots are the authorities that vouch for the store; nil: the system's.
	Roots *x509.CertPool
	// Scratch is a folder for what has to be hashed before it can be named; it
	// is made when missing. What a crash leaves there goes with [Bucket.Sweep].
	Scratch string
	// Transport is what the requests go through; nil: one with deadlines.
	Transport http.RoundTripper
}

// Bucket keeps photo files in an object store that speaks S3. Several processes
// on several machines may share it. It is laid out as
//
//	ab/<sha256>             files, immutable
//	staged/<id>/<offset>    pieces of uploads in progress
//	flawmark                what tells people, and us, whose bucket it is
//
// Nothing is ever written over: objects are made under the condition that there
// is none of that name, so that of two centres that go on with the same upload
// one is first and the other hears of it. Each goes with its SHA-256, which the
// store checks before it takes it.
type Bucket struct {
	core    *minio.Core
	name    string
	prefix  string
	scratch string
	life    context.Context //nolint:containedctx // ends requests that have none of their own, with Close
	end     context.CancelFunc
	pieces  chan struct{}
	windows *windows
	answer  time.Duration // see answerTime

	mu     sync.Mutex
	staged map[string]bool // uploads that are open here
}

// OpenBucket opens a bucket, after a look whether it is there, lets us in and
// refuses to write over what it holds. It fails with [ErrBucket] or [ErrAway].
func OpenBucket(ctx context.Context, c BucketConfig) (*Bucket, error) {
	at, err := ParseBucketURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	if err := os.MkdirAll(c.Scratch, dirMode); err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	core, err := minio.NewCore(at.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""), Secure: at.Secure, Region: at.Region,
		Transport: c.transport(), MaxRetries: tries,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w: address", ErrBucket)
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	b := &Bucket{
		core: core, name: at.Bucket, prefix: at.Folder, scratch: c.Scratch, life: life, end: end,
		pieces: make(chan struct{}, mostPieces), windows: newWindows(), answer: answerTime, staged: make(map[string]bool),
	}
	if err := b.prove(ctx); err != nil {
		end()
		return nil, fmt.Errorf("open bucket %s: %w", at.Bucket, err)
	}
	return b, nil
}

// transport has a limit for everything in which nothing moves.
func (c BucketConfig) transport() http.RoundTripper {
	if c.Transport != nil {
		return c.Transport
	}
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // the standard library's own
	t.DialContext = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	t.TLSHandshakeTimeout, t.ResponseHeaderTimeout = 5*time.Second, answerTime
	t.MaxIdleConnsPerHost, t.IdleConnTimeout = mostPieces, time.Minute
	t.DisableCompression = true // photos do not shrink, and a range is a range of what is stored
	if c.Roots != nil {
		t.TLSClientConfig.RootCAs = c.Roots
	}
	return t
}

// prove leaves the mark and sees to it that a second one is refused: on a store
// that ignores the condition, two centres would write over each other.
func (b *Bucket) prove(ctx context.Context) error {
	for range 2 {
		err := b.create(ctx, b.prefix+markObject, strings.NewReader(markText), int64(len(markText)), qc.DigestOf([]byte(markText)), "")
		if errors.Is(err, errTaken) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: the store writes over what is there (it ignores If-None-Match)", ErrBucket)
}

// BucketURL is where a bucket is.
type BucketURL struct {
	Endpoint string // host and port
	Secure   bool
	Bucket   string
	Folder   string // empty, or ends with a slash
	Region   string
}

// ParseBucketURL reads the address of a bucket, as [BucketConfig] has it, or
// fails with [ErrBucket]. An address with a name, a password or a parameter that
// is not known is refused: it would be one with a secret.
func ParseBucketURL(text string) (BucketURL, error) {
	wrong := fmt.Errorf("%w: address", ErrBucket) // which may hold a secret: not said
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Fragment != "" || u.Host == "" {
		return BucketURL{}, wrong
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return BucketURL{}, wrong
	}
	for name, values := range query {
		if name != "region" && (name != "endpoint" || u.Scheme != "s3") || len(values) != 1 {
			return BucketURL{}, wrong
		}
	}
	at := BucketURL{Secure: true, Region: query.Get("region")}
	folder := strings.Trim(u.Path, "/")
	switch u.Scheme {
	case "s3":
		at.Bucket, at.Endpoint = u.Host, "s3.amazonaws.com"
		if given := query.Get("endpoint"); given != "" {
			if at.Endpoint, at.Secure, err = endpoint(given); err != nil {
				return BucketURL{}, wrong
			}
		}
	case "https", "http":
		at.Endpoint, at.Secure = u.Host, u.Scheme == "https"
		at.Bucket, folder, _ = strings.Cut(folder, "/")
	default:
		return BucketURL{}, wrong
	}
	if at.Region == "" && at.Endpoint != "s3.amazonaws.com" {
		at.Region = "us-east-1" // what those stores call it that have no regions
	}
	if at.Bucket == "" || strings.ContainsAny(at.Bucket, ":@/") {
		return BucketURL{}, wrong
	}
	if folder != "" {
		if at.Folder = path.Clean(folder) + "/"; at.Folder != folder+"/" || strings.HasPrefix(at.Folder, "../") {
			return BucketURL{}, wrong
		}
	}
	return at, nil
}

// endpoint reads the address of a store: with or without a scheme, and nothing else.
func endpoint(text string) (host string, secure bool, err error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", false, err
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", false, ErrBucket
	}
	return u.Host, u.Scheme == "https", nil
}

// Close ends what is still being asked. Files and uploads that are open become
// unusable.
func (b *Bucket) Close() error {
	b.end()
	return nil
}

// within returns a context for one request that moves so many bytes. It ends
// with Close, too.
func (b *Bucket) within(ctx context.Context, bytes int64) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, b.answer+time.Duration(bytes/slowest)*time.Second)
	stop := context.AfterFunc(b.life, cancel)
	return ctx, func() { stop(); cancel() }
}

// key returns the name of a digest's object.
func (b *Bucket) key(d qc.Digest) (string, error) {
	name, err := place(d)
	return b.prefix + name, err
}

// Has reports whether the file is there, and its size.
func (b *Bucket) Has(d qc.Digest) (int64, bool, error) {
	info, err := b.stat(d)
	if errors.Is(err, qc.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look for photo file %s: %w", d, err)
	}
	return info.Size, true, nil
}

// StoredAt returns when the file was stored, as the store has it, or
// [qc.ErrNotFound]. Putting it again does not change that.
func (b *Bucket) StoredAt(d qc.Digest) (time.Time, error) {
	info, err := b.stat(d)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for photo file %s: %w", d, err)
	}
	return info.LastModified, nil
}

func (b *Bucket) stat(d qc.Digest) (minio.ObjectInfo, error) {
	key, err := b.key(d)
	if err != nil {
		return minio.ObjectInfo{}, err
	}
	ctx, cancel := b.within(b.life, 0)
	defer cancel()
	info, err := b.core.StatObject(ctx, b.name, key, minio.StatObjectOptions{})
	return info, named(err)
}

// Remove deletes a file. One that is not there is no error.
func (b *Bucket) Remove(d qc.Digest) error {
	key, err := b.key(d)
	if err != nil {
		return fmt.Errorf("remove photo file: %w", err)
	}
	b.windows.drop(d)
	if err := b.remove(b.life, key); err != nil {
		return fmt.Errorf("remove photo file %s: %w", d, err)
	}
	return nil
}

func (b *Bucket) remove(ctx context.Context, key string) error {
	ctx, cancel := b.within(ctx, 0)
	defer cancel()
	err := named(b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{}))
	if errors.Is(err, qc.ErrNotFound) {
		return nil
	}
	return err
}

// All yields the digests of all files in their order. An error ends it.
func (b *Bucket) All() iter.Seq2[qc.Digest, error] {
	return func(yield func(qc.Digest, error) bool) {
		for info, err := range b.list(b.prefix) {
			if err != nil {
				yield("", fmt.Errorf("list photo files: %w", err))
				return
			}
			shard, base := path.Split(strings.TrimPrefix(info.Key, b.prefix))
			d, err := qc.ParseDigest(base)
			if err != nil || shard != string(d[:2])+"/" {
				continue // not a file, or not ours
			}
			if !yield(d, nil) {
				return
			}
		}
	}
}

// list yields what is there under a prefix, in the order of the names.
func (b *Bucket) list(prefix string) iter.Seq2[minio.ObjectInfo, error] {
	return func(yield func(minio.ObjectInfo, error) bool) {
		ctx, cancel := context.WithCancel(b.life) // stops the library's listing
		defer cancel()
		for info := range b.core.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if info.Err != nil {
				yield(minio.ObjectInfo{}, named(info.Err))
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

// Sweep deletes pieces of uploads that nobody went on with since before, and what
// crashes of this centre have left in its scratch folder. It returns how many
// went.
func (b *Bucket) Sweep(before time.Time) (int, error) {
	swept := 0
	for info, err := range b.list(b.prefix + stagedDir + "/") {
		if err == nil && info.LastModified.Before(before) {
			if err = b.remove(b.life, info.Key); err == nil {
				swept++
			}
		}
		if err != nil {
			return swept, fmt.Errorf("sweep bucket: %w", err)
		}
	}
	entries, err := os.ReadDir(b.scratch)
	if err != nil {
		return swept, fmt.Errorf("sweep scratch folder: %w", err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.ModTime().Before(before) || entry.IsDir() {
			continue // gone meanwhile, or still young
		}
		if os.Remove(path.Join(b.scratch, entry.Name())) == nil {
			swept++
		}
	}
	return swept, nil
}

// errTaken: there is an object of that name. Where it is not to be seen either,
// somebody else is still making it: later it is.
var errTaken = fmt.Errorf("%w: the object is there already", ErrAway)

// named puts the names of this package to what the store answered. It says
// nothing of the keys.
func named(err error) error {
	if err == nil || errors.Is(err, ErrAway) || errors.Is(err, ErrDigest) {
		return err
	}
	answer, answered := errors.AsType[minio.ErrorResponse](err)
	switch {
	case !answered && errors.Is(err, context.Canceled):
		return err
	case !answered:
		return fmt.Errorf("%w: %w", ErrAway, err)
	case answer.Code == "NoSuchKey" || answer.Code == "NotFound":
		return fmt.Errorf("%w: %w", qc.ErrNotFound, err)
	case answer.StatusCode == http.StatusPreconditionFailed:
		return fmt.Errorf("%w: %w", errTaken, err)
	case answer.StatusCode == http.StatusInsufficientStorage, isQuota(answer.Code):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden, isRefusal(answer.Code):
		return fmt.Errorf("%w: %s (%w)", ErrBucket, answer.Code, err)
	}
	return fmt.Errorf("%w: %s (%w)", ErrAway, answer.Code, err)
}

// isRefusal reports the codes by which stores say that we have no business there,
// beside the status.
func isRefusal(code string) bool {
	switch code {
	case "NoSuchBucket", "InvalidBucketName", "InvalidAccessKeyId", "XAdminUserNotFound":
		return true
	}
	return false
}

// isQuota reports the codes by which stores say that there is no room.
func isQuota(code string) bool {
	switch code {
	case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage":
		return true
	}
	return false
}
