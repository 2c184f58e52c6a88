package storagetest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// S3 is an object store of its own: the gateway of .ci/tools on a port of this
// machine, with its objects in a folder. It ends with the test, also with one that
// is killed.
type S3 struct {
	AccessKey, SecretKey string
	Roots                *x509.CertPool // who vouches for it; nil: it speaks without TLS

	dir     string
	program string
	address string
	end     func() error // of the server that runs; nil: none does
	buckets atomic.Int64
}

// StartS3 starts a server, which is built when that has not been done yet.
func StartS3(tb testing.TB) *S3 {
	tb.Helper()
	return startS3(tb, false)
}

// StartS3WithTLS starts a server with a certificate that no system knows.
func StartS3WithTLS(tb testing.TB) *S3 {
	tb.Helper()
	return startS3(tb, true)
}

func startS3(tb testing.TB, withTLS bool) *S3 {
	tb.Helper()
	s := &S3{AccessKey: "flawmark-test", SecretKey: "a-secret-of-this-test", dir: tb.TempDir(), program: s3Program(tb)}
	s.address = FreeAddress(tb)
	for _, name := range []string{"objects", "sidecar"} {
		if err := os.Mkdir(filepath.Join(s.dir, name), 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	if withTLS {
		s.certify(tb)
	}
	s.Start(tb)
	tb.Cleanup(func() { s.Stop(tb) })
	return s
}

// certify gives the server the certificate that the standard library's own test
// servers have.
func (s *S3) certify(tb testing.TB) {
	tb.Helper()
	lender := httptest.NewTLSServer(http.NotFoundHandler())
	defer lender.Close()
	key, err := x509.MarshalPKCS8PrivateKey(lender.TLS.Certificates[0].PrivateKey)
	if err != nil {
		tb.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		s.certificate():          {Type: "CERTIFICATE", Bytes: lender.Certificate().Raw},
		s.certificate() + ".key": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(lender.Certificate())
}

func (s *S3) certificate() string { return filepath.Join(s.dir, "certificate") }

func (s *S3) url() string {
	if s.Roots != nil {
		return "https://" + s.address
	}
	return "http://" + s.address
}

// s3Program returns the path of the gateway, which `go tool` keeps in its cache.
func s3Program(tb testing.TB) string {
	tb.Helper()
	root, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		tb.Fatal(err)
	}
	tools := filepath.Join(filepath.Dir(strings.TrimSpace(string(root))), ".ci", "tools", "go.mod")
	cmd := exec.Command("go", "tool", "-modfile="+tools, "-n", "versitygw")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	path, err := cmd.Output()
	if err != nil {
		tb.Fatalf("build the object store: %v\n%s", err, complaint.Bytes())
	}
	return strings.TrimSpace(string(path))
}

// Start starts the server, again after [S3.Stop] with the same objects.
func (s *S3) Start(tb testing.TB) {
	tb.Helper()
	// What it knows of objects lies in a folder of its own: not every file system
	// keeps it with the files.
	args := []string{"--access", s.AccessKey, "--secret", s.SecretKey, "--port", s.address, "--health", "/health", "--quiet"}
	if s.Roots != nil {
		args = append(args, "--cert", s.certificate(), "--key", s.certificate()+".key")
	}
	args = append(args, "posix", "--sidecar", filepath.Join(s.dir, "sidecar"), filepath.Join(s.dir, "objects"))
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	server := exec.Command("sh", append([]string{"-c", `"$@" &
read -r _
kill -9 $!
wait $! || :`, "sh", s.program}, args...)...)
	server.Stdout, server.Stderr = log, log
	if s.end, err = untilGone(server); err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+"/health", nil)
		if err != nil {
			tb.Fatal(err)
		}
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if ctx.Err() != nil {
			said, _ := os.ReadFile(log.Name()) // may say why
			tb.Fatalf("the object store does not start:\n%s", said)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Stop ends the server at once, as a power cut would. Stopping twice is no error.
func (s *S3) Stop(tb testing.TB) {
	tb.Helper()
	if s.end == nil {
		return
	}
	if err := s.end(); err != nil {
		tb.Errorf("end the object store: %v", err)
	}
	s.end = nil
}

// Bucket makes an empty bucket and returns its address.
func (s *S3) Bucket(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("photos%d", s.buckets.Add(1))
	if err := os.Mkdir(filepath.Join(s.dir, "objects", name), 0o700); err != nil {
		tb.Fatal(err)
	}
	return s.url() + "/" + name
}

// Object returns the path of an object's file, for tests that damage it.
func (s *S3) Object(bucket, key string) string {
	return filepath.Join(s.dir, "objects", bucket[strings.LastIndex(bucket, "/")+1:], filepath.FromSlash(key))
}
