package command

import (
	"context"
	"errors"
	"io"
)

// openKey carries what a running program has open, a T.
type openKey[T any] struct{}

// Holding returns a context for commands that come through the door of a
// program that has open already what they need.
func Holding[T any](ctx context.Context, open T) context.Context {
	return context.WithValue(ctx, openKey[T]{}, open)
}

// Held returns what [Holding] put into ctx.
func Held[T any](ctx context.Context) (T, bool) {
	open, ok := ctx.Value(openKey[T]{}).(T)
	return open, ok
}

// With makes a command of what needs an open T: the running program's own where
// the command came through its door, else opened for the moment.
func With[T io.Closer](
	open func(context.Context, *Call) (T, error), run func(context.Context, *Call, T) error,
) func(context.Context, *Call) error {
	return func(ctx context.Context, call *Call) error {
		if held, ok := Held[T](ctx); ok {
			return run(ctx, call, held)
		}
		own, err := open(ctx, call)
		if err != nil {
			return err
		}
		return errors.Join(run(ctx, call, own), own.Close())
	}
}
