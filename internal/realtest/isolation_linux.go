package realtest

import "syscall"

// isolation puts a process into its root directory and a process group, and lets it die with the test binary.
func isolation(root string, namespace bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Chroot: root, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if namespace {
		attr.Cloneflags = syscall.CLONE_NEWPID
	}
	return attr
}
