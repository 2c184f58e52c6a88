//go:build !windows

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup puts cmd and whatever it starts into a process group of its own, so
// that Ctrl-C reaches us alone and we end the whole group in order.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if cmd.Cancel != nil {
		cmd.Cancel = func() error { return interrupt(cmd) }
	}
}

// interrupt asks the whole group of a started command to end.
func interrupt(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }

// kill ends the whole group of a started command.
func kill(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
