package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"flawmark/app/qc"
)

// An archive is a zip with a station in it:
//
//	station.db                 a sound copy of the database
//	journal/…                  the journal as it was just after
//	station.key, settings.json what makes it this station
//	blobs.json                 the photo files that findings name
//	blobs/ab/<sha256>          the files themselves, where they were asked for
//	manifest.json              last: what is in it, with the hash of each
const (
	archiveVersion  = 1
	manifestName    = "manifest.json"
	archiveDatabase = "station.db"
	// largestManifest is far above that of a station with all its photos.
	largestManifest = 64 << 20
)

// errArchive: a file is no archive of a station, or not as it was written.
var errArchive = errors.New("backup file is damaged")

// manifest says what is in an archive.
type manifest struct {
	Version int           `json:"version"`
	Program string        `json:"program"` // "flawmark"
	Station qc.StationID  `json:"station,omitempty"`
	Epoch   string        `json:"epoch"`
	MadeAt  time.Time     `json:"made_at"`
	Unsent  int           `json:"unsent"` // events that waited
	Photos  bool          `json:"photos"` // whether the photos are in it
	Files   []archiveFile `json:"files"`
}

type archiveFile struct {
	Name  string    `json:"name"`
	Bytes int64     `json:"size"`
	Hash  qc.Digest `json:"sha256"`
}

// archiveWriter writes an archive and its manifest.
type archiveWriter struct {
	zip      *zip.Writer
	manifest manifest
}

// add copies r into the archive under name.
func (a *archiveWriter) add(ctx context.Context, name string, r io.Reader) error {
	method := zip.Deflate
	if strings.HasPrefix(name, "blobs/") {
		method = zip.Store // photos do not get smaller
	}
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: a.manifest.MadeAt})
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), &reading{ctx, r})
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	a.manifest.Files = append(a.manifest.Files, archiveFile{Name: name, Bytes: n, Hash: qc.Digest(hex.EncodeToString(hash.Sum(nil)))})
	return nil
}

// addFile copies a file; one that is not there is left out.
func (a *archiveWriter) addFile(ctx context.Context, name, from string) error {
	file, err := os.Open(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	defer file.Close()
	return a.add(ctx, name, file)
}

// finish writes the manifest and the end.
func (a *archiveWriter) finish() error {
	w, err := a.zip.Create(manifestName)
	if err == nil {
		err = json.NewEncoder(w).Encode(a.manifest)
	}
	return errors.Join(err, a.zip.Close())
}

// reading ends a long copy when nobody waits for it any more.
type reading struct {
	ctx  context.Context
	from io.Reader
}

func (r *reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}

// archive is one that has been read and verified.
type archive struct {
	zip      *zip.ReadCloser
	manifest manifest
}

// openArchive opens an archive and reads all of it against the manifest. It
// fails with errArchive, or with [os.ErrNotExist].
func openArchive(ctx context.Context, name string) (*archive, error) {
	reader, err := zip.OpenReader(name)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errArchive, err)
	}
	a := &archive{zip: reader}
	if err := a.verify(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("read backup %s: %w", name, err), reader.Close())
	}
	return a, nil
}

func (a *archive) Close() error { return a.zip.Close() }

func (a *archive) verify(ctx context.Context) error {
	inside := make(map[string]*zip.File)
	for _, file := range a.zip.File {
		if inside[file.Name] != nil {
			return fmt.Errorf("%w: %s is in it twice", errArchive, file.Name)
		}
		inside[file.Name] = file
	}
	listed, err := a.zip.Open(manifestName)
	if err != nil {
		return fmt.Errorf("%w: %w", errArchive, err)
	}
	defer listed.Close()
	if err := json.NewDecoder(io.LimitReader(listed, largestManifest)).Decode(&a.manifest); err != nil {
		return fmt.Errorf("%w: manifest: %w", errArchive, err)
	}
	if a.manifest.Program != archiveProgram || a.manifest.Version < 1 || len(inside) != len(a.manifest.Files)+1 {
		return fmt.Errorf("%w: manifest", errArchive)
	}
	if a.manifest.Version > archiveVersion {
		return fmt.Errorf("%w: version %d", errNewerArchive, a.manifest.Version)
	}
	hasDatabase := false
	for _, want := range a.manifest.Files {
		if !mayBeInside(want.Name) || inside[want.Name] == nil {
			return fmt.Errorf("%w: %q", errArchive, want.Name)
		}
		hasDatabase = hasDatabase || want.Name == archiveDatabase
		if err := copyOut(ctx, inside[want.Name], want, io.Discard); err != nil {
			return err
		}
	}
	if !hasDatabase {
		return fmt.Errorf("%w: no database", errArchive)
	}
	return nil
}

// errNewerArchive: a later version of the program wrote the archive.
var errNewerArchive = errors.New("backup file is of a newer version")

// mayBeInside reports whether an archive may hold a file of that name. Whatever
// else somebody put there is never written to a disk.
func mayBeInside(name string) bool {
	dir, base := path.Split(name)
	switch {
	case name != path.Clean(name) || !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, `\:`):
		return false
	case dir == "":
		return base == archiveDatabase || base == "station.key" || base == "settings.json" || base == "blobs.json"
	case dir == "journal/":
		return base == "identity.json" || strings.HasSuffix(base, ".qcj")
	}
	_, err := qc.ParseDigest(base)
	return err == nil && dir == "blobs/"+base[:2]+"/"
}

// copyOut copies one file of an archive and checks it.
func copyOut(ctx context.Context, file *zip.File, want archiveFile, w io.Writer) error {
	r, err := file.Open()
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errArchive, want.Name, err)
	}
	defer r.Close()
	hash := sha256.New()
	tee := io.TeeReader(io.LimitReader(r, want.Bytes+1), hash) // never more than was promised
	n, err := io.Copy(w, &reading{ctx, tee})
	if err != nil {
		if ctx.Err() != nil || !errors.Is(err, zip.ErrChecksum) && !errors.Is(err, zip.ErrFormat) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("read %s: %w", want.Name, err)
		}
		return fmt.Errorf("%w: %s: %w", errArchive, want.Name, err)
	}
	if n != want.Bytes || qc.Digest(hex.EncodeToString(hash.Sum(nil))) != want.Hash {
		return fmt.Errorf("%w: %s", errArchive, want.Name)
	}
	return nil
}

// extract writes everything below dir, durable.
func (a *archive) extract(ctx context.Context, dir string) error {
	wanted := make(map[string]archiveFile)
	for _, file := range a.manifest.Files {
		wanted[file.Name] = file
	}
	for _, file := range a.zip.File {
		want, ok := wanted[file.Name]
		if !ok {
			continue
		}
		to := filepath.Join(dir, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := writeNew(to, func(w io.Writer) error { return copyOut(ctx, file, want, w) }); err != nil {
			return fmt.Errorf("write %s: %w", to, err)
		}
	}
	return nil
}

// writeNew makes a durable file that must not be there yet.
func writeNew(name string, write func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
