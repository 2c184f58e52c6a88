package web

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"flawmark/app/qc"
)

// A cookie tells a browser in which somebody has signed in before from those of
// strangers, whose wrong passwords then do not keep that person out of it. It
// lets nobody in. It holds a name of the browser's own and a mark for each of
// the last few people, which tells nobody who they are.
const (
	deviceCookie = "flawmark_device"
	deviceFor    = 180 * 24 * time.Hour
	devicePeople = 8  // who share a desk
	deviceName   = 26 // letters of [rand.Text]
	deviceMark   = 16 // bytes
)

// device is what the cookie holds.
type device struct {
	name  string
	marks []string // the last to sign in first
}

func (p *Pages) deviceOf(r *http.Request) device {
	parts := strings.Split(p.valueOf(r, deviceCookie, 400), ".")
	return device{parts[0], parts[1:]}
}

func (p *Pages) mark(name string, id qc.StaffID) string {
	return base64.RawURLEncoding.EncodeToString(p.sign("device", name, string(id))[:deviceMark])
}

// source is where a try to sign in as somebody comes from.
func (p *Pages) source(r *http.Request, id qc.StaffID) Source {
	d := p.deviceOf(r)
	mark := []byte(p.mark(d.name, id))
	if slices.ContainsFunc(d.marks, func(given string) bool { return hmac.Equal([]byte(given), mark) }) {
		return Source{Name: "device " + d.name, Known: true}
	}
	address, _ := peer(r) // never fails
	return Source{Name: address}
}

// knowing returns the cookie's value after somebody has signed in.
func (p *Pages) knowing(r *http.Request, id qc.StaffID) string {
	d := p.deviceOf(r)
	if len(d.name) != deviceName {
		d = device{name: rand.Text()}
	}
	mark := p.mark(d.name, id)
	marks := append([]string{mark}, slices.DeleteFunc(d.marks, func(given string) bool { return given == mark })...)
	return strings.Join(append([]string{d.name}, marks[:min(len(marks), devicePeople)]...), ".")
}
