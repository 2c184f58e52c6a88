package intake

import (
	"bytes"
	"testing"
	"time"
)

func FuzzMetadata(f *testing.F) {
	f.Add("sha256 YWE=,filetype aW1hZ2UvanBlZw==")
	f.Add("flag,,other ")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := parseMetadata(text)
		if err == nil && values == nil {
			t.Error("neither values nor an error")
		}
	})
}

// FuzzToken looks for text that is taken for a token without the secret.
func FuzzToken(f *testing.F) {
	now := func() time.Time { return time.Unix(1_000_000, 0) }
	ours := tokens{secret: bytes.Repeat([]byte{1}, 32), now: now}
	theirs := tokens{secret: bytes.Repeat([]byte{2}, 32), now: now}
	for _, use := range []string{useNonce, useToken} {
		text, err := theirs.issue(use, "s1", time.Hour)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	nonce, err := ours.issue(useNonce, "s1", time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(nonce) // ours, but for another use
	f.Fuzz(func(t *testing.T, text string) {
		if station, ok := ours.verify(text); ok {
			t.Errorf("%q admits %s", text, station)
		}
	})
}
