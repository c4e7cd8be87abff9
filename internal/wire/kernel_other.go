//go:build !linux

package wire

import (
	"net"
	"time"
)

// newReceiver has no kernel timestamps here: the time at which Read returns has to do.
func newReceiver(conn net.Conn) (r receiver, kernelTime bool) { return userReceiver{conn}, false }

// KeepTimestamps does nothing here.
func KeepTimestamps() (release func(), err error) { return func() {}, nil }

// HandshakeRTT is unknown here.
func HandshakeRTT(net.Conn) (rtt time.Duration, ok bool) { return 0, false }
