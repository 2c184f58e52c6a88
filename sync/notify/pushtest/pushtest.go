// Package pushtest is a browser and its maker for tests: it subscribes, takes
// what is pushed and reads it as RFC 8188, 8291 and 8292 have it, written from
// those documents and tried on their own example, with no code of the sender.
package pushtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Browser is one that has subscribed.
type Browser struct {
	Private *ecdh.PrivateKey
	Secret  []byte // shared with whoever may write, 16 bytes
}

// NewBrowser returns a browser with keys of its own.
func NewBrowser(tb testing.TB) Browser {
	tb.Helper()
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	secret := make([]byte, 16)
	_, _ = rand.Read(secret)
	return Browser{private, secret}
}

// P256dh returns the public key as pages send it.
func (b Browser) P256dh() string {
	return base64.RawURLEncoding.EncodeToString(b.Private.PublicKey().Bytes())
}

// Auth returns the secret as pages send it.
func (b Browser) Auth() string { return base64.RawURLEncoding.EncodeToString(b.Secret) }

// Read decrypts a body.
func (b Browser) Read(body []byte) ([]byte, error) {
	if len(body) < 21+65+17 || body[20] != 65 {
		return nil, errors.New("no header of aes128gcm with a key")
	}
	salt, size, sender, record := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:86], body[86:]
	if len(record) > int(size) {
		return nil, errors.New("more than one record")
	}
	public, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, err
	}
	shared, err := b.Private.ECDH(public)
	if err != nil {
		return nil, err
	}
	info := "WebPush: info\x00" + string(b.Private.PublicKey().Bytes()) + string(sender)
	input, err := hkdf.Key(sha256.New, shared, b.Secret, info, 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, input, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, input, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	opener, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	padded, err := opener.Open(nil, nonce, record, nil)
	if err != nil {
		return nil, err
	}
	for i := len(padded) - 1; i >= 0; i-- {
		switch padded[i] {
		case 0:
			continue
		case 2: // the last record
			return padded[:i], nil
		}
		break
	}
	return nil, errors.New("the record has no end")
}

// Push is one message that the maker took.
type Push struct {
	Path   string
	Header http.Header
	Text   string // decrypted
}

// Maker is the service of a browser's maker. Status is what it answers; 0: it
// takes the message.
type Maker struct {
	*httptest.Server
	Browser Browser

	mu     sync.Mutex
	status int
	later  string // its Retry-After
	taken  []Push
}

// Start returns a maker with one browser, which ends with the test.
func Start(tb testing.TB) *Maker {
	tb.Helper()
	m := &Maker{Browser: NewBrowser(tb)}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.status != 0 {
			if m.later != "" {
				w.Header().Set("Retry-After", m.later)
			}
			w.WriteHeader(m.status)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err == nil && len(body) > 4096 {
			err = errors.New("larger than a maker takes")
		}
		var text []byte
		if err == nil {
			text, err = m.Browser.Read(body)
		}
		if err != nil {
			tb.Errorf("a push of %d bytes: %v", len(body), err)
		}
		m.taken = append(m.taken, Push{r.URL.Path, r.Header, string(text)})
		w.WriteHeader(http.StatusCreated)
	}))
	tb.Cleanup(m.Close)
	return m
}

// Answer lets the maker answer so from now on; 0: it takes what comes.
func (m *Maker) Answer(status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status = status
}

// Later lets the maker ask to be left alone, where it refuses: a Retry-After.
func (m *Maker) Later(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.later = text
}

// Taken returns what was taken so far.
func (m *Maker) Taken() []Push {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Push(nil), m.taken...)
}
