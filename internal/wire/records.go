package wire

import (
	"encoding/binary"
	"fmt"
)

// maxRecords is how many TLS records are read in one conversation. A record can be a change of keys with an answer to it, which
// costs us 25 µs of CPU time and the server 27 bytes. There may be one for each of maxLines responses, and 2,000 for a message.
const maxRecords = maxLines + 2_000

// recordHeader is the length of a TLS record's header: a type, a version, and the length of what follows (RFC 8446, section 5.1).
const recordHeader = 5

// tlsRecords counts the records in a stream of bytes.
type tlsRecords struct {
	header [recordHeader]byte
	read   int // bytes of the header
	left   int // bytes of the record that are still to come
	count  int
}

// add counts the records that begin in p, and fails when there are too many.
func (r *tlsRecords) add(p []byte) error {
	for len(p) > 0 {
		if r.left > 0 {
			n := min(r.left, len(p))
			r.left, p = r.left-n, p[n:]
			continue
		}
		n := copy(r.header[r.read:], p)
		r.read, p = r.read+n, p[n:]
		if r.read < recordHeader {
			return nil
		}
		r.read, r.left = 0, int(binary.BigEndian.Uint16(r.header[3:]))
		if r.count++; r.count > maxRecords {
			return fmt.Errorf("%w: more than %d TLS records", ErrTooLarge, maxRecords)
		}
	}
	return nil
}
