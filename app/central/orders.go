package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/storage/central"
)

// maxImport bounds an order file.
const maxImport = 10 << 20

func importOrders(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "FILE")
	}
	path := call.Path(call.Args[0])
	data, err := readLimited(path)
	if err != nil {
		return err
	}
	parse := central.ParseOrdersJSON
	if !strings.EqualFold(filepath.Ext(path), ".json") {
		parse = central.ParseOrdersCSV
	}
	parsed, err := parse(data, c.now())
	if err != nil {
		return err
	}
	folder := os.DirFS(filepath.Dir(path))
	done, err := c.takeOrders(ctx, parsed, folder)
	if err != nil {
		return err
	}
	call.Say("cli.orders_imported", "orders", strconv.Itoa(done.Orders),
		"items", strconv.Itoa(done.Items), "unchanged", strconv.Itoa(done.Unchanged))
	return nil
}

// takeOrders stores the orders with their listing photos, found in folder.
func (c *centre) takeOrders(ctx context.Context, parsed central.OrderFile, folder fs.FS) (central.Import, error) {
	items := slices.Sorted(maps.Keys(parsed.ListingPhotos))
	for _, item := range items { // all of them before the first is kept
		if _, err := readListing(folder, item, parsed.ListingPhotos[item]); err != nil {
			return central.Import{}, err
		}
	}
	photos := make(map[qc.ItemID]qc.Digest)
	for _, item := range items {
		data, err := readListing(folder, item, parsed.ListingPhotos[item])
		if err != nil {
			return central.Import{}, err
		}
		if photos[item], err = c.blobs.PutBytes(ctx, data); err != nil {
			return central.Import{}, err
		}
	}
	for i := range parsed.Orders {
		for j := range parsed.Orders[i].Items {
			item := &parsed.Orders[i].Items[j]
			item.ListingPhoto = photos[item.ID]
		}
	}
	return c.store.ImportOrders(ctx, parsed.Orders, c.now())
}

// Pages show JPEGs, taking their metadata out in memory. A listing photo that is
// none, or has more than listingBytes, is made one that fits into listingSide.
const (
	listingBytes   = 16 << 20
	listingSide    = 4096
	listingQuality = 90
)

// readListing reads the listing photo of an item as a JPEG.
func readListing(folder fs.FS, item qc.ItemID, name string) ([]byte, error) {
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, command.Fail("error.file_missing", err, "file", name)
	}
	broken := func(err error) error {
		return command.Fail("cli.listing_photo_broken", err, "file", name, "item", string(item))
	}
	info, err := photo.Inspect(bytes.NewReader(data), int64(len(data)), photo.DefaultLimits())
	if err != nil {
		return nil, broken(err)
	}
	if info.Kind == photo.JPEG && len(data) <= listingBytes {
		return data, nil
	}
	picture, _, err := photo.DecodeFit(data, listingSide, listingSide, photo.DefaultLimits())
	if err != nil {
		return nil, broken(err)
	}
	var file bytes.Buffer
	if err := photo.EncodeJPEG(&file, picture, listingQuality); err != nil {
		return nil, broken(err)
	}
	return file.Bytes(), nil
}

func readLimited(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, command.Fail("error.file_missing", err, "file", path)
	}
	if err != nil {
		return nil, command.Fail("cli.file_unreadable", err, "file", path)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxImport+1))
	if err != nil {
		return nil, command.Fail("cli.file_unreadable", err, "file", path)
	}
	if len(data) > maxImport {
		return nil, command.Fail("error.file_too_big", nil, "limit", "10 MB")
	}
	return data, nil
}

// brokenImport says where the file is broken, as far as that is one place.
func brokenImport(broken *central.ImportError) *command.Problem {
	key := "error.csv_broken"
	switch {
	case broken.Line == 0 && broken.Column == "":
		key = "cli.import_nothing"
	case broken.Line == 0:
		key = "cli.import_member"
	case broken.Column == "":
		key = "cli.import_line"
	}
	return command.Fail(key, broken, "line", strconv.Itoa(broken.Line), "column", broken.Column)
}

func linkOrder(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ORDER")
	}
	order := qc.OrderID(call.Args[0])
	token, err := c.store.LinkOrder(ctx, order, "", c.now())
	if errors.Is(err, qc.ErrNotFound) {
		return command.Fail("error.order_unknown", err, "order", string(order))
	}
	if err != nil {
		return err
	}
	call.Say("cli.order_link", "link", c.orderLink(order, token))
	return nil
}
