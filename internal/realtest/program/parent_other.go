//go:build unix && !linux

package program

import "os/exec"

// dieWithParent does nothing: only Linux knows how.
func dieWithParent(*exec.Cmd) {}
