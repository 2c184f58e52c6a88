package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// grace is how long a child may take to end after it was asked to.
const grace = 15 * time.Second

// child is a program of ours that runs beside the tool. Whoever started it
// calls stop.
type child struct {
	name string
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed when it has ended
	err  error         // how it ended; valid after done
}

// startChild starts a program with out as its standard output and a log file
// for what it says on its standard error.
func startChild(name string, out io.Writer, logFile, dir, binary string, args ...string) (*child, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = out, log
	if out == nil {
		cmd.Stdout = log
	}
	// A grandchild that keeps the pipe open must not keep us waiting.
	cmd.WaitDelay = time.Second
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		log.Close()
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	c := &child{name: name, cmd: cmd, log: log, done: make(chan struct{})}
	go func() { // ends with the child; stop waits for it
		c.err = cmd.Wait()
		log.Close()
		close(c.done)
	}()
	return c, nil
}

// stop asks the child to end, waits, and kills what has not ended after the
// grace or when force closes. It is safe to call on a child that has ended.
func (c *child) stop(force <-chan struct{}) {
	select {
	case <-c.done:
		_ = kill(c.cmd) // whatever it left behind in its group
		return
	default:
	}
	_ = interrupt(c.cmd) // gone in this moment: done closes
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
	case <-force:
	}
	_ = kill(c.cmd)
	<-c.done
}

// lastWords are the last lines of the child's log, to explain a failure.
func (c *child) lastWords() string {
	file, err := os.Open(c.log.Name())
	if err != nil {
		return ""
	}
	defer file.Close()
	var kept tail
	eachLine(file, kept.keep)
	return kept.rest()
}
