package netns

import (
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The two ends of a Link: a server listens at LinkServer, and is reached as LinkClient.
const (
	LinkServer = "198.51.100.1"
	LinkClient = "198.51.100.2"
)

// linkMTU is the MTU of an ordinary link in bytes.
const linkMTU = 1500

// Link creates a link that delays each packet by oneWay, including those of the TCP handshake, until the end of the test.
// Connections to LinkClient arrive at LinkServer: it is a TUN device that sends packets back with their addresses swapped,
// which keeps their checksums valid.
func (n *Net) Link(t testing.TB, oneWay time.Duration) {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	request, err := unix.NewIfreq("link0")
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		t.Fatal(err)
	}
	device := os.NewFile(uintptr(fd), "link0")
	n.Run(t, "ip", "address", "add", LinkServer+"/24", "dev", "link0")
	n.Run(t, "ip", "link", "set", "link0", "up")

	queue := make(chan parcel, 10_000)
	var ends sync.WaitGroup
	ends.Go(func() { receive(t, device, oneWay, queue) })
	ends.Go(func() {
		for p := range queue {
			<-time.After(time.Until(p.due))
			_, _ = device.Write(p.packet)
		}
	})
	t.Cleanup(func() {
		_ = device.Close()
		ends.Wait()
	})
}

// A parcel is a packet, and when it is to arrive.
type parcel struct {
	due    time.Time
	packet []byte
}

// receive reads packets until the device is closed.
func receive(t testing.TB, device *os.File, oneWay time.Duration, queue chan<- parcel) {
	defer close(queue)
	for {
		packet := make([]byte, linkMTU)
		size, err := device.Read(packet)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			t.Errorf("reading from the link: %v", err)
			return
		}
		if packet = packet[:size]; size < 20 || packet[0]>>4 != 4 { // IPv6 has housekeeping of its own.
			continue
		}
		var source [4]byte
		copy(source[:], packet[12:16])
		copy(packet[12:16], packet[16:20])
		copy(packet[16:20], source[:])
		queue <- parcel{time.Now().Add(oneWay), packet}
	}
}
