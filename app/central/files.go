package main

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"

	"flawmark/app/command"
	"flawmark/app/settings"
	"flawmark/storage/blob"
)

// openFiles opens where the photo files are: a folder of this centre's own, or a
// bucket, which several centres may share.
func openFiles(ctx context.Context, s settings.Centre) (blob.Files, error) {
	if s.Objects == "" {
		folder, err := blob.OpenFolder(filepath.Join(s.Data, "blobs"))
		if err != nil {
			return nil, command.Fail("cli.folder_unusable", err, "folder", s.Data)
		}
		return folder, nil
	}
	roots, err := authorities(s.ObjectsCA)
	if err != nil {
		return nil, command.Fail("cli.certificate_unusable", err, "file", s.ObjectsCA)
	}
	bucket, err := blob.OpenBucket(ctx, blob.BucketConfig{
		URL: s.Objects, AccessKey: s.S3.Access, SecretKey: s.S3.Secret, Roots: roots, Scratch: filepath.Join(s.Data, "scratch"),
	})
	if err != nil {
		return nil, err // explained in [explain]
	}
	return bucket, nil
}

// authorities reads a PEM file; nil, the system's, where none is named.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // that is what the standard library takes for the system's
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("no certificate in PEM")
	}
	return roots, nil
}
