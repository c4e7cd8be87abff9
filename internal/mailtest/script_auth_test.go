package mailtest

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
)

func TestMechanisms(t *testing.T) {
	server, config := serverTLS(t)
	withoutIR := func(_ Stage, usual []string) []string {
		var caps []string
		for _, c := range usual {
			if c != "SASL-IR" {
				caps = append(caps, c)
			}
		}
		return caps
	}
	for _, o := range []Options{{TLS: server}, {TLS: server, Capabilities: withoutIR, Reticent: true}} {
		s := start(t, o)
		for _, password := range []string{DemoPassword, "wrong"} {
			clients := []sasl.Client{
				sasl.NewPlainClient("", DemoUser, password),
				sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: DemoUser, Token: strings.Replace(password, "demo", "demo-token", 1)}),
			}
			if !o.Reticent { // go-sasl's LOGIN can't answer "Username:".
				clients = append(clients, sasl.NewLoginClient(DemoUser, password))
			}
			for _, client := range clients {
				c := goimap(t, s.Addr(), config)
				err := c.Authenticate(client)
				if good := password == DemoPassword; good != (err == nil) {
					t.Errorf("%T with %q: %v", client, password, err)
				}
				if err == nil {
					mustSelect(t, c)
				}
			}
		}
	}
}

// SCRAM is spoken by hand: go-imap's client writes the empty response at its end as "=", which is no base64.
func TestSCRAM(t *testing.T) {
	s := start(t, Options{})
	for password, want := range map[string]string{DemoPassword: "T OK [CAPABILITY", "wrong": "T NO [AUTHENTICATIONFAILED]"} {
		credentials, err := scram.SHA256.NewClient(DemoUser, password, "")
		if err != nil {
			t.Fatal(err)
		}
		conversation := credentials.NewConversation()
		first, err := conversation.Step("")
		if err != nil {
			t.Fatal(err)
		}
		c := dial(t, s.Addr())
		c.line()
		c.send("T AUTHENTICATE SCRAM-SHA-256 %s", b64(first))
		line := c.line()
		for strings.HasPrefix(line, "+ ") {
			challenge, err := base64.StdEncoding.DecodeString(line[2:])
			if err != nil {
				t.Fatal(err)
			}
			response, err := conversation.Step(string(challenge))
			if err != nil {
				t.Fatal(err)
			}
			c.send("%s", b64(response))
			line = c.line()
		}
		if !strings.HasPrefix(line, want) || conversation.Valid() != (password == DemoPassword) {
			t.Errorf("with %q: %q", password, line)
		}
	}
}

func mustSelect(t *testing.T, c *imapclient.Client) {
	t.Helper()
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Error(err)
	}
}

func TestBearer(t *testing.T) {
	s := start(t, Options{})
	xoauth2 := func(user, token string) string { return b64("user=" + user + "\x01auth=Bearer " + token + "\x01\x01") }
	bearer := func(user, token string) string { return b64("n,a=" + user + ",\x01auth=Bearer " + token + "\x01\x01") }
	for _, test := range []struct{ mechanism, bad, good, status string }{
		{"XOAUTH2", xoauth2(DemoUser, "expired"), xoauth2(DemoUser, DemoToken), `"status":"401"`},
		{"XOAUTH2", xoauth2("nobody", DemoToken), xoauth2(DemoUser, DemoToken), `"status":"401"`},
		{"OAUTHBEARER", bearer(DemoUser, "expired"), bearer(DemoUser, DemoToken), `"status":"invalid_token"`},
		{"OAUTHBEARER", bearer(DemoUser, ""), bearer(DemoUser, DemoToken), `"status":"invalid_token"`},
	} {
		c := dial(t, s.Addr())
		c.line()
		c.send("T AUTHENTICATE %s %s", test.mechanism, test.bad)
		challenge, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.line(), "+ "))
		if err != nil || !strings.Contains(string(challenge), test.status) {
			t.Errorf("%s: %q, %v", test.mechanism, challenge, err)
		}
		c.send("AQ==")
		if line := c.line(); !strings.HasPrefix(line, "T NO [AUTHENTICATIONFAILED]") {
			t.Errorf("%s: %q", test.mechanism, line)
		}
		c.want("AUTHENTICATE "+test.mechanism+" "+test.good, "T OK")
	}
}

func TestExchangeGivenUp(t *testing.T) {
	s := start(t, Options{Data: Data{Users: []*User{{Name: "no-token", Password: "x"}}}})
	c := dial(t, s.Addr())
	c.line()
	c.send("T AUTHENTICATE LOGIN")
	for _, step := range [][2]string{{"Username:", "no-token"}, {"Password:", "wrong"}} {
		if line := c.line(); line != "+ "+b64(step[0]) {
			t.Errorf("%q", line)
		}
		c.send("%s", b64(step[1]))
	}
	if line := c.line(); !strings.HasPrefix(line, "T NO") {
		t.Errorf("%q", line)
	}
	for _, response := range []string{"*", "not base64", b64("no password")} {
		c.send("T AUTHENTICATE PLAIN")
		if line := c.line(); line != "+ " {
			t.Errorf("%q", line)
		}
		c.send("%s", response)
		if line := c.line(); !strings.HasPrefix(line, "T BAD") {
			t.Errorf("%q: %q", response, line)
		}
	}
	if replies := s.Conversations()[0].Commands[1].Replies; len(replies) != 1 || replies[0] != "*" {
		t.Errorf("%q", replies)
	}
	c.send("T AUTHENTICATE XOAUTH2 %s", b64("user=no-token\x01auth=Bearer \x01\x01"))
	if line := c.line(); !strings.HasPrefix(line, "+ ") {
		t.Errorf("an empty token: %q", line)
	}
	c.send("")
	if line := c.line(); !strings.HasPrefix(line, "T NO") {
		t.Errorf("an empty token: %q", line)
	}
	c.want("AUTHENTICATE PLAIN "+b64("\x00no-token\x00x"), "T OK")
	c.want("AUTHENTICATE PLAIN "+b64("\x00no-token\x00x"), "T BAD")
}
