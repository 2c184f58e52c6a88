package model

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// Notice is the sentence in the banner. Bad ones stay until the next thing
// succeeds or the person closes them.
type Notice struct {
	Sentence Sentence
	Bad      bool
}

// Notices holds the current notice.
type Notices struct {
	OnChange func()

	parts   Parts
	current Notice
	since   time.Time
}

// Current returns the notice to show; its Sentence may be empty.
func (n *Notices) Current() Notice { return n.current }

// Clear takes the notice away.
func (n *Notices) Clear() { n.set(Notice{}) }

// Tell shows a sentence about something that went well.
func (n *Notices) Tell(s Sentence) { n.set(Notice{Sentence: s}) }

// Warn shows a sentence about something that the person must do differently.
func (n *Notices) Warn(s Sentence) { n.set(Notice{Sentence: s, Bad: true}) }

// fail shows the sentence for an error and writes the error to the log. pairs
// fill the sentence's placeholders.
func (n *Notices) fail(what string, err error, pairs ...any) {
	if errors.Is(err, context.Canceled) {
		return // the program is closing
	}
	key := errorKey(err)
	if key == "" {
		key = n.parts.Explain(err)
	}
	if key == "" {
		key = "error.unexpected"
	}
	id := n.parts.NewID()
	reference := strings.ToUpper(id[max(0, len(id)-6):])
	n.parts.Log.Error("failed", slog.String("to", what), slog.String("reference", reference), slog.Any("error", err))
	n.Warn(Say(key, append(pairs, "reference", reference)...))
}

// fadeAfter is how long good news stays at least.
const fadeAfter = 10 * time.Second

// fade takes good news away once it has been read.
func (n *Notices) fade() {
	if !n.current.Bad && !n.current.Sentence.IsZero() && n.parts.Now().Sub(n.since) >= fadeAfter {
		n.Clear()
	}
}

func (n *Notices) set(notice Notice) {
	n.current, n.since = notice, n.parts.Now()
	if n.OnChange != nil {
		n.OnChange()
	}
}

// errorKey gives the sentence for the errors that this package knows itself.
func errorKey(err error) string {
	for _, known := range []struct {
		err error
		key string
	}{
		{photo.ErrNotPhoto, "error.not_a_photo"},
		{photo.ErrUnsupported, "error.not_a_photo"},
		{photo.ErrEmpty, "error.empty_file"},
		{photo.ErrTooLarge, "station.photo_too_large"},
		{photo.ErrTruncated, "error.photo_truncated"},
		{photo.ErrUnreadable, "error.photo_unreadable"},
		{tiles.ErrMismatch, "error.blob_damaged"},
		{fs.ErrNotExist, "error.file_missing"},
		{qc.ErrWaybill, "error.waybill_invalid"},
	} {
		if errors.Is(err, known.err) {
			return known.key
		}
	}
	// The domain's own errors are named after their sentences.
	for _, known := range []error{
		qc.ErrNoPhoto, qc.ErrNoFlaw, qc.ErrFlawOnPass, qc.ErrFlawCode, qc.ErrFlawQuantity, qc.ErrMarkElsewhere, qc.ErrMarkCount,
		refund.ErrNotNow, refund.ErrNotYours, refund.ErrOwnFinding,
	} {
		if errors.Is(err, known) {
			return "error." + known.Error()
		}
	}
	return ""
}
