package main

import "os/exec"

// ownGroup does nothing: Windows has no process groups in this sense.
func ownGroup(*exec.Cmd) {}

// interrupt ends the program: Windows cannot ask it from outside.
func interrupt(cmd *exec.Cmd) error { return cmd.Process.Kill() }

func kill(cmd *exec.Cmd) error { return cmd.Process.Kill() }
