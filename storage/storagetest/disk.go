package storagetest

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// disk is a model of a folder on a disk that may lose its power: for every file
// and every folder what is surely there, and what was done since it was last
// synced. It is as harsh as POSIX allows: of what is not synced any part may be
// there, in any order, and a file's own sync says nothing about its name.
type disk struct {
	root    string // of the traced process
	folders map[string]*folder
	// deaf ignores syncs of files, deafFolders those of folders: planted faults.
	deaf, deafFolders bool
}

// file is what a name stands for: a file's content, or a folder (nil content
// list, see folders).
type file struct {
	folder  string // path when it is a folder
	durable []byte
	pending []edit
	size    int64 // as the process sees it
}

// edit is one change of a file's content.
type edit struct {
	at    int // when it was done
	off   int64
	data  []byte
	trunc bool // cut or grow to off
}

// folder is a folder's names.
type folder struct {
	durable map[string]*file
	visible map[string]*file
	pending []naming
}

// naming is one change of names that happens whole or not at all: nil removes.
type naming struct {
	at    int
	names map[string]*file
}

// newDisk returns the model of a folder as it is now, all of it synced.
func newDisk(root string) (*disk, error) {
	d := &disk{root: root, folders: make(map[string]*folder)}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		node := &file{}
		if entry.IsDir() {
			node.folder = path
			d.folders[path] = &folder{durable: make(map[string]*file), visible: make(map[string]*file)}
		} else {
			if node.durable, err = os.ReadFile(path); err != nil {
				return err
			}
			node.size = int64(len(node.durable))
		}
		if path != root {
			parent := d.folders[filepath.Dir(path)]
			parent.durable[entry.Name()], parent.visible[entry.Name()] = node, node
		}
		return nil
	})
	return d, err
}

// find returns what a path means, nil for nothing.
func (d *disk) find(path string) *file {
	if path == d.root {
		return &file{folder: path}
	}
	parent := d.folders[filepath.Dir(path)]
	if parent == nil {
		return nil
	}
	return parent.visible[filepath.Base(path)]
}

// name gives paths of one folder a new meaning, in one step.
func (d *disk) name(at int, dir string, names map[string]*file) error {
	f := d.folders[dir]
	if f == nil {
		return fmt.Errorf("folder %s is not known", dir)
	}
	for name, node := range names {
		if node == nil {
			delete(f.visible, name)
		} else {
			f.visible[name] = node
		}
	}
	f.pending = append(f.pending, naming{at, names})
	return nil
}

func (d *disk) makeFolder(at int, path string) error {
	d.folders[path] = &folder{durable: make(map[string]*file), visible: make(map[string]*file)}
	return d.name(at, filepath.Dir(path), map[string]*file{filepath.Base(path): {folder: path}})
}

// rename moves a file. Between two folders each learns of it by itself.
func (d *disk) rename(at int, from, to string) error {
	node := d.find(from)
	if node == nil || node.folder != "" {
		return fmt.Errorf("rename of %s, which is no known file", from)
	}
	if filepath.Dir(from) == filepath.Dir(to) {
		return d.name(at, filepath.Dir(from), map[string]*file{filepath.Base(from): nil, filepath.Base(to): node})
	}
	if err := d.name(at, filepath.Dir(to), map[string]*file{filepath.Base(to): node}); err != nil {
		return err
	}
	return d.name(at, filepath.Dir(from), map[string]*file{filepath.Base(from): nil})
}

func (f *file) write(at int, off int64, data []byte) {
	f.pending = append(f.pending, edit{at: at, off: off, data: data})
	f.size = max(f.size, off+int64(len(data)))
}

func (f *file) truncate(at int, size int64) {
	f.pending = append(f.pending, edit{at: at, off: size, trunc: true})
	f.size = size
}

// sync makes durable what was done before the given moment.
func (d *disk) sync(node *file, before int) {
	if node.folder == "" && d.deaf || node.folder != "" && d.deafFolders {
		return
	}
	if node.folder == "" {
		for len(node.pending) > 0 && node.pending[0].at < before {
			node.durable = node.pending[0].apply(node.durable)
			node.pending = node.pending[1:]
		}
		return
	}
	f := d.folders[node.folder]
	for len(f.pending) > 0 && f.pending[0].at < before {
		f.pending[0].apply(f.durable)
		f.pending = f.pending[1:]
	}
}

func (n naming) apply(to map[string]*file) {
	for name, node := range n.names {
		if node == nil {
			delete(to, name)
		} else {
			to[name] = node
		}
	}
}

func (e edit) apply(to []byte) []byte {
	if e.trunc {
		return resized(to, e.off)
	}
	return written(to, e.off, e.data)
}

func resized(data []byte, size int64) []byte {
	if size <= int64(len(data)) {
		return data[:size:size] // what was behind is gone, also when it grows again
	}
	return append(data, make([]byte, size-int64(len(data)))...)
}

func written(to []byte, off int64, data []byte) []byte {
	if end := off + int64(len(data)); end > int64(len(to)) {
		to = resized(to, end)
	}
	copy(to[off:], data)
	return to
}

// How much of what is not synced a crash leaves of a file or a folder.
const (
	keepsAll    = iota // the kernel had written everything
	keepsNone          // or nothing
	keepsFirst         // everything up to some moment, the last one torn
	keepsAny           // any of it, each torn
	keepsLength        // any of it, and the final length with zeros for the rest
	waysToKeep
)

// crash writes what the disk may hold after a power cut now into an empty
// folder.
func (d *disk) crash(random *rand.Rand, to string) error {
	return d.settle(random, d.root, to)
}

func (d *disk) settle(random *rand.Rand, from, to string) error {
	f := d.folders[from]
	names := maps.Clone(f.durable)
	left := f.pending
	switch way := random.IntN(waysToKeep); way {
	case keepsNone:
		left = nil
	case keepsFirst:
		left = left[:random.IntN(len(left)+1)]
	case keepsAny, keepsLength:
		left = slices.DeleteFunc(slices.Clone(left), func(naming) bool { return random.IntN(2) == 0 })
	}
	for _, n := range left {
		n.apply(names)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		node, path := names[name], filepath.Join(to, name)
		if node.folder == "" {
			if err := os.WriteFile(path, node.settle(random), 0o600); err != nil {
				return err
			}
			continue
		}
		if err := os.Mkdir(path, 0o700); err != nil {
			return err
		}
		if err := d.settle(random, node.folder, path); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) settle(random *rand.Rand) []byte {
	data := slices.Clone(f.durable)
	way, left := random.IntN(waysToKeep), f.pending
	switch way {
	case keepsNone:
		left = nil
	case keepsFirst:
		left = left[:random.IntN(len(left)+1)]
	}
	for i, e := range left {
		some := way == keepsAny || way == keepsLength
		switch {
		case some && random.IntN(2) == 0:
		case e.trunc || !some && (way != keepsFirst || i < len(left)-1):
			data = e.apply(data)
		default:
			data = e.torn(random, data)
		}
	}
	if way == keepsLength && int64(len(data)) < f.size {
		data = resized(data, f.size)
	}
	return data
}

// torn writes some of an edit's sectors.
func (e edit) torn(random *rand.Rand, to []byte) []byte {
	for from := int64(0); from < int64(len(e.data)); {
		end := min((e.off+from)/sector*sector+sector-e.off, int64(len(e.data)))
		if random.IntN(2) == 0 {
			to = written(to, e.off+from, e.data[from:end])
		}
		from = end
	}
	return to
}
