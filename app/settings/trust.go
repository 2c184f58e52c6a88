package settings

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Where a station's private key is kept.
const (
	KeyInSystem = "system"
	KeyInFile   = "file"
)

// MaxPins is how many keys may be pinned: those in use and their successors.
const MaxPins = 4

// largestCAFile is above that of all authorities of a system.
const largestCAFile = 4 << 20

// many is a flag that may be given several times.
type many []string

func (m *many) String() string { return strings.Join(*m, ",") }

func (m *many) Set(value string) error {
	*m = append(*m, value)
	return nil
}

func splitPins(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
}

// Authorities returns those of CAFile; nil: the system's are to be asked.
func (s Station) Authorities() (*x509.CertPool, error) {
	if s.CAFile == "" {
		return nil, nil
	}
	pool, err := readAuthorities(s.CAFile)
	if err != nil {
		return nil, &Invalid{Key: "cli.ca_file_broken", Setting: "--ca-file", File: s.CAFile, Cause: err}
	}
	return pool, nil
}

func readAuthorities(name string) (*x509.CertPool, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, largestCAFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > largestCAFile {
		return nil, errors.New("the file is too large")
	}
	pool, n := x509.NewCertPool(), 0
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("it holds a %s", block.Type) // a private key has no business here
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		pool.AddCert(certificate)
		n++
	}
	if n == 0 {
		return nil, errors.New("it holds no certificate")
	}
	return pool, nil
}

// checkTrust checks by what the centre is recognised, and the way to it.
func (s *Station) checkTrust() error {
	if s.CAFile != "" {
		absolute, err := filepath.Abs(s.CAFile)
		if err != nil {
			return &Invalid{Key: "cli.ca_file_broken", Setting: "--ca-file", File: s.CAFile, Cause: err}
		}
		s.CAFile = absolute
		if _, err := s.Authorities(); err != nil {
			return err
		}
	}
	for i, pin := range s.Pins {
		pin = strings.TrimPrefix(strings.TrimSpace(pin), "sha256/") // as other programs print it
		sum, err := base64.StdEncoding.DecodeString(pin)
		if err != nil || len(sum) != sha256.Size {
			return &Invalid{Key: "cli.pin_invalid", Setting: "--pin", Value: s.Pins[i], Cause: err}
		}
		s.Pins[i] = pin
	}
	if len(s.Pins) > MaxPins {
		return &Invalid{Key: "cli.setting_invalid", Setting: "--pin", Value: fmt.Sprint(len(s.Pins)), Want: fmt.Sprintf("≤ %d", MaxPins)}
	}
	if (len(s.Pins) > 0 || s.CAFile != "") && strings.HasPrefix(s.Central, "http://") {
		// Without TLS neither would ever be looked at.
		return &Invalid{Key: "cli.setting_invalid", Setting: "--central", Value: s.Central, Want: "https://qc.example.com"}
	}
	if s.Proxy != "" {
		u, err := url.Parse(s.Proxy)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
			return &Invalid{Key: "cli.setting_invalid", Setting: "--proxy", Want: "http://proxy.example.com:3128", Cause: err}
		}
	}
	if s.KeyStore != "" && s.KeyStore != KeyInSystem && s.KeyStore != KeyInFile {
		return &Invalid{Key: "cli.setting_invalid", Setting: "--key-store", Value: s.KeyStore, Want: KeyInSystem + ", " + KeyInFile}
	}
	return nil
}
