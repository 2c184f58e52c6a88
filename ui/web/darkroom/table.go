package darkroom

import (
	"flawmark/imaging/tiles"
)

// mostOpen is how many pictures stay open; one takes a file or two and, of 100
// megapixels, half a megabyte.
const mostOpen = 32

// entry is an open picture with its files.
type entry struct {
	name    string
	picture *tiles.Picture
	files   []File
	users   int
	used    int // when it was last taken
}

func (e *entry) release() {
	for _, file := range e.files {
		_ = file.Close()
	}
}

// table keeps pictures open for a while, those in use in any case.
type table struct {
	open  map[string]*entry
	clock int
}

// shrink closes what has not been used for the longest time.
func (t *table) shrink(to int) {
	for len(t.open) > to {
		var oldest *entry
		for _, e := range t.open {
			if e.users == 0 && (oldest == nil || e.used < oldest.used) {
				oldest = e
			}
		}
		if oldest == nil {
			return
		}
		delete(t.open, oldest.name)
		oldest.release()
	}
}

// take returns the picture with a name, opening it if need be.
func (d *Darkroom) take(name string, open func() (*entry, error)) (*entry, error) {
	d.mu.Lock()
	e := d.table.open[name]
	if e == nil {
		d.mu.Unlock()
		opened, err := open()
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		if e = d.table.open[name]; e != nil {
			opened.release() // another was quicker
		} else {
			e = opened
			e.name = name
			d.table.open[name] = e
		}
	}
	defer d.mu.Unlock()
	d.table.clock++
	e.users, e.used = e.users+1, d.table.clock
	d.table.shrink(mostOpen)
	return e, nil
}

// give returns what take gave.
func (d *Darkroom) give(e *entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e.users--
}
