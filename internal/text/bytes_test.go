package text

import "testing"

func TestBytes(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 10 << 10: "10 KiB", 999 << 10: "999 KiB", 1023 << 10: "1.0 MiB",
		93 << 20: "93 MiB", 1 << 60: "1.0 EiB", 1<<64 - 1: "16 EiB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
