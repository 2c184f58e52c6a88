package photo

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"image"
	"io"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

//go:embed heif/heif.wasm.gz
var packedHEIF []byte

// heifCode is the decoder's WebAssembly with a place for its machine code: both are made once, at the
// first HEIC photo, and hold nothing of any photo. Every decode runs in a sandbox of its own.
var heifCode = sync.OnceValues(func() (code struct {
	wasm  []byte
	cache wazero.CompilationCache
}, err error,
) {
	z, err := gzip.NewReader(bytes.NewReader(packedHEIF))
	if err != nil {
		return code, fmt.Errorf("unpack HEIC decoder: %w", err)
	}
	code.cache = wazero.NewCompilationCache()
	code.wasm, err = io.ReadAll(z)
	return code, err
})

// The decoder's numbers for the layout of its planes.
const (
	heifYCbCr, heifRGB, heifGrey = 0, 1, 2
	heif420, heif422, heif444    = 1, 2, 3
	wasmPage                     = 64 << 10
)

// decodeHEIC decodes at full size; the decoder turns the picture by itself. It can take no more
// memory than the header gave reason to expect, and no more time than the limit.
func decodeHEIC(data []byte, h header, lim Limits) (*image.RGBA, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lim.Time)
	defer cancel()
	img, err := runHEIF(ctx, data, h)
	switch {
	case err == nil:
		return img, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: decoding takes longer than %v", ErrTooLarge, lim.Time)
	case errors.Is(err, ErrUnsupported), errors.Is(err, ErrUnreadable):
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
}

func runHEIF(ctx context.Context, data []byte, h header) (*image.RGBA, error) {
	code, err := heifCode()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCompilationCache(code.cache).
		WithCloseOnContextDone(true).
		WithMemoryLimitPages(uint32(min(h.heicMemory()/wasmPage+1, 65536))))
	defer rt.Close(context.WithoutCancel(ctx))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, rt); err != nil {
		return nil, fmt.Errorf("%w: start HEIC decoder: %w", ErrUnsupported, err)
	}
	// Closing the compiled module would drop its machine code from the cache, too.
	compiled, err := rt.CompileModule(ctx, code.wasm)
	if err != nil {
		return nil, fmt.Errorf("%w: compile HEIC decoder: %w", ErrUnsupported, err)
	}
	module, err := rt.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().
		WithName("").WithStdout(io.Discard).WithStderr(io.Discard))
	if err != nil {
		return nil, fmt.Errorf("%w: start HEIC decoder: %w", ErrUnsupported, err)
	}
	s := sandbox{ctx: ctx, module: module}
	in := s.reserve(len(data))
	facts := s.reserve(5 * 4)
	if s.err == nil && !module.Memory().Write(in, data) {
		s.err = errOutside
	}
	s.decode(in, len(data), 1, facts, 0)
	planes, size, err := s.layout(facts, h)
	if err != nil {
		return nil, err
	}
	out := s.reserve(size)
	s.decode(in, len(data), 0, facts, out)
	pix := s.view(out, size)
	if s.err != nil {
		return nil, s.err
	}
	return planes(pix), nil // which copies: the sandbox ends here
}

var errOutside = errors.New("HEIC decoder left its memory")

// sandbox calls the decoder; after a failure it does nothing more.
type sandbox struct {
	ctx    context.Context
	module api.Module
	err    error
}

func (s *sandbox) call(name string, args ...uint64) uint64 {
	if s.err != nil {
		return 0
	}
	f := s.module.ExportedFunction(name)
	if f == nil {
		s.err = fmt.Errorf("%w: HEIC decoder has no %s", ErrUnsupported, name)
		return 0
	}
	out, err := f.Call(s.ctx, args...)
	if err != nil || len(out) == 0 {
		s.err = fmt.Errorf("HEIC decoder: %w", err)
		return 0
	}
	return out[0]
}

func (s *sandbox) reserve(n int) uint32 {
	at := uint32(s.call("malloc", uint64(n)))
	if s.err == nil && at == 0 {
		s.err = errors.New("HEIC decoder is out of memory")
	}
	return at
}

func (s *sandbox) decode(in uint32, n int, headerOnly uint64, facts, out uint32) {
	at := uint64(facts)
	ok := s.call("decode", uint64(in), uint64(n), headerOnly, at, at+4, at+8, at+12, at+16, uint64(out))
	if s.err == nil && uint32(ok) == 0 {
		s.err = errors.New("HEIC decoder refused the picture")
	}
}

func (s *sandbox) view(at uint32, n int) []byte {
	if s.err != nil {
		return nil
	}
	b, ok := s.module.Memory().Read(at, uint32(n))
	if !ok {
		s.err = errOutside
	}
	return b
}

// layout reads what the decoder will give, compares it with the header, and returns the size of its
// planes and the way to a packed picture. Rows hold 64 samples at least and are aligned to 16 bytes.
func (s *sandbox) layout(facts uint32, h header) (func([]byte) *image.RGBA, int, error) {
	b := s.view(facts, 5*4)
	if s.err != nil {
		return nil, 0, s.err
	}
	c := func(i int) int {
		return int(int32(uint32(b[4*i]) | uint32(b[4*i+1])<<8 | uint32(b[4*i+2])<<16 | uint32(b[4*i+3])<<24))
	}
	w, ht, space, chroma, premultiplied := c(0), c(1), c(2), c(3), c(4)
	if w != h.seenW || ht != h.seenH {
		return nil, 0, fmt.Errorf("%w: its header says %d×%d pixels, its data %d×%d", ErrUnreadable, h.seenW, h.seenH, w, ht)
	}
	rect := image.Rect(0, 0, w, ht)
	aligned := func(samples, size int) int { return (max(samples, 64)*size + 15) &^ 15 }
	switch space {
	case heifYCbCr:
		ratio, cw, ch := image.YCbCrSubsampleRatio420, ceilDiv(w, 2), ceilDiv(ht, 2)
		switch chroma {
		case heif420:
		case heif422:
			ratio, ch = image.YCbCrSubsampleRatio422, ht
		case heif444:
			ratio, cw, ch = image.YCbCrSubsampleRatio444, w, ht
		default:
			return nil, 0, fmt.Errorf("%w: HEIC sampling %d", ErrUnsupported, chroma)
		}
		ys, cs := aligned(w, 1), aligned(cw, 1)
		i0, i1, i2 := ys*ht, ys*ht+cs*ch, ys*ht+2*cs*ch
		return func(p []byte) *image.RGBA {
			return fromYCbCrCoded(&image.YCbCr{
				Y: p[:i0:i0], Cb: p[i0:i1:i1], Cr: p[i1:i2:i2], YStride: ys, CStride: cs, SubsampleRatio: ratio, Rect: rect,
			}, h.nclx)
		}, i2, nil
	case heifGrey:
		stride := aligned(w, 1)
		return func(p []byte) *image.RGBA {
			return toRGBA(&image.Gray{Pix: p, Stride: stride, Rect: rect})
		}, stride * ht, nil
	case heifRGB:
		stride := aligned(w, 4)
		return func(p []byte) *image.RGBA {
			if premultiplied == 1 {
				return toRGBA(&image.RGBA{Pix: bytes.Clone(p), Stride: stride, Rect: rect})
			}
			return toRGBA(&image.NRGBA{Pix: p, Stride: stride, Rect: rect})
		}, stride * ht, nil
	}
	return nil, 0, fmt.Errorf("%w: HEIC colour space %d", ErrUnsupported, space)
}
