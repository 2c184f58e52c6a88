package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/lang"
	"golang.org/x/sync/errgroup"

	"flawmark/app/command"
	"flawmark/app/door"
	"flawmark/app/settings"
	"flawmark/imaging/capture"
	"flawmark/sync/wire"
	"flawmark/ui/bench"
	"flawmark/ui/model"
)

// openWindow is the station with its window, as a parts list.
func openWindow(ctx context.Context, call *command.Call) error {
	wanted, err := settings.LoadStation(call.Set, call.Env)
	if err != nil {
		return err
	}
	if err := checkKeys(wanted); err != nil {
		return err
	}
	_, err = door.Knock(ctx, wanted.Data, door.Call{Args: []string{"show", "--lang", wanted.Lang}}, call.Out, call.Err)
	if err == nil {
		return nil // the window is open already, and in front now
	}
	if !hasDisplay(call.Env) {
		return command.Fail("cli.no_display", nil)
	}
	s, err := openStation(ctx, wanted)
	if err != nil {
		return err
	}
	return errors.Join(s.runWindow(ctx, call), s.Close())
}

// runWindow shows the window until it is closed or ctx ends.
func (s *station) runWindow(ctx context.Context, call *command.Call) error {
	speak(s.settings.Lang)
	app.SetMetadata(metadata())
	ui := app.NewWithID(appID)
	running, stop := context.WithCancel(ctx)
	defer stop()
	group, running := errgroup.WithContext(running)
	onScreen := whileRunning(running)
	shelf := s.shelf()
	models := model.New(model.Parts{
		Store: s.store, Blobs: shelf.Blobs, Derived: shelf.Derived, Budget: shelf.Budget, Engine: engineLink{s}, Catalogue: s.flaws,
		Work: model.NewWork(onScreen), Now: s.now, Log: s.log,
		Fetch: s.link.FetchPhoto, Explain: sentence,
		Settings: s.windowSettings(), Keep: s.keepSettings, Enrol: s.enrolAt,
	})
	s.window = bench.New(bench.Config{App: ui, Station: models, Words: call.Words, Now: s.now})
	s.window.Fyne().SetOnClosed(stop)
	s.warn = func(key string, pairs ...any) {
		onScreen(func() { models.Notices.Warn(model.Say(key, pairs...)) })
	}
	entrance, err := door.Open(s.settings.Data)
	if err != nil {
		return err
	}

	group.Go(func() error { return models.Run(running) })
	group.Go(func() error { return s.engine.Run(running) })
	group.Go(func() error { return s.fetchListings(running) })
	group.Go(func() error { return s.keepHouse(running) })
	group.Go(func() error {
		return entrance.Run(running, func(ctx context.Context, from door.Call, out, errOut io.Writer) int {
			return program().Answer(command.Holding(ctx, s), from, call.Env, out, errOut)
		})
	})
	if s.settings.Watch != "" {
		camera := &capture.Folder{
			Dir:     s.settings.Watch,
			Arrived: func(a capture.Arrival) { onScreen(func() { models.AddFiles(a.Path) }) },
			Broken:  func(path string, _ error) { onScreen(func() { models.AddFiles(path) }) },
		}
		group.Go(func() error { return camera.Run(running) })
	}
	if s.settings.Demo {
		group.Go(func() error { return s.enrolDemo(running) })
	}
	if s.repaired != nil {
		key, pairs := repairSentence(*s.repaired)
		onScreen(func() { models.Notices.Tell(model.Say(key, boxed(pairs)...)) })
	}
	// Not the application's Quit: it closes windows, and where the toolkit has ended
	// by itself, as it does on a signal, there are none any more.
	quit := context.AfterFunc(running, func() { fyne.Do(ui.Driver().Quit) })
	s.window.ShowAndRun()
	quit()
	stop()
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// whileRunning hands functions to the window's goroutine until ctx ends. What
// comes later is dropped: once its loop is over the toolkit runs whatever it is
// given at once, on any goroutine, on windows that are gone.
func whileRunning(ctx context.Context) func(func()) {
	return func(f func()) {
		if ctx.Err() == nil {
			fyne.Do(f)
		}
	}
}

// checkKeys refuses keys in the settings that no command can have.
func checkKeys(s settings.Station) error {
	err := bench.CheckKeys(s.Keys)
	if problem, ok := errors.AsType[*bench.KeyError](err); ok {
		value := problem.Keys
		if problem.With != "" {
			value += " (" + problem.With + ")"
		}
		return &settings.Invalid{Key: "cli.setting_invalid", Setting: "keys " + problem.Command, Value: value, Want: problem.Want, Cause: err}
	}
	return err
}

// speak has the toolkit's own dialogs speak the window's language. It goes by
// the environment, where the system has its languages there.
func speak(language string) {
	locale := map[string]string{"en": "en_US", "zh": "zh_CN"}[language]
	if locale == "" || os.Setenv("LC_ALL", locale+".UTF-8") != nil || os.Setenv("LANGUAGE", locale) != nil {
		return
	}
	_ = lang.AddTranslationsForLocale([]byte("{}"), "en") // adds nothing, and looks again
}

// hasDisplay reports whether a window can be opened at all.
func hasDisplay(env []string) bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return true
	}
	for _, pair := range env {
		if len(pair) > len("DISPLAY=") && pair[:len("DISPLAY=")] == "DISPLAY=" ||
			len(pair) > len("WAYLAND_DISPLAY=") && pair[:len("WAYLAND_DISPLAY=")] == "WAYLAND_DISPLAY=" {
			return true
		}
	}
	return false
}

// showWindow brings the open window forward.
func showWindow(_ context.Context, call *command.Call, s *station) error {
	fyne.Do(s.window.Fyne().RequestFocus)
	call.Say("cli.window_opened")
	return nil
}

// describeWindow prints what the window shows, for support and tests.
func describeWindow(ctx context.Context, call *command.Call, s *station) error {
	described := make(chan bench.Description, 1)
	fyne.Do(func() { described <- s.window.Describe() })
	select {
	case <-ctx.Done():
		return ctx.Err()
	case d := <-described:
		encoder := json.NewEncoder(call.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(d)
	}
}

// windowSettings are the settings as the window shows them.
func (s *station) windowSettings() model.Settings {
	scale := s.settings.Scale
	if scale == 0 {
		scale = 1
	}
	return model.Settings{
		Name: s.settings.Name, Centre: s.settings.Central, Folder: s.settings.Watch,
		Language: s.settings.Lang, Scale: scale, Dark: s.settings.Dark, Gloves: s.settings.Gloves, Keys: s.settings.Keys,
	}
}

// keepSettings writes what was chosen in the window for the next start.
func (s *station) keepSettings(_ context.Context, chosen model.Settings) error {
	kept := s.settings
	kept.Name, kept.Central, kept.Watch = chosen.Name, chosen.Centre, chosen.Folder
	kept.Lang, kept.Scale, kept.Dark = chosen.Language, chosen.Scale, chosen.Dark
	kept.Gloves, kept.Keys = chosen.Gloves, chosen.Keys
	return kept.Save()
}

// sentence gives the key of the sentence for an error of the parts.
func sentence(err error) string {
	if errors.Is(err, os.ErrNotExist) {
		return "error.file_missing"
	}
	if problem, ok := errors.AsType[*command.Problem](err); ok {
		return problem.Key
	}
	if failure, ok := errors.AsType[*wire.Failure](err); ok {
		if failure.Sentence != "" {
			return failure.Sentence
		}
		if failure.Kind == wire.WrongNetwork || failure.Kind == wire.WrongServer {
			return "error.network_untrusted"
		}
		return "error.network_offline"
	}
	if problem := explain(err); problem != nil {
		return problem.Key
	}
	return ""
}
