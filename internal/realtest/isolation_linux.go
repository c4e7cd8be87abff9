package realtest

import "syscall"

// isolation runs a process in its root directory and its own process group, and kills it when the test binary ends.
func isolation(root string, namespace bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Chroot: root, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if namespace {
		attr.Cloneflags = syscall.CLONE_NEWPID
	}
	return attr
}
