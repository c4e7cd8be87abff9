//go:build !linux

package wire

import (
	"net"
	"time"
)

// newReceiver knows no time stamps of the kernel here: the time at which Read returns must do.
func newReceiver(conn net.Conn) (r receiver, kernelTime bool) { return userReceiver{conn}, false }

// KeepTimestamps has nothing to keep here.
func KeepTimestamps() (release func(), err error) { return func() {}, nil }

// HandshakeRTT is unknown here.
func HandshakeRTT(net.Conn) (rtt time.Duration, ok bool) { return 0, false }
