//go:build unix && !linux

package realtest

import "syscall"

// isolation runs a process in its root directory and its own process group. Only Linux can do more.
func isolation(root string, _ bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Chroot: root, Setpgid: true}
}
