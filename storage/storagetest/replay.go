package storagetest

import (
	"fmt"
	"path/filepath"
	"strings"
)

// replay follows the calls of one process on a model of its disk.
type replay struct {
	disk *disk
	cwd  string
	open map[int64]*handle
	// said is what the process wrote to its standard output so far.
	said strings.Builder
}

// handle is an open file.
type handle struct {
	path   string
	node   *file // nil: outside the folder
	off    int64
	append bool
}

func newReplay(d *disk, cwd string) *replay {
	return &replay{disk: d, cwd: cwd, open: make(map[int64]*handle)}
}

func (r *replay) inside(path string) bool {
	return path == r.disk.root || strings.HasPrefix(path, r.disk.root+"/")
}

// at resolves a path that stands beside the file number of a folder.
func (r *replay) at(c syscall, fd, path int) (string, error) {
	text, err := c.text(path)
	if err != nil {
		return "", err
	}
	if filepath.IsAbs(text) {
		return filepath.Clean(text), nil
	}
	base := r.cwd
	if fd >= 0 && c.arg(fd) != "AT_FDCWD" {
		number, err := c.number(fd)
		if err != nil {
			return "", err
		}
		h := r.open[number]
		if h == nil {
			return "", fmt.Errorf("%s: file %d is not known", c.name, number)
		}
		base = h.path
	}
	return filepath.Join(base, text), nil
}

// handle returns the open file that an argument names.
func (r *replay) handle(c syscall, n int) (*handle, error) {
	number, err := c.number(n)
	if err != nil {
		return nil, err
	}
	if h := r.open[number]; h != nil {
		return h, nil
	}
	return &handle{}, nil // a pipe or a socket
}

// apply does one call. What changes a file in a way that the model does not
// know is an error: it must not pass unseen.
func (r *replay) apply(c syscall) error {
	if c.ret < 0 {
		return nil
	}
	switch c.name {
	case "openat":
		return r.opened(c, 0)
	case "open":
		return r.opened(c, -1)
	case "close":
		number, err := c.number(0)
		delete(r.open, number)
		return err
	case "dup", "dup2", "dup3":
		return r.duplicated(c)
	case "fcntl":
		if strings.HasPrefix(c.arg(1), "F_DUPFD") {
			return r.duplicated(c)
		}
		return nil
	case "lseek":
		h, err := r.handle(c, 0)
		h.off = c.ret
		return err
	case "write", "writev":
		return r.wrote(c, false)
	case "pwrite64", "pwritev", "pwritev2":
		return r.wrote(c, true)
	case "ftruncate":
		h, err := r.handle(c, 0)
		if err != nil || h.node == nil {
			return err
		}
		size, err := c.number(1)
		h.node.truncate(c.ended, size)
		return err
	case "fsync", "fdatasync":
		h, err := r.handle(c, 0)
		if err == nil && h.node != nil {
			r.disk.sync(h.node, c.began)
		}
		return err
	case "mkdir":
		return r.made(c, -1)
	case "mkdirat":
		return r.made(c, 0)
	case "rename":
		return r.renamed(c, -1, 0, -1, 1)
	case "renameat", "renameat2":
		return r.renamed(c, 0, 1, 2, 3)
	case "unlink", "rmdir":
		return r.removed(c, -1)
	case "unlinkat":
		return r.removed(c, 0)
	case "mmap":
		if strings.Contains(c.arg(2), "PROT_WRITE") && strings.Contains(c.arg(3), "MAP_SHARED") && !strings.Contains(c.arg(3), "MAP_ANONYMOUS") {
			return r.unknown(c, 4)
		}
		return nil
	case "fallocate", "sendfile", "splice", "sync_file_range":
		return r.unknown(c, 0)
	case "copy_file_range":
		return r.unknown(c, 2)
	}
	for n := range c.args {
		if path, err := c.text(n); err == nil && path != "" && r.inside(filepath.Join(r.cwd, path)) {
			return fmt.Errorf("the model does not know %s", c.name)
		}
	}
	return nil
}

func (r *replay) unknown(c syscall, fd int) error {
	h, err := r.handle(c, fd)
	if err == nil && h.node != nil {
		err = fmt.Errorf("the model does not know %s of %s", c.name, h.path)
	}
	return err
}

func (r *replay) opened(c syscall, fd int) error {
	path, err := r.at(c, fd, fd+1)
	if err != nil {
		return err
	}
	flags := c.arg(fd + 2)
	h := &handle{path: path, append: strings.Contains(flags, "O_APPEND")}
	r.open[c.ret] = h
	if !r.inside(path) {
		return nil
	}
	h.node = r.disk.find(path)
	switch {
	case h.node == nil && strings.Contains(flags, "O_CREAT"):
		h.node = &file{}
		return r.disk.name(c.ended, filepath.Dir(path), map[string]*file{filepath.Base(path): h.node})
	case h.node == nil:
		return fmt.Errorf("%s was opened and is not known", path)
	case strings.Contains(flags, "O_TRUNC") && h.node.folder == "":
		h.node.truncate(c.ended, 0)
	}
	return nil
}

func (r *replay) duplicated(c syscall) error {
	h, err := r.handle(c, 0)
	r.open[c.ret] = h
	return err
}

func (r *replay) wrote(c syscall, placed bool) error {
	h, err := r.handle(c, 0)
	if err != nil {
		return err
	}
	if h.node == nil && c.arg(0) != "1" {
		return nil
	}
	data, err := c.bytes(1)
	if err != nil {
		return err
	}
	data = data[:min(int64(len(data)), c.ret)]
	if h.node == nil {
		r.said.Write(data)
		return nil
	}
	off := h.off
	if h.append {
		off = h.node.size
	}
	if placed {
		if off, err = c.number(3); err != nil {
			return err
		}
	} else {
		h.off = off + int64(len(data))
	}
	h.node.write(c.ended, off, data)
	return nil
}

func (r *replay) made(c syscall, fd int) error {
	path, err := r.at(c, fd, fd+1)
	if err != nil || !r.inside(path) {
		return err
	}
	return r.disk.makeFolder(c.ended, path)
}

func (r *replay) renamed(c syscall, fromFD, fromPath, toFD, toPath int) error {
	from, err := r.at(c, fromFD, fromPath)
	if err != nil {
		return err
	}
	to, err := r.at(c, toFD, toPath)
	if err != nil || !r.inside(from) && !r.inside(to) {
		return err
	}
	return r.disk.rename(c.ended, from, to)
}

func (r *replay) removed(c syscall, fd int) error {
	path, err := r.at(c, fd, fd+1)
	if err != nil || !r.inside(path) {
		return err
	}
	return r.disk.name(c.ended, filepath.Dir(path), map[string]*file{filepath.Base(path): nil})
}
