package hostile

import (
	"encoding/base64"
	"strings"

	"imap-exporter/internal/mailtest"
)

// scramFirst answers the client's first message of SCRAM (RFC 5802, section 5) with a nonce, a salt and a count of iterations.
func scramFirst(c *mailtest.Conn, cmd mailtest.Command, iterations string) error {
	message, err := base64.StdEncoding.DecodeString(cmd.Args[len(cmd.Args)-1])
	if err != nil {
		return err
	}
	_, nonce, _ := strings.Cut(string(message), "r=")
	c.Line("+ %s", base64.StdEncoding.EncodeToString([]byte("r="+nonce+"server,s=c2FsdA==,i="+iterations)))
	return c.Hang()
}
