package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"flawmark/app/load"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/imaging/photo"
)

// atCentre starts the service's program on a new folder below dir, makes n
// orders known to it, lets do work with it, and ends it.
func atCentre(program, dir string, n int, do func(ctx context.Context, c *load.Centre, items []qc.Item, own string) error) (err error) {
	ctx := context.Background()
	own, err := os.MkdirTemp(dir, "centre-")
	if err != nil {
		return fmt.Errorf("start centre: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(own)) }()
	c, err := load.StartCentre(ctx, program, filepath.Join(own, "data"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	if err := c.Hire(ctx); err != nil {
		return err
	}
	items, err := c.ImportOrders(ctx, own, 500_000, n)
	if err != nil {
		return err
	}
	return do(ctx, c, items, own)
}

// numbers reads arguments that are whole numbers above nought.
func numbers(args ...string) ([]int, error) {
	list := make([]int, len(args))
	for i, text := range args {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%w: %q is no number above nought", errUsage, text)
		}
		list[i] = n
	}
	return list, nil
}

// allOpened fails unless the centre has opened exactly so many cases, each item
// one, and finds its books in order.
func allOpened(ctx context.Context, c *load.Centre, cases int) error {
	reader, err := c.Admit(ctx, "Reader", nil)
	if err != nil {
		return err
	}
	defer reader.Close()
	opened, err := reader.Opened(ctx)
	if err != nil {
		return err
	}
	if opened.Cases != cases || opened.Doubled > 0 {
		return fmt.Errorf("%d cases were opened by %d findings, %d items have more than one", opened.Cases, cases, opened.Doubled)
	}
	return c.Sound(ctx)
}

// flood flags N items as fast as the centre takes them; each opens a case.
func flood(b *bench, args []string) error {
	if err := need(args, 4); err != nil {
		return err
	}
	n, err := numbers(args[2:]...)
	if err != nil {
		return err
	}
	return atCentre(args[0], args[1], n[0], func(ctx context.Context, c *load.Centre, items []qc.Item, _ string) error {
		perSecond, err := c.Flood(ctx, n[1], items)
		if err != nil {
			return err
		}
		if err := allOpened(ctx, c, len(items)); err != nil {
			return err
		}
		return b.report(reading{Name: "flood", Unit: "1/s", Values: []float64{perSecond}})
	})
}

// deskPages are what a clerk looks at all day; CASE stands for a case.
func deskPages() []struct{ name, address string } {
	return []struct{ name, address string }{
		{"list", "/desk"},
		{"behind", "/desk?page=150"},
		{"search", "/desk?q=" + url.QueryEscape("白色高帮 SF507")},
		{"nothing", "/desk?show=all&q=RL+nobody"},
		{"case", "/desk/cases/CASE"},
		{"payments", "/desk/refunds"},
		{"seller", "/desk/sellers?seller=" + url.QueryEscape("潮流前线鞋店")},
		{"sellers", "/desk/sellers"},
	}
}

var caseLink = regexp.MustCompile(`href="/desk/cases/([^"/]+)"`)

// desk times the desk's pages while so many cases are open.
func desk(b *bench, args []string) error {
	if err := need(args, 4); err != nil {
		return err
	}
	n, err := numbers(args[2:]...)
	if err != nil {
		return err
	}
	return atCentre(args[0], args[1], n[0], func(ctx context.Context, c *load.Centre, items []qc.Item, own string) error {
		if _, err := c.Flood(ctx, 8, items); err != nil {
			return err
		}
		clerk, err := c.SignIn(ctx, own)
		if err != nil {
			return err
		}
		list, _, err := clerk.Look(ctx, "/desk")
		if err != nil {
			return err
		}
		found := caseLink.FindStringSubmatch(list)
		if found == nil {
			return errors.New("the worklist shows no case")
		}
		for _, one := range deskPages() {
			var took []float64
			for range n[1] {
				_, t, err := clerk.Look(ctx, strings.ReplaceAll(one.address, "CASE", found[1]))
				if err != nil {
					return err
				}
				took = append(took, t.Seconds())
			}
			if err := b.report(reading{Name: one.name, Unit: "s", Values: took}); err != nil {
				return err
			}
		}
		return nil
	})
}

// busy is a centre at the peak of a warehouse that fills one machine.
func busy(b *bench, args []string) error {
	if err := need(args, 5); err != nil {
		return err
	}
	n, err := numbers(args[2:]...)
	if err != nil {
		return err
	}
	plan := load.Plan{
		Senders: 35, PerSecond: float64(n[0]), FlagEvery: 12, PhotoBytes: int64(n[1]) * 1e6, PhotoSize: 8e6,
		For: time.Duration(n[2]) * time.Second,
	}
	return atCentre(args[0], args[1], plan.Findings(), func(ctx context.Context, c *load.Centre, items []qc.Item, _ string) error {
		result, err := c.Run(ctx, plan, items)
		if err != nil {
			return err
		}
		if len(result.Failed) > 0 {
			return fmt.Errorf("some failed: %w", errors.Join(result.Failed...))
		}
		memory, err := c.PeakMemory()
		if err != nil {
			return err
		}
		flagged := (plan.Findings() + plan.FlagEvery - 1) / plan.FlagEvery
		if err := allOpened(ctx, c, flagged); err != nil {
			return err
		}
		for _, r := range []reading{
			{Name: "push", Unit: "s", Values: result.Push.Seconds()},
			{Name: "photo", Unit: "s", Values: result.Photo.Seconds()},
			{Name: "rate", Unit: "MB/s", Values: []float64{float64(result.Bytes) / 1e6 / result.Took.Seconds()}},
			{Name: "memory", Unit: "MiB", Values: []float64{float64(memory) / (1 << 20)}},
		} {
			if err := b.report(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// readShot reads a photo and makes what the bench makes of it on arrival.
func readShot(path string) (load.Shot, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return load.Shot{}, fmt.Errorf("read the photo: %w", err)
	}
	small, large, err := photo.Renditions(data, photo.Limits{})
	if err != nil {
		return load.Shot{}, fmt.Errorf("read the photo: %w", err)
	}
	return load.Shot{Original: data, Preview: large.Data, Thumb: small.Data, Width: 4240, Height: 2832}, nil
}

// another is the same photo as another file: what follows the end mark is its
// own.
func another(s load.Shot, i int) load.Shot {
	mark := func(data []byte) []byte { return strconv.AppendInt(data[:len(data):len(data)], int64(i), 10) }
	s.Original, s.Preview, s.Thumb = mark(s.Original), mark(s.Preview), mark(s.Thumb)
	return s
}

// eventually is how long anything may take.
const eventually = time.Minute

// alert follows N findings from the button to the customer's page, and the
// customers' decisions from the page to the station.
func alert(b *bench, args []string) error {
	if err := need(args, 4); err != nil {
		return err
	}
	n, err := numbers(args[3])
	if err != nil {
		return err
	}
	return b.alert(args[0], args[1], args[2], n[0], nil, 0)
}

// alertNarrow is alert over a line of so many bits a second, with so many large
// originals waiting to be sent from the beginning.
func alertNarrow(b *bench, args []string) error {
	if err := need(args, 6); err != nil {
		return err
	}
	n, err := numbers(args[3:]...)
	if err != nil {
		return err
	}
	return b.alert(args[0], args[1], args[2], n[0], load.NarrowLine(n[1]/8), n[2])
}

func (b *bench) alert(program, dir, path string, n int, line *http.Transport, ahead int) error {
	shot, err := readShot(path)
	if err != nil {
		return err
	}
	return atCentre(program, dir, n+ahead, func(ctx context.Context, c *load.Centre, items []qc.Item, own string) (err error) {
		var transport http.RoundTripper
		if line != nil {
			transport = line
		}
		station, err := c.OpenBench(ctx, "Bench 7", filepath.Join(own, "station"), transport)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, station.Close()) }()
		for i := range ahead {
			large := another(shot, 1_000_000+i)
			large.Original = append(make([]byte, 0, largeOriginal), large.Original...)[:largeOriginal]
			if err := station.Save(ctx, items[n+i], large); err != nil {
				return err
			}
		}
		var toPage, toStation []float64
		for i, item := range items[:n] {
			page, station, err := b.oneAlert(ctx, c, station, item, another(shot, i))
			if err != nil {
				return err
			}
			toPage, toStation = append(toPage, page), append(toStation, station)
		}
		if ahead > 0 {
			waiting, err := station.Waiting(ctx)
			if err != nil {
				return err
			}
			if waiting.BytesWaiting < largeOriginal {
				return fmt.Errorf("the line was not as busy as it should be: %d bytes wait", waiting.BytesWaiting)
			}
		}
		if err := b.report(reading{Name: "page", Unit: "s", Values: toPage}); err != nil {
			return err
		}
		return b.report(reading{Name: "station", Unit: "s", Values: toStation})
	})
}

// largeOriginal is an original of 40 MB.
const largeOriginal = 40e6

func (b *bench) oneAlert(ctx context.Context, c *load.Centre, station *load.Bench, item qc.Item, shot load.Shot) (page, decision float64, err error) {
	ctx, end := context.WithTimeout(ctx, eventually)
	defer end()
	customer, err := c.Visit(ctx, item.Order)
	if err != nil {
		return 0, 0, err
	}
	seen := make(chan error, 1)
	go func() { seen <- customer.SeesFlaw(ctx) }()
	page, err = b.timed(func() error { return errors.Join(station.Save(ctx, item, shot), <-seen) })
	if err != nil {
		end()
		return 0, 0, err
	}
	decision, err = b.timed(func() error {
		if err := customer.ChooseRefund(ctx); err != nil {
			return err
		}
		return station.Sees(ctx, item.ID, refund.Negotiating)
	})
	return page, decision, err
}
