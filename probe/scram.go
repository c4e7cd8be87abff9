package probe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"

	"imap-exporter/internal/imap"
	"imap-exporter/internal/wire"
)

// maxIterations bounds the work that a server may ask of us: some 50 ms of one core, which no deadline interrupts. Servers
// commonly ask for 4096 to 15,000.
const maxIterations = 200_000

// A scramClient logs in by SCRAM-SHA-256 (RFC 7677) and has the server prove that it knows the password too.
type scramClient struct {
	username, password string
	conversation       *scram.ClientConversation
}

// Start begins the conversation.
func (c *scramClient) Start() (mechanism string, initial []byte, err error) {
	client, err := scram.SHA256.NewClient(c.username, c.password, "")
	if err != nil {
		return "", nil, Errorf(ReasonCredential, "user name or password can't be prepared for SCRAM")
	}
	c.conversation = client.NewConversation()
	first, err := c.conversation.Step("")
	return mechanisms[AuthSCRAMSHA256], []byte(first), err
}

// Next answers the server's challenges.
func (c *scramClient) Next(challenge []byte) ([]byte, error) {
	if strings.HasPrefix(string(challenge), "e=") {
		return nil, nil // The server's refusal (RFC 5802, section 7); its NO comes after our empty answer.
	}
	for field := range strings.SplitSeq(string(challenge), ",") {
		if count, ok := strings.CutPrefix(field, "i="); ok {
			if n, err := strconv.Atoi(count); err != nil || n > maxIterations {
				return nil, fmt.Errorf("%w: SCRAM with more than %d iterations", wire.ErrTooLarge, maxIterations)
			}
		}
	}
	response, err := c.conversation.Step(string(challenge))
	if err != nil {
		return nil, errors.New("the server's side of SCRAM is not right")
	}
	return []byte(response), nil
}

// verify reports whether the server has proved that it knows the password.
func (c *scramClient) verify() error {
	if !c.conversation.Valid() {
		return fmt.Errorf("%w: OK without the server's proof of SCRAM", imap.ErrProtocol)
	}
	return nil
}

// saslName escapes a user name for a GS2 header (RFC 5801, section 4).
func saslName(name string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name)
}
