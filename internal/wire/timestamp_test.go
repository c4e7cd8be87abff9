package wire

import (
	"net"
	"runtime"
	"testing"
	"time"
)

func TestReceiveTime(t *testing.T) {
	now := time.Now()
	wall := now.Round(0)
	for name, c := range map[string]struct {
		stamp    time.Time
		earliest time.Duration // before now
		want     time.Duration // before now
	}{
		"no stamp":                        {time.Time{}, time.Second, 0},
		"read at once":                    {wall, time.Second, 0},
		"read late":                       {wall.Add(-30 * time.Millisecond), time.Second, 30 * time.Millisecond},
		"the clock was set back":          {wall.Add(time.Hour), time.Second, 0},
		"the clock was set forward":       {wall.Add(-time.Hour), time.Second, 0},
		"before what it answers":          {wall.Add(-30 * time.Millisecond), 10 * time.Millisecond, 0},
		"before it by the clocks' jitter": {wall.Add(-10*time.Millisecond - 100*time.Microsecond), 10 * time.Millisecond, 10 * time.Millisecond},
	} {
		got := receiveTime(now, c.stamp, now.Add(-c.earliest))
		if d := now.Sub(got); d != c.want {
			t.Errorf("%s: %v before now, want %v", name, d, c.want)
		}
	}
}

// TestKernelTimestamps: bytes that wait in the kernel count as received when they arrived, not when they were read.
func TestKernelTimestamps(t *testing.T) {
	release, err := KeepTimestamps()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	<-time.After(100 * time.Millisecond) // the kernel takes a while to begin
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	socket, err := NewSocket(client, time.Now(), time.Now().Add(10*time.Second), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if runtime.GOOS == "linux" && !socket.KernelTimestamps() {
		t.Fatal("the kernel has no timestamps")
	}
	const late = 50 * time.Millisecond
	written := time.Now()
	if _, err := server.Write([]byte("* OK hi\r\n")); err != nil {
		t.Fatal(err)
	}
	<-time.After(late)
	if _, err := socket.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "linux" {
		return
	}
	if d := socket.Received().Sub(written); d < 0 || d > late/2 {
		t.Errorf("received %v after it was written", d)
	}
	if socket.ReadDelay() < late/2 {
		t.Errorf("read %v late, want %v", socket.ReadDelay(), late)
	}
	if rtt, ok := HandshakeRTT(client); runtime.GOOS == "linux" && (!ok || rtt <= 0 || rtt > late) {
		t.Errorf("round-trip time %v, %t", rtt, ok)
	}
}
