package hostile

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"time"

	"imap-exporter/internal/mailtest"
)

const day = 24 * time.Hour

// certificates are servers without a valid certificate, with implicit TLS and with STARTTLS.
func certificates() []Case {
	now := time.Now().Truncate(time.Second)
	issue := func(o mailtest.CertOptions) func(*mailtest.CA) (*tls.Config, error) {
		return func(ca *mailtest.CA) (*tls.Config, error) { return ca.ServerConfig(o) }
	}
	local := []string{"localhost"}
	var cases []Case
	for _, c := range []Case{
		{Name: "expired", Want: "tls/certificate_expired", certificate: issue(mailtest.CertOptions{Names: local, NotBefore: now.Add(-2 * day), NotAfter: now.Add(-day)})},
		{Name: "not yet valid", Want: "tls/certificate_not_yet_valid", certificate: issue(mailtest.CertOptions{Names: local, NotBefore: now.Add(day), NotAfter: now.Add(2 * day)})},
		{Name: "another name", Want: "tls/certificate_name", certificate: issue(mailtest.CertOptions{Names: []string{"mail.example.org"}})},
		{Name: "a name within the name", Want: "tls/certificate_name", certificate: issue(mailtest.CertOptions{Names: []string{"localhost.example.org"}})},
		{Name: "a common name alone", Want: "tls/certificate_name", certificate: issue(mailtest.CertOptions{CommonName: "localhost"})},
		{Name: "a client's certificate", Want: "tls/certificate_untrusted", certificate: issue(mailtest.CertOptions{Names: local, Client: true})},
		{Name: "an unknown authority", Want: "tls/certificate_untrusted", certificate: stranger},
		{Name: "signed by itself", Want: "tls/certificate_untrusted", certificate: selfSigned},
		{Name: "swapped on the second connection", Want: Success, Then: "tls/certificate_untrusted", certificate: swapped},
		{Name: "TLS 1.1 at most", Want: "tls/tls", certificate: versions(tls.VersionTLS10, tls.VersionTLS11)},
		{Name: "TLS 1.0 only", Want: "tls/tls", certificate: versions(tls.VersionTLS10, tls.VersionTLS10)},
		{Name: "TLS 1.2 at most", Want: Success, certificate: versions(tls.VersionTLS12, tls.VersionTLS12)},
	} {
		after := c
		after.Name, after.Mode = c.Name+" after STARTTLS", inClear
		cases = append(cases, c, after)
	}
	return in("certificate", cases...)
}

// stranger has a certificate of an unknown CA.
func stranger(*mailtest.CA) (*tls.Config, error) {
	other, err := mailtest.NewCA()
	if err != nil {
		return nil, err
	}
	return other.ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}})
}

// selfSigned has a self-signed certificate.
func selfSigned(*mailtest.CA) (*tls.Config, error) {
	config, err := stranger(nil)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		return nil, err
	}
	key := config.Certificates[0].PrivateKey
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, leaf.PublicKey, key)
	if err != nil {
		return nil, err
	}
	config.Certificates[0] = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return config, nil
}

// swapped has a valid certificate on the first connection, and one of an unknown CA on all later ones.
func swapped(ca *mailtest.CA) (*tls.Config, error) {
	good, err := ca.ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}})
	if err != nil {
		return nil, err
	}
	bad, err := stranger(ca)
	if err != nil {
		return nil, err
	}
	turn := make(chan *tls.Config, 1)
	turn <- good
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		select {
		case config := <-turn:
			return config, nil
		default:
			return bad, nil
		}
	}}, nil
}

// versions supports only these TLS versions.
func versions(least, most uint16) func(*mailtest.CA) (*tls.Config, error) {
	return func(ca *mailtest.CA) (*tls.Config, error) {
		config, err := ca.ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}})
		if err == nil {
			config.MinVersion, config.MaxVersion = least, most
		}
		return config, err
	}
}

// handshakes are servers that begin a TLS handshake and never finish it.
func handshakes() []Case {
	// The header of a handshake record of 16 KiB, and the beginning of a ServerHello in it.
	const hello = "\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"
	var cases []Case
	for _, c := range []struct {
		name, want string
		handler    mailtest.Handler
	}{
		{"silent", "tls/timeout", hang},
		{"silent from the hello on", "tls/timeout", onHello(hang)},
		{"half a hello", "tls/timeout", onHello(hangAfter(hello))},
		{"byte by byte", "tls/timeout", onHello(sendSlowly(hello, "x"))},
		{"reset", "tls/reset", onHello(reset)},
		{"closed", "tls/reset", onHello(drop)},
		{"half-closed", "tls/reset", onHello(halfClose)},
		{"a record too large", "tls/tls", onHello(hangAfter("\x16\x03\x03\xff\xff"))},
		{"noise", "tls/tls", onHello(flood("", "\x00\xff\x80noise"))},
		{"an alert", "tls/tls", onHello(hangAfter("\x15\x03\x03\x00\x02\x02\x28"))},
		{"warnings without end", "tls/tls", onHello(flood("", "\x15\x03\x03\x00\x02\x01\x5a"))},
		{"empty records without end", "tls/tls", onHello(flood("", "\x16\x03\x03\x00\x00"))},
	} {
		cases = append(cases,
			Case{Name: c.name, Want: c.want, Server: on("CONNECT", c.handler)},
			Case{Name: c.name + " after STARTTLS", Mode: inClear, Want: c.want, Server: on("STARTTLS", both(answer("TAG OK begin\r\n"), flushed(c.handler)))},
		)
	}
	return in("handshake", append(cases,
		Case{Name: "clear text in place of TLS", Want: "tls/tls", Server: says("CONNECT", "* OK I speak in clear\r\n")},
		Case{Name: "clear text inside TLS", Want: "capability/tls", Server: on("CAPABILITY", func(c *mailtest.Conn, _ mailtest.Command) error {
			_, _ = c.TCP().Write([]byte("* BYE in clear\r\n"))
			return c.Hang()
		})},
	)...)
}

// flushed sends what was written before it calls the handler.
func flushed(h mailtest.Handler) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		if err := c.Flush(); err != nil {
			return err
		}
		return h(c, cmd)
	}
}
