package blob

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"flawmark/app/qc"
)

// Derived is a bounded cache of what can be made again from a photo's file:
// block indexes, packs of tiles, renditions. A directory of it is laid out as
//
//	ab/<sha256>.<profile>    payload and trailer; the digest is the photo's
//	tmp/                     files being written
//
// Its promise is less than that of a [Folder]: what was put may be gone at any
// time, but what is there is whole. Nothing waits for the disk; a file that a
// power cut has torn is found by its trailer when it is first opened, removed,
// and counts as absent. When more than the limit is there, what was not read
// for the longest time goes, but not while it is open here.
//
// It is safe for use by several goroutines, and several processes may share a
// directory: each of them keeps the limit as far as it has heard of the others,
// at most a sixteenth of it late.
type Derived struct {
	root  *os.Root
	limit int64
	now   func() time.Time

	mu       sync.Mutex
	bytes    int64                  // as last counted, and what was put since
	added    int64                  // put since the last count
	counted  bool                   // whether the directory was ever counted
	open     map[string]int         // files being read here
	verified map[string]os.FileInfo // files whose trailer was found right by this run
}

// ErrProfile reports that a derivative's kind cannot be part of a file name.
var ErrProfile = errors.New("not a name for a profile")

const (
	// Behind the payload: magic, length (8 bytes), CRC-32C of the payload (4),
	// CRC-32C of all that (4); little endian.
	trailerMagic = "FLAWDRV1"
	trailerSize  = len(trailerMagic) + 16
	// touchAfter is how old the note of a read may be before it is renewed.
	touchAfter = time.Second
	// strayAfter is the age at which an unfinished file is nobody's any more.
	strayAfter = time.Hour
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// OpenDerived opens the cache in dir, which is made when it is missing, for
// about limitBytes; with 0, only the newest derivative stays.
func OpenDerived(dir string, limitBytes int64) (*Derived, error) {
	if err := os.MkdirAll(filepath.Join(dir, tmpDir), dirMode); err != nil {
		return nil, fmt.Errorf("open derivatives %s: %w", dir, classify(err))
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open derivatives: %w", err)
	}
	return &Derived{
		root: root, limit: limitBytes, now: time.Now,
		open: make(map[string]int), verified: make(map[string]os.FileInfo),
	}, nil
}

// Close releases the directory. Derivatives that are open stay usable.
func (c *Derived) Close() error { return c.root.Close() }

// Derivative is one of them, open for reading: an [io.ReaderAt], [io.Reader]
// and [io.Seeker] that knows its Size. It is to be closed.
type Derivative struct {
	*io.SectionReader
	file  *os.File
	cache *Derived
	name  string
	once  sync.Once
}

// Close implements [io.Closer]. Closing twice is no error.
func (f *Derivative) Close() error {
	var err error
	f.once.Do(func() {
		f.cache.mu.Lock()
		if f.cache.open[f.name]--; f.cache.open[f.name] == 0 {
			delete(f.cache.open, f.name)
		}
		f.cache.mu.Unlock()
		err = f.file.Close()
	})
	return err
}

// Get opens the derivative of the photo file d. It fails with [qc.ErrNotFound]
// when it was never made, has gone, or is damaged: then it is to be made again.
func (c *Derived) Get(ctx context.Context, d qc.Digest, profile string) (*Derivative, error) {
	name, err := derivedName(d, profile)
	if err != nil {
		return nil, fmt.Errorf("open derivative: %w", err)
	}
	c.mu.Lock()
	c.open[name]++ // before it is looked for, so that it does not go meanwhile
	known := c.verified[name]
	c.mu.Unlock()
	f := &Derivative{cache: c, name: name}
	if f.file, err = c.root.Open(name); err == nil {
		err = c.admit(ctx, f, known)
	}
	if err != nil {
		_ = f.Close() // a nil file says only that it is invalid
		if errors.Is(err, ErrDigest) {
			c.remove(name)
			err = fmt.Errorf("%w: %w", qc.ErrNotFound, err)
		}
		return nil, fmt.Errorf("open derivative %s: %w", path.Base(name), classify(err))
	}
	return f, nil
}

// admit checks an open file, once in a run, and notes that it is read.
func (c *Derived) admit(ctx context.Context, f *Derivative, known os.FileInfo) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	size, sum, err := readTrailer(f.file, info.Size())
	if err != nil {
		return err
	}
	f.SectionReader = io.NewSectionReader(f.file, 0, size)
	if known == nil || !os.SameFile(known, info) || known.Size() != info.Size() {
		hash := crc32.New(castagnoli)
		if _, err := copyBytes(ctx, hash, io.NewSectionReader(f.file, 0, size)); err != nil {
			return err
		}
		if hash.Sum32() != sum {
			return fmt.Errorf("%w: checksum", ErrDigest)
		}
		c.mu.Lock()
		c.verified[f.name] = info
		c.mu.Unlock()
	}
	if now := c.now(); now.Sub(info.ModTime()) > touchAfter {
		_ = c.root.Chtimes(f.name, now, now) // at worst it goes a little early
	}
	return nil
}

// readTrailer returns the payload's length and checksum, or [ErrDigest].
func readTrailer(r io.ReaderAt, size int64) (int64, uint32, error) {
	payload := size - int64(trailerSize)
	if payload < 0 {
		return 0, 0, fmt.Errorf("%w: %d bytes", ErrDigest, size)
	}
	var trailer [trailerSize]byte
	if _, err := r.ReadAt(trailer[:], payload); err != nil {
		return 0, 0, err
	}
	sum, ok := parseTrailer(trailer[:], payload)
	if !ok {
		return 0, 0, fmt.Errorf("%w: trailer", ErrDigest)
	}
	return payload, sum, nil
}

func parseTrailer(trailer []byte, payload int64) (sum uint32, ok bool) {
	head, check := trailer[:trailerSize-4], trailer[trailerSize-4:]
	ok = string(head[:len(trailerMagic)]) == trailerMagic &&
		binary.LittleEndian.Uint64(head[len(trailerMagic):]) == uint64(payload) &&
		crc32.Checksum(head, castagnoli) == binary.LittleEndian.Uint32(check)
	return binary.LittleEndian.Uint32(head[len(trailerMagic)+8:]), ok
}

func makeTrailer(payload int64, sum uint32) []byte {
	trailer := binary.LittleEndian.AppendUint64([]byte(trailerMagic), uint64(payload))
	trailer = binary.LittleEndian.AppendUint32(trailer, sum)
	return binary.LittleEndian.AppendUint32(trailer, crc32.Checksum(trailer, castagnoli))
}

// Put stores what write writes as a derivative of the photo file d, in place of
// an older one. When write fails, or the disk is full ([ErrFull]), nothing
// changes. It does not wait for the disk.
func (c *Derived) Put(ctx context.Context, d qc.Digest, profile string, write func(io.Writer) error) error {
	name, err := derivedName(d, profile)
	if err != nil {
		return fmt.Errorf("store derivative: %w", err)
	}
	size, err := c.put(ctx, name, write)
	if err != nil {
		return fmt.Errorf("store derivative %s: %w", path.Base(name), classify(err))
	}
	if err := c.settle(name, size); err != nil {
		return fmt.Errorf("evict derivatives: %w", err)
	}
	return nil
}

func (c *Derived) put(ctx context.Context, name string, write func(io.Writer) error) (_ int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	temp := path.Join(tmpDir, rand.Text())
	file, err := c.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = c.root.Remove(temp) // a later count finds it otherwise
		}
	}()
	summed := &summing{ctx: ctx, to: file}
	buffer := bufio.NewWriterSize(summed, copyBuffer)
	if err := write(buffer); err != nil {
		return 0, err
	}
	if err := buffer.Flush(); err != nil {
		return 0, err
	}
	if _, err := file.Write(makeTrailer(summed.n, summed.sum)); err != nil {
		return 0, err
	}
	if err := file.Close(); err != nil {
		return 0, err
	}
	if err := c.root.Mkdir(path.Dir(name), dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return 0, err
	}
	if err := rename(c.root, temp, name); err != nil {
		return 0, err
	}
	c.mu.Lock()
	delete(c.verified, name)
	c.mu.Unlock()
	return summed.n + int64(trailerSize), nil
}

// summing passes bytes on and adds them up.
type summing struct {
	ctx context.Context
	to  io.Writer
	n   int64
	sum uint32
}

func (s *summing) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.to.Write(p)
	s.n += int64(n)
	s.sum = crc32.Update(s.sum, castagnoli, p[:n])
	return n, err
}

// Drop removes all derivatives of a photo file. None is no error.
func (c *Derived) Drop(d qc.Digest) error {
	if _, err := place(d); err != nil {
		return fmt.Errorf("drop derivatives: %w", err)
	}
	shard := string(d[:2])
	entries, err := fs.ReadDir(c.root.FS(), shard)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop derivatives of %s: %w", d, err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), string(d)+".") {
			c.remove(path.Join(shard, entry.Name()))
		}
	}
	return nil
}

// remove deletes a file and what is known of it. One that the system does not
// let go yet (Windows, open elsewhere) goes at another time.
func (c *Derived) remove(name string) bool {
	c.mu.Lock()
	delete(c.verified, name)
	c.mu.Unlock()
	err := c.root.Remove(name)
	return err == nil || errors.Is(err, fs.ErrNotExist)
}

// stored is one file of the cache.
type stored struct {
	name string
	size int64
	used time.Time
}

// settle takes note of a new file and lets the oldest go when there are too
// many.
func (c *Derived) settle(name string, size int64) error {
	c.mu.Lock()
	c.bytes += size
	c.added += size
	due := !c.counted || c.bytes > c.limit || c.added > c.limit/16
	if due {
		c.counted, c.added = true, 0 // the others need not count as well
	}
	c.mu.Unlock()
	if !due {
		return nil
	}
	all, total, err := c.list()
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b stored) int {
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.name, b.name))
	})
	// Some room is made beyond what is needed, so that not every Put counts.
	goal := c.limit
	if total > c.limit {
		goal -= c.limit / 16
	}
	for _, file := range all {
		if total <= goal {
			break
		}
		if file.name != name && !c.inUse(file.name) && c.remove(file.name) {
			total -= file.size
		}
	}
	c.mu.Lock()
	c.bytes = total + c.added
	c.mu.Unlock()
	return nil
}

func (c *Derived) inUse(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open[name] > 0
}

// list returns the files and the sum of their sizes, and removes what crashes
// have left in tmp.
func (c *Derived) list() (all []stored, total int64, err error) {
	stray := c.now().Add(-strayAfter)
	err = fs.WalkDir(c.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // another process removed it
			}
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
		dir, base := path.Split(name)
		if dir == tmpDir+"/" {
			if info.ModTime().Before(stray) {
				_ = c.root.Remove(name)
			}
			return nil
		}
		digest, profile, _ := strings.Cut(base, ".")
		if ours, err := derivedName(qc.Digest(digest), profile); err == nil && ours == name {
			all = append(all, stored{name: name, size: info.Size(), used: info.ModTime()})
			total += info.Size()
		}
		return nil
	})
	return all, total, err
}

// DerivedReport is what a check of the cache has found.
type DerivedReport struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	Torn  int   `json:"torn"` // were damaged, and have been removed
}

// Check reads every derivative and removes the damaged ones.
func (c *Derived) Check(ctx context.Context) (DerivedReport, error) {
	var report DerivedReport
	all, _, err := c.list()
	if err != nil {
		return report, fmt.Errorf("check derivatives: %w", err)
	}
	for _, file := range all {
		c.mu.Lock()
		delete(c.verified, file.name)
		c.mu.Unlock()
		digest, profile, _ := strings.Cut(path.Base(file.name), ".")
		opened, err := c.Get(ctx, qc.Digest(digest), profile)
		switch {
		case errors.Is(err, ErrDigest):
			report.Torn++
		case errors.Is(err, qc.ErrNotFound): // evicted meanwhile
		case err != nil:
			return report, fmt.Errorf("check derivatives: %w", err)
		default:
			report.Files++
			report.Bytes += file.size
			if err := opened.Close(); err != nil {
				return report, fmt.Errorf("check derivatives: %w", err)
			}
		}
	}
	return report, nil
}

// derivedName returns the path of a derivative inside the root.
func derivedName(d qc.Digest, profile string) (string, error) {
	name, err := place(d)
	if err != nil {
		return "", err
	}
	if profile == "" || len(profile) > 32 || strings.Trim(profile, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", fmt.Errorf("%w: %.40q", ErrProfile, profile)
	}
	return name + "." + profile, nil
}
