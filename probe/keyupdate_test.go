package probe

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// A recordWriter writes the records of a TLS 1.3 server with AES-128-GCM, in the place of crypto/tls, which never changes its keys.
type recordWriter struct {
	out    bytes.Buffer
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

// expand is HKDF-Expand-Label without a context (RFC 8446, section 7.1).
func expand(secret []byte, label string, length int) []byte {
	info := []byte{byte(length >> 8), byte(length), byte(len("tls13 " + label))}
	info = append(append(info, "tls13 "+label...), 0)
	key, err := hkdf.Expand(sha256.New, secret, string(info), length)
	if err != nil {
		panic(err)
	}
	return key
}

func (w *recordWriter) setSecret(secret []byte) {
	block, err := aes.NewCipher(expand(secret, "key", 16))
	if err != nil {
		panic(err)
	}
	if w.aead, err = cipher.NewGCM(block); err != nil {
		panic(err)
	}
	w.secret, w.iv, w.seq = secret, expand(secret, "iv", 12), 0
}

// write writes a record of a type.
func (w *recordWriter) write(kind byte, content ...byte) {
	content = append(content, kind)
	header := []byte{23, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(header[3:], uint16(len(content)+w.aead.Overhead()))
	nonce := bytes.Clone(w.iv)
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^w.seq)
	w.seq++
	w.out.Write(header)
	w.out.Write(w.aead.Seal(nil, nonce, content, header))
}

// updateKeys writes a KeyUpdate that asks for one in return, and changes the keys.
func (w *recordWriter) updateKeys() {
	w.write(22, 24, 0, 0, 1, 1)
	w.setSecret(expand(w.secret, "traffic upd", sha256.Size))
}

// serveKeyUpdates greets with as many changes of keys as fit into so many bytes: 16 for each character of the greeting, since
// crypto/tls accepts no more. It adds the CPU time that this took to generating.
func serveKeyUpdates(t *testing.T, conn net.Conn, config *tls.Config, limit int, generating *atomic.Int64) {
	var keys bytes.Buffer
	config = config.Clone()
	config.MinVersion, config.SessionTicketsDisabled, config.KeyLogWriter = tls.VersionTLS13, true, &keys
	server := tls.Server(conn, config)
	if err := server.Handshake(); err != nil {
		t.Error(err)
		return
	}
	begin := used(t)
	_, line, _ := strings.Cut(keys.String(), "SERVER_TRAFFIC_SECRET_0 ")
	line, _, _ = strings.Cut(line, "\n")
	_, line, _ = strings.Cut(line, " ")
	secret, err := hex.DecodeString(line)
	if err != nil || server.ConnectionState().CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		t.Errorf("secret %q, %v", line, err)
		return
	}
	w := &recordWriter{}
	w.setSecret(secret)
	for i := 0; w.out.Len() < limit; i++ {
		for range 16 {
			w.updateKeys()
		}
		w.write(23, "* OK "[i%5])
	}
	generating.Add(int64(used(t) - begin))
	go func() { _, _ = conn.Write(w.out.Bytes()) }() // It is cut off.
	_, _ = io.Copy(io.Discard, conn)
}

// A server changes its keys as often as it can, while a probe may read as much as it ever may.
func TestKeyUpdates(t *testing.T) {
	config, err := testCA(t).ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	var generating atomic.Int64
	server, err := mailtest.StartRaw(func(conn net.Conn) {
		serveKeyUpdates(t, conn, config, 3<<20, &generating)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	target := targetAt(server.Addr(), &tls.Config{InsecureSkipVerify: true})
	target.FetchBytes = 1 << 20
	target.Timeout = time.Minute // Under the race detector, on a busy machine.
	begin := used(t)
	r := Run(t.Context(), target)
	took := used(t) - begin - time.Duration(generating.Load())
	t.Logf("%v of CPU time", took)
	if r.Err == nil || r.Err.Phase != PhaseGreeting || r.Err.Reason != ReasonTooLarge {
		t.Errorf("got %v, want %s/%s", r.Err, PhaseGreeting, ReasonTooLarge)
	}
	if took > cpuTime*slowdown {
		t.Errorf("it took %v of CPU time", took)
	}
}
