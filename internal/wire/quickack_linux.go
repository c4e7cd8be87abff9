package wire

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// quickACK turns off delayed acknowledgement until the kernel turns it on again, so it is called after each read.
func quickACK(conn net.Conn) {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
}
