package storagetest

import (
	"errors"
	"fmt"
	"os/exec"
)

// untilGone starts a script that reads its standard input until it ends: when
// end is called, or by the system's hand when this process is gone, killed or
// not. end waits for the script to have done what it does then.
func untilGone(script *exec.Cmd) (end func() error, err error) {
	onItsOwn(script)
	// No other child inherits our side of the pipe, which would hold it open.
	held, err := script.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("hold on to a script: %w", err)
	}
	if err := script.Start(); err != nil {
		return nil, fmt.Errorf("start a script: %w", err)
	}
	return func() error { return errors.Join(held.Close(), script.Wait()) }, nil
}
