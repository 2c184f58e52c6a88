package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"flawmark/app/qc"
	"flawmark/storage/storagetest"
)

func openBucket(tb testing.TB, server *storagetest.S3, address string, transport http.RoundTripper) *Bucket {
	tb.Helper()
	b, err := OpenBucket(tb.Context(), BucketConfig{
		URL: address, AccessKey: server.AccessKey, SecretKey: server.SecretKey, Scratch: tb.TempDir(), Transport: transport,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = b.Close() })
	return b
}

// badNetwork lets requests pass until a test says otherwise.
type badNetwork struct {
	asked atomic.Int64
	mu    sync.Mutex
	do    func(*http.Request) (*http.Response, error)
}

func (n *badNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	n.asked.Add(1)
	n.mu.Lock()
	do := n.do
	n.mu.Unlock()
	if do == nil {
		do = http.DefaultTransport.RoundTrip
	}
	return do(r)
}

func (n *badNetwork) becomes(do func(*http.Request) (*http.Response, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.do = do
}

// says answers in the store's place.
func says(r *http.Request, status int, code string) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	body := fmt.Sprintf("<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>not now</Message></Error>", code)
	if r.Method == http.MethodHead {
		body = ""
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/xml"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// TestBucket_BadStore has the store fail in every way while an upload is under
// way. Whatever was acknowledged is there afterwards, nothing else is, and the
// upload goes on.
func TestBucket_BadStore(t *testing.T) {
	t.Parallel()
	server := storagetest.StartS3(t)
	lost := func(r *http.Request) (*http.Response, error) { // it is done, and nobody hears of it
		response, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			err = errors.Join(errors.New("connection reset"), response.Body.Close())
		}
		return nil, err
	}
	for name, test := range map[string]struct {
		do   func(*http.Request) (*http.Response, error)
		want error // of what is asked meanwhile
		took bool  // it was acknowledged nevertheless, rightly
	}{
		"unreachable":   {func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }, ErrAway, false},
		"silent":        {func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }, ErrAway, false},
		"overloaded":    {func(r *http.Request) (*http.Response, error) { return says(r, 503, "SlowDown") }, ErrAway, false},
		"broken":        {func(r *http.Request) (*http.Response, error) { return says(r, 500, "InternalError") }, ErrAway, false},
		"full":          {onlyPut(func(r *http.Request) (*http.Response, error) { return says(r, 507, "XMinioStorageFull") }), ErrFull, false},
		"over quota":    {onlyPut(func(r *http.Request) (*http.Response, error) { return says(r, 403, "QuotaExceeded") }), ErrFull, false},
		"keys revoked":  {func(r *http.Request) (*http.Response, error) { return says(r, 403, "InvalidAccessKeyId") }, ErrBucket, false},
		"bucket gone":   {func(r *http.Request) (*http.Response, error) { return says(r, 404, "NoSuchBucket") }, ErrBucket, false},
		"still made":    {onlyPut(func(r *http.Request) (*http.Response, error) { return says(r, 412, "PreconditionFailed") }), ErrAway, false},
		"answers lost":  {onlyPut(lost), nil, true},
		"now and again": {hiccup(), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network := &badNetwork{}
			address := server.Bucket(t)
			b := openBucket(t, server, address, network)
			data := []byte("a photo in three parts")
			s := stage(t, b, "u1")
			appendTo(t, s, string(data[:7]))

			network.becomes(test.do)
			b.answer = 300 * time.Millisecond
			n, err := s.Append(t.Context(), bytes.NewReader(data[7:14]), 7)
			if !errors.Is(err, test.want) || (n == 7) != test.took || s.Size() != 7+n {
				t.Errorf("Append = %d, %v; Size = %d", n, err, s.Size())
			}
			if err != nil && strings.Contains(err.Error(), server.SecretKey) {
				t.Error("the error holds the secret key")
			}
			d, _, err := b.Put(t.Context(), strings.NewReader("another photo"))
			if !errors.Is(err, test.want) || (d != "") != test.took {
				t.Errorf("Put = %q, %v", d, err)
			}
			_ = s.Close()

			network.becomes(nil)
			b.answer = answerTime
			other := openBucket(t, server, address, nil) // which knows nothing but what is there
			s = stage(t, other, "u1")
			if s.Size() != 7+n {
				t.Fatalf("%d bytes are there, %d were acknowledged", s.Size(), 7+n)
			}
			appendTo(t, s, string(data[s.Size():]))
			publish(t, s, qc.DigestOf(data), int64(len(data)))
			if err := other.Verify(t.Context(), qc.DigestOf(data)); err != nil {
				t.Error(err)
			}
			if _, there, err := other.Has(qc.DigestOf([]byte("another photo"))); there != test.took || err != nil {
				t.Errorf("what was put is there: %t, %v", there, err)
			}
		})
	}
}

func onlyPut(do func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodPut {
			return http.DefaultTransport.RoundTrip(r)
		}
		return do(r)
	}
}

// hiccup refuses every other request.
func hiccup() func(*http.Request) (*http.Response, error) {
	var n atomic.Int64
	return func(r *http.Request) (*http.Response, error) {
		if n.Add(1)%2 == 1 {
			return says(r, 503, "SlowDown")
		}
		return http.DefaultTransport.RoundTrip(r)
	}
}

// TestBucket_StoreStopsAndComesBack is the same with a real server.
func TestBucket_StoreStopsAndComesBack(t *testing.T) {
	t.Parallel()
	server := storagetest.StartS3(t)
	b := openBucket(t, server, server.Bucket(t), nil)
	s := stage(t, b, "u1")
	appendTo(t, s, "pho")
	server.Stop(t)
	if n, err := s.Append(t.Context(), strings.NewReader("to"), 2); n != 0 || !errors.Is(err, ErrAway) || s.Size() != 3 {
		t.Errorf("Append = %d, %v; Size = %d", n, err, s.Size())
	}
	if _, err := b.Open(qc.DigestOf([]byte("photo"))); !errors.Is(err, ErrAway) {
		t.Errorf("Open: %v", err)
	}
	server.Start(t)
	appendTo(t, s, "to")
	publish(t, s, qc.DigestOf([]byte("photo")), 5)
	if data, err := b.Read(qc.DigestOf([]byte("photo")), 5); string(data) != "photo" || err != nil {
		t.Errorf("Read = %q, %v", data, err)
	}
}

// TestBucket_AnswersBreakOff has the store's answers end before all has come.
func TestBucket_AnswersBreakOff(t *testing.T) {
	t.Parallel()
	server := storagetest.StartS3(t)
	network := &badNetwork{}
	b := openBucket(t, server, server.Bucket(t), network)
	data := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MiB
	d, err := b.PutBytes(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	cut := func(after int64, end error) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			response, err := http.DefaultTransport.RoundTrip(r)
			if err == nil && r.Method == http.MethodGet {
				body := response.Body
				response.Body = struct {
					io.Reader
					io.Closer
				}{io.MultiReader(io.LimitReader(body, after), iotest.ErrReader(end)), body}
			}
			return response, err
		}
	}
	for name, end := range map[string]error{"with an error": io.ErrUnexpectedEOF, "as if that were all": io.EOF} {
		network.becomes(cut(700<<10, end))
		if got, err := b.Read(d, 4<<20); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: Read = %d bytes, %v", name, len(got), err)
		}
		b.windows.drop(d)
		file, err := b.Open(d)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: piece by piece = %d bytes, %v", name, len(got), err)
		}
		network.becomes(cut(0, end))
		if got, err := b.Read(d, 4<<20); !errors.Is(err, ErrAway) {
			t.Errorf("%s, with nothing in it: Read = %d bytes, %v", name, len(got), err)
		}
	}
}

// TestBucket_ReadsAhead counts what the store is asked.
func TestBucket_ReadsAhead(t *testing.T) {
	t.Parallel()
	server := storagetest.StartS3(t)
	network := &badNetwork{}
	b := openBucket(t, server, server.Bucket(t), network)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB: 32 windows
	d, err := b.PutBytes(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	asks := func(what string, most int64, do func(f *File) error) {
		t.Helper()
		before := network.asked.Load()
		f, err := b.Open(d)
		if err == nil {
			err = do(f)
		}
		if n := network.asked.Load() - before; err != nil || n > most {
			t.Errorf("%s: asked %d times, want at most %d; %v", what, n, most, err)
		}
	}
	at := func(off int64, n int) func(*File) error {
		return func(f *File) error { _, err := f.ReadAt(make([]byte, n), off); return err }
	}
	asks("the beginning", 1, at(0, 1000))
	asks("a stretch", 2, at(5<<20, 20_000))
	asks("one beside it", 1, at(5<<20+100_000, 20_000))
	asks("across a border", 2, at(5<<20+windowSize-10, 20))
	b.windows.drop(d)
	asks("a tile: a bit of each of 40 rows", 5, func(f *File) error {
		for row := range int64(40) {
			if _, err := f.ReadAt(make([]byte, 3000), 3<<20+row*46_000); err != nil {
				return err
			}
		}
		return nil
	})
	b.windows.drop(d)
	asks("one after the other", 7, func(f *File) error { _, err := io.Copy(io.Discard, onlyReader{f}); return err })
	b.windows.drop(d)
	asks("all at once", 2, at(0, len(data)))
	if n := b.windows.order.Len(); n > mostWindows {
		t.Errorf("%d windows are kept", n)
	}
}

type onlyReader struct{ io.Reader }

// TestOpenBucket_OwnAuthority speaks with a store for which only the house's own
// authority vouches.
func TestOpenBucket_OwnAuthority(t *testing.T) {
	t.Parallel()
	server := storagetest.StartS3WithTLS(t)
	address := server.Bucket(t)
	c := BucketConfig{URL: address, AccessKey: server.AccessKey, SecretKey: server.SecretKey, Scratch: t.TempDir()}
	if _, err := OpenBucket(t.Context(), c); !errors.Is(err, ErrAway) {
		t.Errorf("a store that nobody vouches for: %v", err)
	}
	c.Roots = server.Roots
	b, err := OpenBucket(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s := stage(t, b, "u1")
	appendTo(t, s, "pho")
	appendTo(t, s, "to")
	publish(t, s, qc.DigestOf([]byte("photo")), 5)
	if data, err := b.Read(qc.DigestOf([]byte("photo")), 5); string(data) != "photo" || err != nil {
		t.Errorf("Read = %q, %v", data, err)
	}
}

// TestOpenBucket_Refuses names what an administrator has to set right.
func TestOpenBucket_Refuses(t *testing.T) {
	t.Parallel()
	server := storagetest.StartS3(t)
	address := server.Bucket(t)
	careless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("ETag", `"1"`)
	}))
	t.Cleanup(careless.Close)
	for name, test := range map[string]struct {
		url, key, secret string
		want             error
	}{
		"a wrong secret":                {address, server.AccessKey, "wrong", ErrBucket},
		"a wrong key":                   {address, "wrong", server.SecretKey, ErrBucket},
		"no keys":                       {address, "", "", ErrBucket},
		"no such bucket":                {address + "9", server.AccessKey, server.SecretKey, ErrBucket},
		"a store that writes over":      {careless.URL + "/photos", "a", "b", ErrBucket},
		"nobody there":                  {"http://127.0.0.1:1/photos", "a", "b", ErrAway},
		"something that does not fit":   {"ftp://127.0.0.1/photos", "a", "b", ErrBucket},
		"no TLS where there is to be":   {strings.Replace(address, "http:", "https:", 1), server.AccessKey, server.SecretKey, ErrAway},
		"an address that holds secrets": {"https://key:secret@store.example/photos", "", "", ErrBucket},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			b, err := OpenBucket(ctx, BucketConfig{URL: test.url, AccessKey: test.key, SecretKey: test.secret, Scratch: t.TempDir()})
			if b != nil || !errors.Is(err, test.want) {
				t.Errorf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret@") {
				t.Errorf("%v holds the secret", err)
			}
		})
	}
}

func TestParseBucketURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]BucketURL{
		"s3://photos": {"s3.amazonaws.com", true, "photos", "", ""},
		"s3://photos/qc/2026?region=eu-central-1":                          {"s3.amazonaws.com", true, "photos", "qc/2026/", "eu-central-1"},
		"s3://photos?endpoint=https://store.example:9000":                  {"store.example:9000", true, "photos", "", "us-east-1"},
		"s3://photos?endpoint=store.example":                               {"store.example", true, "photos", "", "us-east-1"},
		"s3://photos/?endpoint=http%3A%2F%2F127.0.0.1%3A9000&region=local": {"127.0.0.1:9000", false, "photos", "", "local"},
		"https://store.example/photos":                                     {"store.example", true, "photos", "", "us-east-1"},
		"http://127.0.0.1:9000/photos/qc/?region=local":                    {"127.0.0.1:9000", false, "photos", "qc/", "local"},
	} {
		if got, err := ParseBucketURL(text); got != want || err != nil {
			t.Errorf("%s = %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "photos", "s3://", "file:///photos", "https://store.example", "https://store.example/",
		"s3://key:secret@photos", "s3://photos?endpoint=https://key:secret@store.example", "s3://photos?access_key=a",
		"https://store.example/photos?X-Amz-Signature=a", "s3://photos?endpoint=ftp://store.example", "s3://photos?endpoint=https://store.example/path",
		"s3://photos/../other", "s3://photos/a/../../b", "s3://photos?region=a&region=b", "https://store.example/photos#a",
	} {
		if got, err := ParseBucketURL(text); !errors.Is(err, ErrBucket) {
			t.Errorf("%s = %+v, %v", text, got, err)
		} else if slices.ContainsFunc([]string{"secret", "Signature"}, func(s string) bool { return strings.Contains(err.Error(), s) }) {
			t.Errorf("%s: %v says it again", text, err)
		}
	}
}
