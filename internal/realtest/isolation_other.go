//go:build unix && !linux

package realtest

import "syscall"

// isolation puts a process into its root directory and a process group. Only Linux can do more.
func isolation(root string, _ bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Chroot: root, Setpgid: true}
}
