package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/blob"
	"flawmark/storage/central"
	"flawmark/sync/intake"
	"flawmark/sync/notify"
	"flawmark/ui/web"
)

// The rooms do not know each other. Here the store speaks the words of the
// door for stations and of the pages.

// forIntake is the store as [intake.Centre].
type forIntake struct {
	*central.Store
	discard func(upload string) error // the file of an upload
}

func (c *centre) forIntake() forIntake {
	return forIntake{Store: c.store, discard: c.discardStaged}
}

func (f forIntake) BeginEnrolment(ctx context.Context, name string, key ed25519.PublicKey, at time.Time) (intake.Enrolment, error) {
	e, err := f.Store.BeginEnrolment(ctx, name, key, at)
	return intake.Enrolment{UserCode: e.UserCode, DeviceCode: e.DeviceCode, ExpiresAt: e.ExpiresAt}, err
}

func (f forIntake) Station(ctx context.Context, id qc.StationID) (intake.Station, error) {
	s, err := f.Store.Station(ctx, id)
	return intake.Station{ID: s.ID, Key: s.Key, AckedSeq: s.AckedSeq, RevokedAt: s.RevokedAt}, err
}

func (f forIntake) BeginUpload(ctx context.Context, u intake.Upload) (intake.Upload, error) {
	got, replaced, err := f.Store.BeginUpload(ctx, central.Upload(u))
	if err == nil && replaced != "" {
		if err = f.discard(replaced); errors.Is(err, blob.ErrBusy) {
			err = nil // somebody writes to it at this very moment; it is swept up later
		}
	}
	return intake.Upload(got), err
}

func (f forIntake) Upload(ctx context.Context, id string) (intake.Upload, error) {
	got, err := f.Store.Upload(ctx, id)
	return intake.Upload(got), err
}

// refusals names the errors of the store and the folder for the door.
func refusals() intake.Refusals {
	return intake.Refusals{
		Gap: func(err error) (uint64, bool) {
			gap, ok := errors.AsType[*central.Gap](err)
			if !ok {
				return 0, false
			}
			return gap.Expected, true
		},
		Fork: central.ErrFork, Revoked: central.ErrRevoked,
		Batch: central.ErrBatch, Pending: central.ErrPending, Expired: central.ErrExpired, Code: central.ErrCode,
		CursorGone: central.ErrCursorGone, Digest: blob.ErrDigest, Full: blob.ErrFull, StoreFull: central.ErrFull,
		Overtaken: blob.ErrBusy, Away: away,
	}
}

// away reports that the database, or the place of the photo files, does not answer,
// or does not let us in: whoever asks is not at fault and may try again.
func away(err error) bool {
	return errors.Is(err, blob.ErrAway) || errors.Is(err, blob.ErrBucket) || central.IsAway(err)
}

// forPages is the store as [web.Store].
type forPages struct{ *central.Store }

func (f forPages) OrderByToken(ctx context.Context, order qc.OrderID, token string, at time.Time) (web.OrderView, error) {
	v, err := f.Store.OrderByToken(ctx, order, token, at)
	if errors.Is(err, central.ErrLink) {
		return web.OrderView{}, errors.Join(web.ErrLink, err)
	}
	if err != nil {
		return web.OrderView{}, err
	}
	return web.OrderView{
		Order: v.Order, Cases: v.Cases, Findings: v.Findings, Balance: v.Balance, Held: v.Held, Statement: pageLines(v.Statement),
		Older: v.Older, Tickets: v.Tickets, Stored: v.Stored,
	}, nil
}

func pageLines(lines []central.Line) []web.Line {
	all := make([]web.Line, len(lines))
	for i, line := range lines {
		all[i] = web.Line(line)
	}
	return all
}

func (f forPages) StatementBefore(ctx context.Context, id qc.CustomerID, before int64, limit int) ([]web.Line, bool, error) {
	lines, older, err := f.Store.StatementBefore(ctx, id, before, limit)
	return pageLines(lines), older, err
}

func (f forPages) Act(ctx context.Context, id qc.CaseID, version int, event refund.Event, key string) (refund.Case, error) {
	c, err := f.Store.Act(ctx, id, version, event, key)
	return c, forPage(err)
}

// forPage names an error of the store as the pages do.
func forPage(err error) error {
	if conflict, ok := errors.AsType[*central.Conflict](err); ok {
		return &web.Conflict{Case: conflict.Case}
	}
	if errors.Is(err, central.ErrSellerRef) {
		return errors.Join(web.ErrSellerRef, err)
	}
	if errors.Is(err, central.ErrClaimed) {
		return errors.Join(web.ErrClaimed, err)
	}
	return err
}

func (f forPages) Worklist(ctx context.Context, filter web.WorkFilter) (web.Work, error) {
	work, err := f.Store.Worklist(ctx, central.WorkFilter(filter))
	list := web.Work{Total: work.Total}
	for _, row := range work.Rows {
		list.Rows = append(list.Rows, web.WorkRow(row))
	}
	return list, err
}

func (f forPages) WorkCounts(ctx context.Context, me qc.StaffID, at time.Time) (web.WorkCounts, error) {
	counts, err := f.Store.WorkCounts(ctx, me, at)
	own := web.WorkCounts{
		Open: counts.Open, Overdue: counts.Overdue, Mine: counts.Mine, Unassigned: counts.Unassigned, Untold: counts.Untold,
		Sides: counts.Sides, Statuses: counts.Statuses,
	}
	for _, seller := range counts.Sellers {
		own.Sellers = append(own.Sellers, web.SellerCount(seller))
	}
	return own, err
}

func (f forPages) Tickets(ctx context.Context, filter web.TicketFilter) ([]refund.Ticket, error) {
	return f.Store.Tickets(ctx, central.TicketFilter(filter))
}

func (f forPages) SaveTemplate(ctx context.Context, t refund.Template) error {
	err := f.Store.SaveTemplate(ctx, t)
	if errors.Is(err, central.ErrTemplateMoved) {
		return errors.Join(web.ErrTemplateMoved, err)
	}
	return err
}

func (f forPages) KeepRun(ctx context.Context, run web.Run) error {
	return f.Store.KeepRun(ctx, central.Run(run))
}

func (f forPages) Run(ctx context.Context, id string, of qc.StaffID) (web.Run, error) {
	run, err := f.Store.Run(ctx, id, of)
	return web.Run(run), err
}

func (f forPages) Dossier(ctx context.Context, id qc.CaseID) (web.Dossier, error) {
	d, err := f.Store.Dossier(ctx, id)
	return web.Dossier(d), err
}

func (f forPages) Telling(ctx context.Context, id qc.CaseID, at time.Time) (web.Telling, error) {
	told, err := f.Store.Telling(ctx, id, at)
	return web.Telling(told), err
}

func (f forPages) SignIn(ctx context.Context, id qc.StaffID, password string, from web.Source, at time.Time) (qc.Staff, error) {
	staff, err := f.Store.SignIn(ctx, id, password, central.Source(from), at)
	if _, ok := errors.AsType[*central.Locked](err); ok { // which is an ErrSignIn as well
		return staff, fmt.Errorf("%w: %s", web.ErrLocked, err.Error())
	}
	if errors.Is(err, central.ErrSignIn) {
		return staff, errors.Join(web.ErrSignIn, err)
	}
	return staff, err
}

func (f forPages) Subscribe(ctx context.Context, s refund.Subscription, at time.Time) error {
	if err := notify.CheckSubscription(s); err != nil {
		return err
	}
	return f.Store.Subscribe(ctx, s, at)
}

func (f forPages) Session(ctx context.Context, secret string, at time.Time) (qc.Staff, error) {
	staff, err := f.Store.Session(ctx, secret, at)
	if errors.Is(err, central.ErrSignIn) {
		return staff, errors.Join(web.ErrSignIn, err)
	}
	return staff, err
}

// openBlobs are the photo files as [web.Blobs].
type openBlobs struct{ blob.Files }

func (o openBlobs) Open(d qc.Digest) (web.Blob, error) {
	file, err := o.Files.Open(d)
	if err != nil {
		return nil, err // not the file: a nil *File would not be a nil Blob
	}
	return file, nil
}

// openDerived is the cache as what the pages keep of photos.
type openDerived struct{ *blob.Derived }

func (o openDerived) Get(ctx context.Context, d qc.Digest, profile string) (web.Blob, error) {
	file, err := o.Derived.Get(ctx, d, profile)
	if err != nil {
		return nil, err
	}
	return file, nil
}
