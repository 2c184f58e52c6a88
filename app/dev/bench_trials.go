package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// trials is the one table of what is measured, in the order of the results.
func trials() []trial {
	return []trial{
		{"preview-24", "24 MP JPEG to a file of 1920×1080", previewTrial("preview-24", "P24.jpg", 0.6)},
		{"preview-50", "the same with 50 MP", previewTrial("preview-50", "P50.jpg", 0.6)},
		{"preview-100", "the same with 100 MP, and its memory", previewTrial("preview-100", "P100.jpg", 0.6)},
		{"preview-turned", "24 MP that a camera held upright", previewTrial("preview-turned", "P24-turned.jpg", 0.6)},
		{"preview-progressive", "24 MP progressive; every decoder has to read it whole", previewTrial("preview-progressive", "P24-progressive.jpg", 0)},
		{"preview-files", "100 photos of 12 MP by one process, one after another", previewFiles},
		{"preview-fidelity", "the preview's pixels against a full decode and Lanczos", previewFidelity},
		{"thumb-256", "50 MP to a thumbnail of 256 pixels, against every peer", thumbTrial},
		{"arrival", "50 MP coming in: copy, digest, thumbnail, preview, index", arrivalTrial},
		{"burn-in", "50 MP with 40 marks, decoded and written again", burnInTrial},
		{"pyramid-100", "100 MP as tiles of every level in one file, and the memory", pyramidTrial},
		{"region-512", "512×512 at 1:1 out of 100 MP whose index is there", regionTrial},
		{"first-pixels", "50 MP never seen before: the decode of what is shown first", firstPixels},
		{"open-again", "50 MP that is in: its kept preview to pixels", openAgain},
		{"frame", "a frame while panning and zooming in a real window", windowTrial},
		{"window-memory", "the window's memory with 100 MP open", windowMemory},
		{"save", "a finding with a photo of 12 MP until it is on the disk", saveTrial},
		{"station-start", "a station's data with 3,000 unsent findings, until the first screen can be filled", startTrial},
		{"intake", "a centre that takes flagged findings as fast as it can", floodTrial},
		{"busy", "a centre at 28 findings and 66 MB of photos a second", busyTrial},
		{"desk", "the desk's pages while ten thousand cases are open", deskTrial},
		{"alert", "from the button at the bench to the customer's page, and the decision back", alertTrial},
		{"alert-narrow", "the same over 5 Mbit/s with originals of 40 MB waiting", alertNarrowTrial},
	}
}

const product1 = "flawmark"

// ours is a job of our own program.
func (r *benchRun) ours(argv ...string) racer {
	return command1(append([]string{r.measure}, argv...)...).called(product1)
}

// vipsthumbnail makes to from a photo.
func vipsthumbnail(from, size, to string) racer {
	return command1("vipsthumbnail", from, "-s", size, "-o", to+"[Q=85]").making(to)
}

// folder makes a folder in the scratch folder.
func (r *benchRun) folder(name string) (string, error) {
	dir := r.at(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	return dir, nil
}

func previewTrial(name, photo string, budget float64) func(context.Context, *benchRun) ([]line, error) {
	return func(ctx context.Context, r *benchRun) ([]line, error) {
		dir, err := r.folder("ours")
		if err != nil {
			return nil, err
		}
		c, err := r.race(ctx,
			r.ours("preview", dir, r.photo(photo)).making(filepath.Join(dir, photo)),
			vipsthumbnail(r.photo(photo), "1920x1080", r.at("peer.jpg")))
		if err != nil {
			return nil, err
		}
		lines := []line{timeLine(name, c[0], c[1], budget)}
		if photo == "P100.jpg" {
			lines = append(lines, memoryLine(name+"-memory", c[0], c[1], 64, oursMost))
		}
		return lines, nil
	}
}

func previewFiles(ctx context.Context, r *benchRun) ([]line, error) {
	const count = 100
	from, err := r.folder("hundred")
	if err != nil {
		return nil, err
	}
	var files []string
	for i := range count {
		name := filepath.Join(from, fmt.Sprintf("photo%03d.jpg", i))
		if err := os.Symlink(r.photo("P12.jpg"), name); err != nil {
			return nil, fmt.Errorf("name a photo again: %w", err)
		}
		files = append(files, name)
	}
	ours, err := r.folder("hundred-ours")
	if err != nil {
		return nil, err
	}
	peer, err := r.folder("hundred-peer")
	if err != nil {
		return nil, err
	}
	lastOf := func(dir string) string { return filepath.Join(dir, filepath.Base(files[count-1])) }
	c, err := r.race(ctx,
		r.ours(append([]string{"preview", ours}, files...)...).making(lastOf(ours)),
		command1(append(append([]string{"vipsthumbnail"}, files...), "-s", "1920x1080", "-o", peer+"/%s.jpg[Q=85]")...).making(lastOf(peer)))
	if err != nil {
		return nil, err
	}
	l := timeLine("preview-files", c[0], c[1], 0.85)
	l.Note = strconv.Itoa(count) + " files each"
	return []line{l}, nil
}

func previewFidelity(ctx context.Context, r *benchRun) ([]line, error) {
	peer := r.at("fidelity.png")
	if _, err := r.once(ctx, command1("vipsthumbnail", r.photo("P24.jpg"), "-s", "1920x1080", "-o", peer).making(peer)); err != nil {
		return nil, err
	}
	found, _, err := r.inside(ctx, r.ours("fidelity", r.photo("P24.jpg"), peer), "ours", "peer")
	if err != nil {
		return nil, err
	}
	return []line{{
		Name: "preview-fidelity", Unit: "dB", Ours: found[0].Values[0], Peer: found[1].Values[0], PeerName: "vipsthumbnail",
		Budget: 50, Of: oursLeast, Note: "PSNR before coding; more is better",
	}}, nil
}

func thumbTrial(ctx context.Context, r *benchRun) ([]line, error) {
	photo := r.photo("P50.jpg")
	dir, err := r.folder("ours")
	if err != nil {
		return nil, err
	}
	c, err := r.race(ctx,
		r.ours("thumb", dir, photo).making(filepath.Join(dir, "P50.jpg")),
		vipsthumbnail(photo, "256x256", r.at("peer.jpg")),
		command1("gdk-pixbuf-thumbnailer", "-s", "256", "file://"+photo, r.at("gdk.png")).making(r.at("gdk.png")),
		command1("gm", "convert", "-size", "256x256", photo, "-thumbnail", "256x256", "-quality", "85", r.at("gm.jpg")).making(r.at("gm.jpg")),
		command1("djpeg", "-scale", "1/8", photo).pipeTo("cjpeg", "-quality", "85").into(r.at("djpeg.jpg")).called("djpeg | cjpeg"))
	if err != nil {
		return nil, err
	}
	fastest := quickest(c[2:])
	last := timeLine("thumb-256-fastest", c[0], fastest, 1.05)
	last.Note = "the fastest of " + strconv.Itoa(len(c)-2)
	return []line{timeLine("thumb-256", c[0], c[1], 0.75), last}, nil
}

// quickest is the course with the least median.
func quickest(courses []course) course {
	best := courses[0]
	for _, c := range courses[1:] {
		if median(c.walls()) < median(best.walls()) {
			best = c
		}
	}
	return best
}

// arrivalTrial: the peers do not copy and make no index, and read the photo
// once for each thing they make.
func arrivalTrial(ctx context.Context, r *benchRun) ([]line, error) {
	photo := r.photo("P50.jpg")
	dir, err := r.folder("arrival")
	if err != nil {
		return nil, err
	}
	const peers = `sha256sum "$0" > "$1/sum" && vipsthumbnail "$0" -s 256x256 -o "$1/t.jpg[Q=85]" && vipsthumbnail "$0" -s 1920x1920 -o "$1/p.jpg[Q=85]"`
	c, err := r.race(ctx,
		r.ours("arrive", photo, dir).making(filepath.Join(dir, "index")),
		command1("sh", "-c", peers, photo, dir).making(filepath.Join(dir, "p.jpg")).called("sha256sum, 2 × vipsthumbnail"))
	if err != nil {
		return nil, err
	}
	return []line{timeLine("arrival", c[0], c[1], 1.0)}, nil
}

// burnInTrial measures both ways of burning in, and checks in the same run that
// the lossless one has left alone what it says.
func burnInTrial(ctx context.Context, r *benchRun) ([]line, error) {
	photo, index, made := r.photo("P50.jpg"), r.at("P50.index"), r.at("lossless.jpg")
	if _, err := r.once(ctx, r.ours("index", photo, index).making(index)); err != nil {
		return nil, err
	}
	c, err := r.race(ctx,
		r.ours("burn-in", photo, r.at("ours.jpg")).making(r.at("ours.jpg")),
		command1("djpeg", photo).pipeTo("cjpeg", "-quality", "90").into(r.at("peer.jpg")).called("djpeg | cjpeg"),
		r.ours("burn-in-lossless", photo, index, made).making(made))
	if err != nil {
		return nil, err
	}
	said, err := readings(c[2].runs[0].output)
	if err != nil {
		return nil, err
	}
	if len(said["replaced"].Values) == 0 || len(said["kept"].Values) == 0 {
		return nil, fmt.Errorf("burning in did not say how many blocks it kept")
	}
	replaced := said["replaced"].Values[0]
	share := 100 * replaced / (replaced + said["kept"].Values[0])
	if _, _, err := r.inside(ctx, r.ours("burn-in-check", photo, made, strconv.Itoa(int(replaced))), "equal"); err != nil {
		return nil, err
	}
	lossless := timeLine("burn-in-lossless", c[2], c[1], 0.7)
	lossless.Note = fmt.Sprintf("%.1f %% of the blocks replaced, all others found equal", share)
	return []line{timeLine("burn-in", c[0], c[1], 0.8), lossless}, nil
}

// indexed makes the index of the largest photo, once.
func (r *benchRun) indexed(ctx context.Context) (photo, index string, err error) {
	photo, index = r.photo("P100.jpg"), r.at("P100.index")
	if _, err := os.Stat(index); err == nil {
		return photo, index, nil
	}
	_, err = r.once(ctx, r.ours("index", photo, index).making(index))
	return photo, index, err
}

// pyramidTrial: the peer stores every level. Ours does the same work first;
// then what the product does, which cuts the finest level out of the original.
func pyramidTrial(ctx context.Context, r *benchRun) ([]line, error) {
	photo, index, err := r.indexed(ctx)
	if err != nil {
		return nil, err
	}
	c, err := r.race(ctx,
		r.ours("pack", photo, index, r.at("pack")).making(r.at("pack")),
		command1("vips", "dzsave", photo, r.at("pyramid.zip"), "--tile-size", "256", "--overlap", "0", "--suffix", ".jpg[Q=85]").
			making(r.at("pyramid.zip")).called("vips dzsave"),
		r.ours("pack-indexed", photo, index, r.at("pack-indexed")).making(r.at("pack-indexed")))
	if err != nil {
		return nil, err
	}
	indexed := timeLine("pyramid-100-indexed", c[2], c[1], 0.5)
	indexed.Note = "with an index instead of the finest level"
	return []line{
		timeLine("pyramid-100", c[0], c[1], 0.5),
		memoryLine("pyramid-100-memory", c[0], c[1], 1.5, ratioMost),
		indexed,
	}, nil
}

// regionTrial: a viewer has the photo open, so ours is measured inside a
// process, at many random places; the peer has no such way and is a process a
// region. Nothing is taken off the peer for its start; what ours takes as a
// process stands beside it.
func regionTrial(ctx context.Context, r *benchRun) ([]line, error) {
	photo, index, err := r.indexed(ctx)
	if err != nil {
		return nil, err
	}
	c, err := r.race(ctx,
		r.ours("region", photo, index, "20"),
		command1("djpeg", "-crop", "512x512+5824+4368", photo).into(r.at("peer.ppm")).called("djpeg -crop"),
		r.ours("region-once", photo, index, r.at("region")).making(r.at("region")),
		r.ours("tile-once", photo, index, r.at("tile")).making(r.at("tile")))
	if err != nil {
		return nil, err
	}
	var pixels, tile []float64
	for _, run := range c[0].runs {
		found, err := readings(run.output)
		if err != nil {
			return nil, err
		}
		pixels = append(pixels, found["pixels"].Values...)
		tile = append(tile, found["tile"].Values...)
	}
	if len(pixels) == 0 || len(tile) == 0 {
		return nil, fmt.Errorf("the regions were not measured")
	}
	peer := median(c[1].walls())
	open := line{Unit: "s", Peer: peer, PeerName: c[1].racer.name, Note: "ours within a process, the peer as one", Of: ratioMost}
	asPixels, asTile := open, open
	asPixels.Name, asPixels.Ours, asPixels.Budget = "region-512", median(pixels), 1.0/25
	asTile.Name, asTile.Ours, asTile.Budget = "region-512-lossless", median(tile), 1.0/100
	return []line{
		asPixels, asTile,
		timeLine("region-512-process", c[2], c[1], 0),
		timeLine("region-512-lossless-process", c[3], c[1], 0),
	}, nil
}

func firstPixels(ctx context.Context, r *benchRun) ([]line, error) {
	c, err := r.race(ctx,
		r.ours("first", r.photo("P50.jpg")),
		command1("djpeg", "-scale", "1/8", "-outfile", os.DevNull, r.photo("P50.jpg")).called("djpeg -scale 1/8"))
	if err != nil {
		return nil, err
	}
	l := timeLine("first-pixels", c[0], c[1], 1.3)
	l.Note = "a frame comes on top"
	return []line{l}, nil
}

func openAgain(ctx context.Context, r *benchRun) ([]line, error) {
	found, _, err := r.inside(ctx, r.ours("again", r.photo("P50.jpg"), strconv.Itoa(3*r.rounds)), "again")
	if err != nil {
		return nil, err
	}
	return []line{{
		Name: "open-again", Unit: "s", Ours: median(found[0].Values), Budget: 0.05, Of: oursMost, Note: "a frame comes on top",
	}}, nil
}
