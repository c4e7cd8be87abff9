package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// An echoing account has a server that knows the password and repeats it wherever it can.
type echoing struct {
	name string
	// module and its keys, as in the configuration.
	module string
	// handle answers a verb, given a form of the password.
	verb   string
	handle func(secret string) mailtest.Handler
	// refuse has the server know another password.
	refuse bool
}

// saying makes a handler that answers with raw bytes, in which TAG stands for the command's tag and SECRET for the password.
func saying(format string) func(string) mailtest.Handler {
	return func(text string) mailtest.Handler {
		return func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Raw(strings.NewReplacer("TAG", cmd.Tag, "SECRET", text).Replace(format))
			return nil
		}
	}
}

// encoded makes a handler repeat an encoded form of the password.
func encoded(form func(string) string, handle func(string) mailtest.Handler) func(string) mailtest.Handler {
	return func(secret string) mailtest.Handler { return handle(form(secret)) }
}

func inBase64(s string) string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + mailtest.DemoUser + "\x00" + s))
}

func inHex(s string) string { return hex.EncodeToString([]byte(s)) }

// echoingAccounts returns one account for each place in a conversation where a server can repeat the password.
func echoingAccounts() []echoing {
	const login, plain = "auth: login", "auth: plain"
	refused := saying("TAG NO [SECRET] wrong: SECRET\r\n")
	return []echoing{
		{"good", login, "", nil, false},
		{"rejected", login, "", nil, true},
		{"rejected-plain", plain, "", nil, true},
		{"rejected-scram", "auth: scram-sha-256", "", nil, true},
		{"rejected-xoauth2", "auth: xoauth2", "", nil, true},
		{"rejected-oauthbearer", "auth: oauthbearer", "", nil, true},
		{"not-permitted", "auth: login, allow_plaintext_auth: false", "", nil, false},
		{"repeated", login, "LOGIN", refused, false},
		{"repeated-base64", plain, "AUTHENTICATE", encoded(inBase64, refused), false},
		{"repeated-hex", login, "LOGIN", encoded(inHex, refused), false},
		{"repeated-capitals", login, "LOGIN", encoded(strings.ToUpper, refused), false},
		{"challenge", plain, "AUTHENTICATE", saying("+ SECRET\r\n"), false},
		{"alert", login, "LOGIN", saying("* NO [ALERT] SECRET\r\n* BAD SECRET\r\n"), false},
		{"bye", login, "LOGIN", saying("* BYE [SECRET] SECRET\r\n"), false},
		{"garbage", login, "LOGIN", saying("SECRET\r\n"), false},
		{"greeting", login, "GREETING", saying("* BYE SECRET\r\n"), false},
		{"no-greeting", login, "GREETING", saying("SECRET\r\n"), false},
		{"capability", login, "CAPABILITY", saying("* CAPABILITY IMAP4rev1 SECRET AUTH=SECRET\r\nTAG OK SECRET\r\n"), false},
		{"endless", login, "LOGIN", func(secret string) mailtest.Handler {
			return func(c *mailtest.Conn, _ mailtest.Command) error {
				return c.Flood(func(int) string { return "* OK " + secret + "\r\n" })
			}
		}, false},
		{"mailbox", login, "LIST", saying("* LIST () \"/\" \"SECRET\"\r\n* LIST () \"/\" \"x-SECRET-x\"\r\nTAG OK SECRET\r\n"), false},
		{"counts", login, "STATUS", saying("* STATUS \"SECRET\" (MESSAGES 5)\r\nTAG NO SECRET\r\n"), false},
		{"quota", login, "GETQUOTAROOT", saying("* QUOTA \"SECRET\" (STORAGE 1 2)\r\n* QUOTA \"x-SECRET\" (SECRET 1 2)\r\nTAG OK SECRET\r\n"), false},
		{"quota-refused", login, "GETQUOTAROOT", saying("TAG NO [SECRET] SECRET\r\n"), false},
		{"select", login, "EXAMINE", saying("* FLAGS (SECRET)\r\n* OK [SECRET] SECRET\r\nTAG NO SECRET\r\n"), false},
		{"fetch", login, "FETCH", saying("* 24 FETCH (BODY[HEADER]<0> \"SECRET\" INTERNALDATE \"SECRET\")\r\nTAG OK SECRET\r\n"), false},
		{"logout", login, "LOGOUT", saying("* BYE SECRET\r\nTAG NO SECRET\r\n"), false},
		{"referral", login, "LOGIN", saying("TAG NO [REFERRAL imap://u:SECRET@127.0.0.1:1/] SECRET\r\n"), false},
	}
}

// configure starts the servers, writes the configuration into a folder and returns that. Passwords are in the configuration,
// in files and in the environment.
func configure(t *testing.T, all []echoing) (folder string) {
	t.Helper()
	folder = t.TempDir()
	var modules, accounts strings.Builder
	for i, b := range all {
		secret := fmt.Sprintf("canary-%s-%d-secret", b.name, i)
		user := mailtest.NewUser(time.Now())
		user.Password, user.Token = secret, secret
		if b.refuse {
			user.Password, user.Token = "canary-other-secret", "canary-other-secret"
		}
		o := mailtest.Options{NoRecord: true, Data: mailtest.Data{Users: []*mailtest.User{user}}}
		if b.handle != nil {
			o.Handle = map[string]mailtest.Handler{b.verb: b.handle(secret)}
		}
		fmt.Fprintf(&modules, "  - {name: %s, interval: 1s, timeout: 1s, tls: none, allow_plaintext_auth: true, mailboxes: [\"*\"], %s}\n", b.name, b.module)
		key := "password: " + secret
		switch file := filepath.Join(folder, b.name); {
		case strings.Contains(b.module, "oauth"):
			key = "token_file: " + file
			write(t, file, secret+"\n")
		case i%3 == 1:
			key = "password_file: " + file
			write(t, file, secret+"\n")
		case i%3 == 2:
			key = "password_env: CANARY_" + strconv.Itoa(i)
			t.Setenv("CANARY_"+strconv.Itoa(i), secret)
		}
		fmt.Fprintf(&accounts, "  - {name: %s, server: %q, username: %q, %s, module: %s}\n", b.name, startServer(t, o).Addr(), mailtest.DemoUser, key, b.name)
	}
	// The server of these can't be reached, or shows a certificate that nobody has vouched for, with the password in it.
	fmt.Fprintf(&modules, "  - {name: tls, interval: 1s, timeout: 1s}\n")
	for name, server := range map[string]string{"unknown": "nobody.invalid", "refused": "127.0.0.1:1", "certificate": certified(t, "canary-certificate-secret")} {
		fmt.Fprintf(&accounts, "  - {name: %s, server: %q, username: u, password: canary-%s-secret, module: tls}\n", name, server, name)
	}
	text := strings.Replace(modules.String(), "tls: none, allow_plaintext_auth: true, mailboxes: [\"*\"], auth: login, allow_plaintext_auth: false", "tls: none", 1)
	write(t, filepath.Join(folder, "config.yaml"), "max_concurrent: 100\nlog: {level: debug}\nmodules:\n"+text+"accounts:\n"+accounts.String())
	return folder
}

// certified starts a server whose certificate has a password as its name.
func certified(t *testing.T, name string) (address string) {
	t.Helper()
	ca, err := mailtest.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	tls, err := ca.ServerConfig(mailtest.CertOptions{Names: []string{name, name + ".example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	return startServer(t, mailtest.Options{NoRecord: true, TLS: tls}).Addr()
}
