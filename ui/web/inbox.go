package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"sync"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/imaging/photo"
)

// Limits of pictures that people send with a message.
const (
	receivedAtOnce = 6               // requests with pictures, of all people
	receiveTime    = 3 * time.Minute // for all pictures of a message on a slow line
	maxForms       = 64 << 10        // bytes of everything but pictures
)

// pictureLimits bounds what one picture may cost. Nobody's telephone needs more.
func pictureLimits() photo.Limits {
	return photo.Limits{
		Bytes: refund.DefaultTicketPolicy().PictureBytes, Pixels: 120e6, Side: 20000, Memory: 480 << 20, Time: 20 * time.Second,
	}
}

// What keeps a picture from being taken, by the key of its sentence.
var (
	errNotPicture     = errors.New("web.picture.none")
	errPictureLarge   = errors.New("web.picture.large")
	errPictureDamaged = errors.New("web.picture.damaged")
	errPicturesMany   = errors.New("error." + refund.ErrTicketPictures.Error())
	errInboxBusy      = errors.New("web.picture.busy")
)

// inbox lets a few people send pictures at once, each of them one message, so
// that a slow or hostile sender holds up nobody else for long.
type inbox struct {
	places  chan struct{}
	mu      sync.Mutex
	senders map[string]bool
}

func newInbox() *inbox {
	return &inbox{places: make(chan struct{}, receivedAtOnce), senders: map[string]bool{}}
}

// enter takes a place for a sender, or says that there is none.
func (i *inbox) enter(sender string) (leave func(), ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.senders[sender] {
		return nil, false
	}
	select {
	case i.places <- struct{}{}:
	default:
		return nil, false
	}
	i.senders[sender] = true
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.senders, sender)
		<-i.places
	}, true
}

// letter is what somebody has sent: the fields of a form and pictures, made
// anew and kept.
type letter struct {
	form     url.Values
	pictures []refund.Picture
	problem  error // of a picture; the fields are there all the same
}

// letter reads a form that may bring pictures. When it returns false, the
// request is answered already.
func (p *Pages) letter(w http.ResponseWriter, r *http.Request, sender string) (letter, bool) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		form, ok := p.form(w, r)
		return letter{form: form}, ok
	}
	line := http.NewResponseController(w)
	_ = line.SetReadDeadline(time.Now().Add(receiveTime)) // the socket's time; not every reader has deadlines
	policy := refund.DefaultTicketPolicy()
	// One picture too many, or one too large, still lets the words arrive.
	r.Body = http.MaxBytesReader(w, r.Body, int64(policy.Pictures+2)*policy.PictureBytes+maxForms)
	parts, err := r.MultipartReader()
	if err != nil {
		p.sorry(w, r, http.StatusBadRequest, "web.form_broken")
		return letter{}, false
	}
	got, err := p.readParts(r.Context(), parts, sender)
	if errors.Is(err, errForm) {
		p.sorry(w, r, http.StatusBadRequest, "web.form_broken")
		return letter{}, false
	}
	if err != nil {
		p.failed(w, r, "picture", err)
		return letter{}, false
	}
	_ = line.SetReadDeadline(time.Time{})
	return got, true
}

// errForm is a form that is not one.
var errForm = errors.New("form is broken")

// maxParts bounds the fields and pictures of a form.
const maxParts = 24

func (p *Pages) readParts(ctx context.Context, parts *multipart.Reader, sender string) (letter, error) {
	got := letter{form: url.Values{}}
	room := int64(maxForms)
	var leave func()
	defer func() {
		if leave != nil {
			leave()
		}
	}()
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if tooLong(err) && got.form.Has("text") {
			got.problem = errPictureLarge // the words came first, and are kept
			return got, nil
		}
		if err != nil || n == maxParts {
			return got, errors.Join(errForm, err)
		}
		if part.FormName() != "photo" {
			value, err := io.ReadAll(io.LimitReader(part, room+1))
			room -= int64(len(value))
			if err != nil || room < 0 || !legible(part.FormName()) || !legible(string(value)) {
				return got, errors.Join(errForm, err)
			}
			got.form.Add(part.FormName(), string(value))
			continue
		}
		if got.problem != nil {
			continue // the rest is read past, so that the answer arrives
		}
		if leave == nil {
			free, ok := p.inbox.enter(sender)
			if leave = free; !ok {
				got.problem = errInboxBusy
				continue
			}
		}
		if err := p.receive(ctx, part, &got); err != nil && !tooLong(err) {
			return got, err // what is too long is told by the next part, which never comes
		}
	}
}

// tooLong reports that more was sent than is read.
func tooLong(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}

// receive takes one picture in. What is wrong with the picture itself is noted
// as the letter's problem.
func (p *Pages) receive(ctx context.Context, part io.Reader, got *letter) error {
	limits := pictureLimits()
	data, err := io.ReadAll(io.LimitReader(part, limits.Bytes+1))
	switch {
	case err != nil:
		return errors.Join(errForm, err)
	case len(data) == 0:
		return nil // a field that was left empty
	case int64(len(data)) > limits.Bytes:
		got.problem = errPictureLarge
		return nil
	case len(got.pictures) >= refund.DefaultTicketPolicy().Pictures:
		got.problem = errPicturesMany
		return nil
	}
	picture, err := p.TakePicture(ctx, data)
	if problem := pictureProblem(err); problem != nil {
		got.problem = problem
		return nil
	}
	if err == nil {
		got.pictures = append(got.pictures, picture)
	}
	return err
}

// TakePicture makes a picture anew and keeps that: nothing of what was sent is
// left, neither the file nor what it told beyond the picture. What is wrong with
// a picture itself is an error of package photo.
func (p *Pages) TakePicture(ctx context.Context, data []byte) (refund.Picture, error) {
	limits := pictureLimits()
	info, err := photo.Inspect(bytes.NewReader(data), int64(len(data)), limits)
	if err != nil {
		return refund.Picture{}, err
	}
	release, err := p.Budget.Acquire(ctx, info.Memory)
	if err != nil {
		return refund.Picture{}, err
	}
	defer release()
	thumb, large, err := photo.Renditions(data, limits)
	if err != nil {
		return refund.Picture{}, err
	}
	picture := refund.Picture{
		Width: large.Width, Height: large.Height, Bytes: int64(len(large.Data)), ThumbBytes: int64(len(thumb.Data)),
	}
	for digest, file := range map[*qc.Digest][]byte{&picture.Digest: large.Data, &picture.Thumb: thumb.Data} {
		if *digest, err = p.Blobs.PutBytes(ctx, file); err != nil {
			return refund.Picture{}, fmt.Errorf("keep picture: %w", err)
		}
	}
	return picture, nil
}

// pictureProblem names what is wrong with a picture; nil for anything else.
func pictureProblem(err error) error {
	switch {
	case errors.Is(err, photo.ErrTooLarge):
		return errPictureLarge
	case errors.Is(err, photo.ErrNotPhoto), errors.Is(err, photo.ErrUnsupported):
		return errNotPicture
	case errors.Is(err, photo.ErrTruncated), errors.Is(err, photo.ErrUnreadable), errors.Is(err, photo.ErrEmpty):
		return errPictureDamaged
	}
	return nil
}

// serveTicketPicture answers with a picture of a ticket, in the size "thumb" or
// "full".
func (p *Pages) serveTicketPicture(w http.ResponseWriter, r *http.Request, t refund.Ticket) {
	digest, size := qc.Digest(r.PathValue("digest")), r.PathValue("size")
	for _, m := range t.Messages {
		for _, picture := range m.Pictures {
			if picture.Digest != digest || size != "thumb" && size != "full" {
				continue
			}
			if size == "thumb" {
				digest = picture.Thumb
			}
			photoHeaders(w.Header())
			err := p.serveDerivative(w, r, digest)
			if errors.Is(err, qc.ErrNotFound) {
				p.nothingHere(w, r)
			} else if err != nil {
				p.failed(w, r, "picture", err)
			}
			return
		}
	}
	p.nothingHere(w, r)
}
