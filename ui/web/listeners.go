package web

import "sync"

// mostStreams are open at a time for one link or one session: some pages in
// some windows. Each looks at the store after every change, whoever made it, so
// that many of them would be a cheap way to keep it busy.
const mostStreams = 20

// listeners counts open streams by who holds them.
type listeners struct {
	mu   sync.Mutex
	open map[string]int
}

// enter takes a place for one more stream, or says that there is none.
func (l *listeners) enter(who string) (leave func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[who] >= mostStreams {
		return nil, false
	}
	l.open[who]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open[who]--; l.open[who] == 0 {
			delete(l.open, who)
		}
	}, true
}
