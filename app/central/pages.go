package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"flawmark/app/command"
	"flawmark/assets"
	"flawmark/imaging/photo"
	"flawmark/storage/blob"
	"flawmark/ui/web"
)

// What the pages make of photos takes at most developedDisk, or a twentieth of a
// small disk, and making and showing it at most developingMemory: room for one
// photo of 100 megapixels that is decoded without libjpeg, or a dozen of usual ones.
const (
	developedDisk    = 4 << 30
	developingMemory = 512 << 20
)

// pages are what people open; close is called when nobody does any more.
func (c *centre) pages(ctx context.Context) (_ *web.Pages, closePages func() error, err error) {
	sessions, err := c.store.Secret(ctx, "desk sessions")
	if err != nil {
		return nil, nil, err
	}
	words := make(map[string]assets.Words)
	for _, language := range assets.Languages() {
		if words[language], err = assets.LoadWords(language); err != nil {
			return nil, nil, err
		}
	}
	room := int64(developedDisk)
	if space, err := blob.SpaceOf(c.settings.Data); err == nil {
		room = min(room, space.Total/20)
	}
	derived, err := blob.OpenDerived(filepath.Join(c.settings.Data, "derived"), room)
	if err != nil {
		return nil, nil, command.Fail("cli.folder_unusable", err, "folder", c.settings.Data)
	}
	pushKey, err := c.pushKey(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, derived.Close())
	}
	pages, err := web.New(web.Config{
		Store: countingSignIns{forPages{c.store}, c.metrics}, Blobs: openBlobs{c.blobs}, Derived: openDerived{derived},
		Budget: photo.NewBudget(developingMemory), Words: words, Catalogue: c.flaws,
		Secret: sessions, Now: c.now, Log: c.log, Secure: strings.HasPrefix(c.public(), "https:"),
		Away: away, Public: c.public(), PushKey: pushKey, SignOn: c.signOn(), People: c.people(),
		NoMail: c.settings.SMTP.Host == "",
	})
	if err != nil {
		return nil, nil, errors.Join(err, derived.Close())
	}
	return pages, derived.Close, nil
}
