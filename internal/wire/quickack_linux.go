package wire

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// quickACK sends an acknowledgement that is due, and turns off delayed ones until the kernel turns them on again, as it
// does when data was sent soon after some was received. So it is called before each read.
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
