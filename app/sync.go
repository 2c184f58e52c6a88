package main

import (
	"context"
	"errors"
	"flag"
	"strconv"
	"time"

	"flawmark/app/command"
	"flawmark/sync/client"
	"flawmark/sync/wire"
)

func syncFlags(set *flag.FlagSet) {
	set.Bool("once", false, "end when nothing waits any more")
}

func synchronise(ctx context.Context, call *command.Call, s *station) error {
	if _, err := s.link.now(); errors.Is(err, errKeyMissing) {
		return command.Fail(saysKeyMissing, err)
	} else if err != nil {
		return command.Fail("error.not_enrolled", err)
	}
	var err error
	switch once := call.Flag("once") == "true"; {
	case s.window != nil:
		err = s.settle(ctx) // the window's engine is at it already
	case once:
		err = s.engine.Once(ctx)
	default:
		return s.engine.Run(ctx)
	}
	if err != nil {
		counts, countErr := s.store.Counts(ctx)
		if countErr != nil {
			return errors.Join(countErr, err)
		}
		problem := s.engine.Status().Problem
		if problem == "" {
			problem = "error.unexpected"
		}
		return command.Fail("cli.not_synced", err, "events", strconv.Itoa(counts.EventsWaiting),
			"photos", strconv.Itoa(counts.PhotosWaiting), "problem", call.Words.Text(problem))
	}
	call.Say("cli.synced")
	return nil
}

// settleFor is how long the window's engine may take to send everything.
const settleFor = 10 * time.Minute

var errStuck = errors.New("photo files cannot be read or are refused")

// settle has the running engine try now and waits until nothing waits.
func (s *station) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	ticks, stop := s.engine.Watch()
	defer stop()
	s.engine.Kick()
	for {
		counts, err := s.store.Counts(ctx)
		if err != nil || counts.EventsWaiting == 0 && counts.PhotosWaiting == 0 {
			return err
		}
		if status := s.engine.Status(); counts.EventsWaiting == 0 && status.Uploading == "" && status.Attention > counts.Attention {
			return errStuck // photo files that nothing but a person can help
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks:
		}
	}
}

func enrol(ctx context.Context, call *command.Call, s *station) error {
	identity, enrolled, err := s.store.Identity(ctx)
	if err != nil {
		return err
	}
	if enrolled {
		return command.Fail("cli.already_enrolled", nil, "id", string(identity.Station), "central", identity.Centre)
	}
	if s.settings.Central == "" {
		return command.Fail("cli.central_missing", nil)
	}
	identity, err = s.enrol(ctx, s.settings.Central, s.benchName(), func(e client.Enrolment) {
		call.Say("cli.enrol_code", "code", e.UserCode, "time", e.ExpiresAt.Local().Format("15:04"))
	})
	if err != nil {
		return command.Fail(enrolProblem(err), err, "address", s.settings.Central)
	}
	s.engine.Kick()
	call.Say("cli.enrolled", "id", string(identity.Station), "central", identity.Centre)
	return nil
}

// enrolProblem gives the key of the sentence for a failed enrolment.
func enrolProblem(err error) string {
	failure, ok := errors.AsType[*wire.Failure](err)
	switch {
	case !ok:
		if problem := explain(err); problem != nil {
			return problem.Key
		}
		return "error.unexpected"
	case failure.Says(wire.CodeExpired):
		return "error.code_expired"
	case failure.Sentence != "":
		return failure.Sentence
	case failure.Kind == wire.WrongNetwork, failure.Kind == wire.WrongServer:
		return "error.not_a_centre"
	case failure.Says(wire.StorageFull):
		return "error.centre_full"
	case failure.Says(wire.Internal):
		return "error.centre_troubled"
	}
	return "error.network_offline"
}
