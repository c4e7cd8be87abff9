//go:build unix

package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// reapOrphans reads the exit status of processes that the program inherits as the first process of a container: those
// that somebody started there and whose parents have ended. Otherwise they would stay as zombies. It returns when the
// program ends.
//
// The program starts no processes itself. Should it ever, this must leave them to whoever waits for them.
func reapOrphans() {
	ended := make(chan os.Signal, 1) // One pending signal is enough: each reads all that have ended.
	signal.Notify(ended, syscall.SIGCHLD)
	for range ended {
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if pid <= 0 && !errors.Is(err, syscall.EINTR) {
				break
			}
		}
	}
}
