package tiles

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// BenchmarkPack compares with libvips's pyramid, where it is installed.
func BenchmarkPack(b *testing.B) {
	data := cameraPhoto(b, 11648, 8736)
	digest := qc.DigestOf(data)
	name := filepath.Join(b.TempDir(), "photo.jpg")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		b.Fatal(err)
	}
	for _, complete := range []bool{false, true} {
		b.Run(fmt.Sprintf("100MP/complete=%t", complete), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := WritePack(context.Background(), io.Discard, data, digest, photo.Limits{}, PackOptions{Complete: complete}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("100MP/vips-dzsave-zip", func(b *testing.B) {
		if _, err := exec.LookPath("vips"); err != nil {
			b.Skip("vips is not installed")
		}
		out := filepath.Join(b.TempDir(), "o.zip")
		for b.Loop() {
			if err := exec.Command("vips", "dzsave", name, out, "--tile-size", "256", "--overlap", "0", "--suffix", ".jpg[Q=85]").Run(); err != nil {
				b.Fatal(err)
			}
			if err := os.Remove(out); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPicture is what a viewer and a server wait for.
func BenchmarkPicture(b *testing.B) {
	data := cameraPhoto(b, 11648, 8736)
	var kept bytes.Buffer
	if err := WritePack(context.Background(), &kept, data, qc.DigestOf(data), photo.Limits{}, PackOptions{}); err != nil {
		b.Fatal(err)
	}
	pack := openPack(b, kept.Bytes(), data)
	p, err := Open(bytes.NewReader(data), int64(len(data)), indexed(b, data), pack, photo.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	hidden := p.Redacted([]image.Rectangle{image.Rect(5700, 4300, 6700, 4700)}, nil)
	ctx := context.Background()
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"tile-0", func() error { _, err := p.Tile(ctx, 0, 11, 8); return err }},
		{"tile-1", func() error { _, err := p.Tile(ctx, 1, 5, 4); return err }},
		{"jpeg-0", func() error { _, err := p.JPEG(ctx, 0, 11, 8); return err }},
		{"jpeg-1", func() error { _, err := p.JPEG(ctx, 1, 5, 4); return err }},
		{"region-whole-1440x1080", func() error { _, err := p.Region(ctx, image.Rect(0, 0, 11648, 8736), 1440, 1080); return err }},
		{"region-1500x900", func() error { _, err := p.Region(ctx, image.Rect(5011, 4022, 6511, 4922), 1500, 900); return err }},
		{"redacted-tile-0", func() error { _, err := hidden.Tile(ctx, 0, 11, 8); return err }},
		{"redacted-tile-1", func() error { _, err := hidden.Tile(ctx, 1, 5, 4); return err }},
		{"redacted-tile-5", func() error { _, err := hidden.Tile(ctx, 5, 0, 0); return err }},
	} {
		b.Run("100MP/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
