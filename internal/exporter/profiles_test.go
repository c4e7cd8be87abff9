package exporter

import (
	"net"
	"testing"
)

// Profiles are nowhere unless asked for, then on a port of loopback alone.
func TestListenForProfiles(t *testing.T) {
	if listener, err := listenForProfiles(t.Context(), ""); listener != nil || err != nil {
		t.Errorf("without an address: %v, %v", listener, err)
	}
	if listener, err := listenForProfiles(t.Context(), "0.0.0.0:0"); err == nil {
		listener.Close()
		t.Error("it listens everywhere")
	}
	listener, err := listenForProfiles(t.Context(), "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		t.Errorf("it listens at %v", listener.Addr())
	}
}
