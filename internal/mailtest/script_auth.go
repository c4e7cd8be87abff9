package mailtest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/xdg-go/scram"
)

// login answers LOGIN (RFC 3501, section 6.2.3).
func (c *Conn) login(cmd Command) error {
	switch {
	case c.offers("LOGINDISABLED"):
		return c.NO(cmd.Tag, "[PRIVACYREQUIRED] LOGIN is disabled.")
	case len(cmd.Args) != 2:
		return c.BAD(cmd.Tag, "LOGIN takes a user and a password.")
	}
	return c.finishAuth(cmd, c.checkPassword(cmd.Args[0], cmd.Args[1]))
}

// errExchange says that the client did not keep to the mechanism, or gave up.
var errExchange = errors.New("mailtest: not a SASL response")

// authenticate answers AUTHENTICATE (RFC 3501, section 6.2.2; RFC 4959).
func (c *Conn) authenticate(cmd Command) error {
	if len(cmd.Args) == 0 || len(cmd.Args) > 2 {
		return c.BAD(cmd.Tag, "AUTHENTICATE takes a mechanism.")
	}
	mechanism := strings.ToUpper(cmd.Args[0])
	if !c.offers("AUTH=" + mechanism) {
		return c.NO(cmd.Tag, "[CANNOT] This mechanism is not offered.")
	}
	if len(cmd.Args) == 2 && !c.offers("SASL-IR") {
		return c.BAD(cmd.Tag, "An initial response is not allowed.")
	}
	user, err := c.exchange(mechanism, cmd.Args[1:])
	switch {
	case errors.Is(err, errExchange):
		return c.BAD(cmd.Tag, "Invalid or canceled SASL response.")
	case err != nil:
		return err
	}
	return c.finishAuth(cmd, user)
}

// finishAuth logs the user in, or refuses the login if there is none.
func (c *Conn) finishAuth(cmd Command, user string) error {
	if user == "" {
		return c.NO(cmd.Tag, "[AUTHENTICATIONFAILED] Authentication failed.")
	}
	c.user, c.loggedIn = user, true
	if c.server.options.Reticent {
		return c.OK(cmd.Tag, "Logged in.")
	}
	return c.OK(cmd.Tag, "[CAPABILITY "+strings.Join(c.Capabilities(), " ")+"] Logged in.")
}

// exchange speaks a SASL mechanism and returns the user it has proved, or "".
func (c *Conn) exchange(mechanism string, initial []string) (user string, err error) {
	if mechanism == "LOGIN" {
		return c.loginMechanism(initial)
	}
	response, err := c.firstResponse(initial)
	if err != nil {
		return "", err
	}
	switch mechanism {
	case "PLAIN":
		return c.plain(response)
	case "SCRAM-SHA-256":
		return c.scram(response)
	case "XOAUTH2", "OAUTHBEARER":
		return c.bearer(mechanism, response)
	case "EXTERNAL":
		return c.external(string(response)), nil
	}
	return "", nil
}

func (c *Conn) firstResponse(initial []string) ([]byte, error) {
	if len(initial) == 0 {
		return c.challenge("")
	}
	if initial[0] == "=" {
		return nil, nil
	}
	return decodeSASL(initial[0])
}

// challenge sends a challenge and returns the client's response.
func (c *Conn) challenge(text string) ([]byte, error) {
	c.Line("+ %s", base64.StdEncoding.EncodeToString([]byte(text)))
	line, err := c.ReadLine()
	if err != nil {
		return nil, err
	}
	return decodeSASL(line)
}

func decodeSASL(line string) ([]byte, error) {
	decoded, err := base64.StdEncoding.DecodeString(line)
	if err != nil {
		return nil, errExchange // The client's "*", by which it gives up, is no base64 either.
	}
	return decoded, nil
}

// plain is RFC 4616.
func (c *Conn) plain(response []byte) (string, error) {
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 {
		return "", errExchange
	}
	user := string(parts[1])
	if as := string(parts[0]); as != "" && as != user {
		return "", nil
	}
	return c.checkPassword(user, string(parts[2])), nil
}

// loginMechanism is the LOGIN that was never standardised: two prompts.
func (c *Conn) loginMechanism(initial []string) (string, error) {
	var user []byte
	var err error
	if len(initial) > 0 {
		user, err = decodeSASL(initial[0])
	} else {
		user, err = c.challenge("Username:")
	}
	if err != nil {
		return "", err
	}
	password, err := c.challenge("Password:")
	if err != nil {
		return "", err
	}
	return c.checkPassword(string(user), string(password)), nil
}

// scramIterations is the least that RFC 7677 allows.
const scramIterations = 4096

// scram is RFC 7677.
func (c *Conn) scram(response []byte) (string, error) {
	server, err := scram.SHA256.NewServer(func(name string) (scram.StoredCredentials, error) {
		password, found := c.secret(name, func(u *User) string { return u.Password })
		if !found {
			return scram.StoredCredentials{}, errExchange
		}
		client, err := scram.SHA256.NewClient(name, password, "")
		if err != nil {
			return scram.StoredCredentials{}, err
		}
		return client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt of " + name, Iters: scramIterations})
	})
	if err != nil {
		return "", err
	}
	conversation := server.NewConversation()
	for !conversation.Done() {
		text, err := conversation.Step(string(response))
		if err != nil {
			return "", nil // A wrong proof is a refusal, like a wrong password.
		}
		if response, err = c.challenge(text); err != nil {
			return "", err
		}
	}
	return conversation.Username(), nil
}

// bearer is OAUTHBEARER (RFC 7628), or XOAUTH2, which came before it. A refusal is explained in JSON first, and the
// client has to answer that before it gets its NO.
func (c *Conn) bearer(mechanism string, response []byte) (string, error) {
	var user, token string
	for i, field := range strings.Split(string(response), "\x01") {
		if mechanism == "OAUTHBEARER" && i == 0 {
			_, as, _ := strings.Cut(field, "a=")
			user, _, _ = strings.Cut(as, ",")
			user = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(user)
		}
		if name, found := strings.CutPrefix(field, "user="); found && mechanism == "XOAUTH2" {
			user = name
		}
		if value, found := strings.CutPrefix(field, "auth=Bearer "); found {
			token = value
		}
	}
	known, found := c.secret(user, func(u *User) string { return u.Token })
	if found && known != "" && known == token {
		return user, nil
	}
	explanation := `{"status":"invalid_token","scope":"mail","openid-configuration":"https://login.example.org/.well-known/openid-configuration"}`
	if mechanism == "XOAUTH2" {
		explanation = `{"status":"401","schemes":"bearer","scope":"https://mail.example.org/"}`
	}
	_, err := c.challenge(explanation)
	return "", err
}

// external is RFC 4422, appendix A: the client's certificate names the user.
func (c *Conn) external(as string) string {
	state := c.tlsState()
	if state == nil || len(state.PeerCertificates) == 0 {
		return ""
	}
	user := state.PeerCertificates[0].Subject.CommonName
	if _, found := c.secret(user, func(*User) string { return "" }); !found || as != "" && as != user {
		return ""
	}
	return user
}

// checkPassword returns the user's name if the password is right, else "".
func (c *Conn) checkPassword(user, password string) string {
	if known, found := c.secret(user, func(u *User) string { return u.Password }); !found || known != password {
		return ""
	}
	return user
}

// secret reads one of a user's secrets.
func (c *Conn) secret(user string, read func(*User) string) (secret string, found bool) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	u := c.server.data.User(user)
	if u == nil {
		return "", false
	}
	return read(u), true
}
