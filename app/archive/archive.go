// Package archive writes and reads the files that a data folder is carried in:
// a zip whose last entry, the manifest, lists all others with their hashes.
//
// Its promise: what [Open] returns has been read to the last byte and is what
// was written, and holds no name that its [Kind] does not allow. Nothing of a
// file is ever written to a disk before that.
package archive

import (
	"archive/zip"
	"cmp"
	"compress/flate"
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

const (
	// ManifestName is the entry that lists the others.
	ManifestName = "manifest.json"
	// LargestManifest is far above that of a station with all its photos.
	LargestManifest = 64 << 20
)

// What is wrong with a file that somebody took for an archive.
var (
	// ErrDamaged: it is none, or not as it was written.
	ErrDamaged = errors.New("backup file is damaged")
	// ErrNewer: a later version of the program wrote it.
	ErrNewer = errors.New("backup file is of a newer version")
	// ErrExists: there is a file of that name already; it is never replaced.
	ErrExists = errors.New("file exists")
)

// Kind is what the archives of one program are like.
type Kind struct {
	Program  string // as the manifest names it
	Version  int    // the latest that this program reads, and the one it writes
	Database string // the entry that must be there
	// Listing bounds the manifest; 0: [LargestManifest].
	Listing int64
	// Others reports whether an archive may hold an entry of that name beside
	// the database, the manifest and photo files. Names that lead out of a
	// folder never come to it.
	Others func(name string) bool
}

// Manifest is what every manifest says; a program's own has more.
type Manifest struct {
	Version int       `json:"version"`
	Program string    `json:"program"`
	MadeAt  time.Time `json:"made_at"`
	Photos  bool      `json:"photos"` // whether the photo files are in it
	Files   []File    `json:"files"`
}

// File is one entry.
type File struct {
	Name  string    `json:"name"`
	Bytes int64     `json:"size"`
	Hash  qc.Digest `json:"sha256"`
}

// BlobName returns the entry of a photo file.
func BlobName(d qc.Digest) string { return "blobs/" + string(d[:2]) + "/" + string(d) }

// Writer writes an archive.
type Writer struct {
	zip   *zip.Writer
	at    time.Time
	files []File
}

// NewWriter returns a writer of an archive made at a time.
func NewWriter(w io.Writer, at time.Time) *Writer { return &Writer{zip: zip.NewWriter(w), at: at} }

// Files lists what was added.
func (a *Writer) Files() []File { return a.files }

// Add copies r into the archive under name.
func (a *Writer) Add(ctx context.Context, name string, r io.Reader) error {
	method := zip.Deflate
	if strings.HasPrefix(name, "blobs/") {
		method = zip.Store // photos do not get smaller
	}
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: a.at})
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), Until(ctx, r))
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	a.files = append(a.files, File{Name: name, Bytes: n, Hash: qc.Digest(hex.EncodeToString(hash.Sum(nil)))})
	return nil
}

// AddFile copies a file; one that is not there is left out.
func (a *Writer) AddFile(ctx context.Context, name, from string) error {
	file, err := os.Open(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	defer file.Close()
	return a.Add(ctx, name, file)
}

// Finish writes the manifest and the end.
func (a *Writer) Finish(manifest any) error {
	w, err := a.zip.Create(ManifestName)
	if err == nil {
		err = json.NewEncoder(w).Encode(manifest)
	}
	return errors.Join(err, a.zip.Close())
}

// Close writes the end of an archive that lists its entries by itself.
func (a *Writer) Close() error { return a.zip.Close() }

// Until returns a reader of r that ends when nobody waits for it any more.
func Until(ctx context.Context, r io.Reader) io.Reader { return &reading{ctx, r} }

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

// Archive is one that has been read and verified.
type Archive struct {
	Manifest
	zip  *zip.ReadCloser
	text json.RawMessage // of the whole manifest
}

// Open opens an archive and reads all of it against its manifest. It fails with
// [ErrDamaged], [ErrNewer], [os.ErrNotExist] or [os.ErrPermission].
func (k Kind) Open(ctx context.Context, name string) (*Archive, error) {
	reader, err := zip.OpenReader(name)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	a := &Archive{zip: reader}
	if err := k.verify(ctx, a); err != nil {
		return nil, errors.Join(fmt.Errorf("read backup %s: %w", name, err), reader.Close())
	}
	return a, nil
}

// Close frees the file.
func (a *Archive) Close() error { return a.zip.Close() }

// Read reads the manifest into a program's own.
func (a *Archive) Read(into any) error {
	if err := json.Unmarshal(a.text, into); err != nil {
		return fmt.Errorf("%w: manifest: %w", ErrDamaged, err)
	}
	return nil
}

func (k Kind) verify(ctx context.Context, a *Archive) error {
	inside := make(map[string]*zip.File)
	for _, file := range a.zip.File {
		if inside[file.Name] != nil {
			return fmt.Errorf("%w: %s is in it twice", ErrDamaged, file.Name)
		}
		inside[file.Name] = file
	}
	listed, err := a.zip.Open(ManifestName)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	defer listed.Close()
	limit := cmp.Or(k.Listing, LargestManifest)
	if err := json.NewDecoder(io.LimitReader(listed, limit)).Decode(&a.text); err != nil {
		return fmt.Errorf("%w: manifest: %w", ErrDamaged, err)
	}
	if err := a.Read(&a.Manifest); err != nil {
		return err
	}
	if a.Program != k.Program || a.Version < 1 || len(inside) != len(a.Files)+1 {
		return fmt.Errorf("%w: manifest", ErrDamaged)
	}
	if a.Version > k.Version {
		return fmt.Errorf("%w: version %d", ErrNewer, a.Version)
	}
	hasDatabase := false
	for _, want := range a.Files {
		if !k.MayHold(want.Name) || inside[want.Name] == nil {
			return fmt.Errorf("%w: %q", ErrDamaged, want.Name)
		}
		hasDatabase = hasDatabase || want.Name == k.Database
		if err := CopyOut(ctx, inside[want.Name], want, io.Discard); err != nil {
			return err
		}
	}
	if !hasDatabase {
		return fmt.Errorf("%w: no database", ErrDamaged)
	}
	return nil
}

// MayHold reports whether an archive may hold an entry of that name. Whatever
// else somebody put there is never written to a disk.
func (k Kind) MayHold(name string) bool {
	if name != path.Clean(name) || !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, `\:`) || name == ManifestName {
		return false
	}
	if name == k.Database || k.Others(name) {
		return true
	}
	d, err := qc.ParseDigest(path.Base(name))
	return err == nil && name == BlobName(d)
}

// CopyOut copies one entry of a zip and checks that it is the one that is wanted.
func CopyOut(ctx context.Context, file *zip.File, want File, w io.Writer) error {
	r, err := file.Open()
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, want.Name, err)
	}
	defer r.Close()
	hash := sha256.New()
	tee := io.TeeReader(io.LimitReader(r, want.Bytes+1), hash) // never more than was promised
	n, err := io.Copy(w, Until(ctx, tee))
	if err != nil {
		_, corrupt := errors.AsType[flate.CorruptInputError](err)
		corrupt = corrupt || errors.Is(err, zip.ErrChecksum) || errors.Is(err, zip.ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF)
		if ctx.Err() != nil || !corrupt {
			return fmt.Errorf("read %s: %w", want.Name, err)
		}
		return fmt.Errorf("%w: %s: %w", ErrDamaged, want.Name, err)
	}
	if n != want.Bytes || qc.Digest(hex.EncodeToString(hash.Sum(nil))) != want.Hash {
		return fmt.Errorf("%w: %s", ErrDamaged, want.Name)
	}
	return nil
}

// Extract writes everything below dir, durable.
func (a *Archive) Extract(ctx context.Context, dir string) error {
	return a.extract(ctx, dir, func(string) bool { return true })
}

// ExtractOnly writes the one entry below dir, durable.
func (a *Archive) ExtractOnly(ctx context.Context, name, dir string) error {
	return a.extract(ctx, dir, func(each string) bool { return each == name })
}

func (a *Archive) extract(ctx context.Context, dir string, wanted func(string) bool) error {
	listed := make(map[string]File)
	for _, file := range a.Files {
		listed[file.Name] = file
	}
	for _, file := range a.zip.File {
		want, ok := listed[file.Name]
		if !ok || !wanted(file.Name) {
			continue
		}
		to := filepath.Join(dir, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := WriteNew(to, func(w io.Writer) error { return CopyOut(ctx, file, want, w) }); err != nil {
			return fmt.Errorf("write %s: %w", to, err)
		}
	}
	return nil
}

// Create has write make a file under another name, and check read it back,
// before it gets its own. It fails with [ErrExists], and leaves nothing behind
// when it fails.
func Create(name string, write, check func(temp string) error) error {
	if _, err := os.Lstat(name); err == nil {
		return ErrExists
	}
	temp := name + ".unfinished"
	err := write(temp)
	if err == nil {
		err = check(temp)
	}
	if err == nil {
		if _, taken := os.Lstat(name); taken == nil {
			err = ErrExists
		} else {
			err = os.Rename(temp, name)
		}
	}
	if err == nil {
		return nil
	}
	if gone := os.Remove(temp); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// WriteNew makes a durable file that must not be there yet.
func WriteNew(name string, write func(io.Writer) error) error {
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

// Replace has prepare fill a new folder beside data, which then takes its place in
// one rename. It returns where the old folder went; empty: there was none. When it
// fails, everything is as before.
func Replace(data string, prepare func(ready string) error) (aside string, err error) {
	stamp := time.Now().UTC().Format("20060102T150405Z")
	ready := data + ".restoring-" + stamp
	if err := os.MkdirAll(filepath.Dir(data), 0o700); err != nil {
		return "", err
	}
	if err := os.Mkdir(ready, 0o700); err != nil {
		return "", err
	}
	if err = prepare(ready); err == nil {
		aside, err = swap(ready, data, stamp)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(ready))
	}
	return aside, nil
}

// swap gives a prepared folder its place and returns where the old one went;
// empty: there was none.
func swap(ready, data, stamp string) (aside string, err error) {
	if _, err := os.Lstat(data); err == nil {
		if os.Remove(data) != nil { // not empty
			aside = data + ".before-restore-" + stamp
			if err := os.Rename(data, aside); err != nil {
				return "", fmt.Errorf("move the old folder aside: %w", err)
			}
		}
	}
	if err := os.Rename(ready, data); err != nil {
		if aside != "" {
			err = errors.Join(err, os.Rename(aside, data))
		}
		return "", fmt.Errorf("put the restored folder in its place: %w", err)
	}
	return aside, nil
}
