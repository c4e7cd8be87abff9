package wire

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// Records are counted however they are cut into pieces.
func TestRecordsAreCounted(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 22, 300, 16_640} {
		var stream []byte
		const records = 1_000
		for range records {
			stream = append(stream, 23, 3, 3, byte(size>>8), byte(size))
			stream = append(stream, bytes.Repeat([]byte{23}, size)...)
		}
		var r tlsRecords
		for len(stream) > 0 {
			n := min(len(stream), 1+random.IntN(2*size+4))
			if err := r.add(stream[:n]); err != nil {
				t.Fatal(err)
			}
			stream = stream[n:]
		}
		if r.count != records {
			t.Errorf("%d records of %d bytes, counted %d", records, size, r.count)
		}
	}
}

func TestRecordsAreBounded(t *testing.T) {
	var r tlsRecords
	record := []byte{23, 3, 3, 0, 1, 0}
	for i := range maxRecords {
		if err := r.add(record); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	if err := r.add(record); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one more: %v", err)
	}
}
