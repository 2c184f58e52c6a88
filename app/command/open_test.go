package command

import (
	"context"
	"errors"
	"testing"
)

// ledger is something a command needs open.
type ledger struct {
	closed int
	cannot error
}

func (l *ledger) Close() error {
	l.closed++
	return l.cannot
}

func TestWith(t *testing.T) {
	t.Parallel()
	failed, cannot := errors.New("run failed"), errors.New("cannot")
	for name, test := range map[string]struct {
		held, own         *ledger
		openErr, runErr   error
		ran, closed       int
		wants, wantsClose error
	}{
		"the running program's own stays open":  {held: &ledger{}, openErr: cannot, ran: 1},
		"opened for the moment":                 {own: &ledger{}, ran: 1, closed: 1},
		"cannot be opened":                      {openErr: cannot, wants: cannot},
		"a failure closes too":                  {own: &ledger{}, runErr: failed, ran: 1, closed: 1, wants: failed},
		"a close that fails is a failure":       {own: &ledger{cannot: cannot}, ran: 1, closed: 1, wants: cannot},
		"neither failure hides the other":       {own: &ledger{cannot: cannot}, runErr: failed, ran: 1, closed: 1, wants: failed, wantsClose: cannot},
		"a failure leaves the running one open": {held: &ledger{}, runErr: failed, ran: 1, wants: failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, used := t.Context(), test.own
			if test.held != nil {
				ctx, used = Holding(ctx, test.held), test.held
			}
			ran := 0
			err := With(func(context.Context, *Call) (*ledger, error) { return test.own, test.openErr },
				func(_ context.Context, _ *Call, got *ledger) error {
					ran++
					if got != used {
						t.Error("ran with another one")
					}
					return test.runErr
				})(ctx, &Call{})
			if !errors.Is(err, test.wants) || !errors.Is(err, test.wantsClose) && test.wantsClose != nil {
				t.Errorf("error %v, want %v and %v", err, test.wants, test.wantsClose)
			}
			if ran != test.ran || used != nil && used.closed != test.closed {
				t.Errorf("ran %d times, want %d; %+v, want closed %d times", ran, test.ran, used, test.closed)
			}
		})
	}
}
