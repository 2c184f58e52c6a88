//go:build !unix

package storagetest

import "os/exec"

func asServer(*exec.Cmd, string) error { return nil }

func onItsOwn(*exec.Cmd) {}
