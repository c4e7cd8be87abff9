package setup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/internal/config"
	"imap-exporter/probe"
)

const secret = `canary-"setup" \secret#`

// A fakeUser answers questions by their first words, and records all questions and lines.
type fakeUser struct {
	answers map[string]string
	asked   []string
	said    []string
}

func (u *fakeUser) Ask(question, fallback string) (string, error) {
	u.asked = append(u.asked, question)
	for begin, answer := range u.answers {
		if strings.HasPrefix(question, begin) {
			return answer, nil
		}
	}
	if fallback == "" {
		return "", errors.New("there is no answer")
	}
	return fallback, nil
}

func (u *fakeUser) AskPassword(question string) (config.Secret, error) {
	u.asked = append(u.asked, question)
	return config.NewSecret(u.answers["password"]), nil
}

func (u *fakeUser) Say(format string, args ...any) {
	u.said = append(u.said, fmt.Sprintf(format, args...))
}

// fakeDNS has SRV records by "service domain".
type fakeDNS map[string][]*net.SRV

func (d fakeDNS) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	records, ok := d[service+" "+name]
	if !ok || proto != "tcp" {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return name, records, nil
}

// fakeServers are servers that speak IMAP in a mode, "host:port mode". login is the failure of all logins, or nil, and
// second that of the second one. They have the mailboxes INBOX, Sent and "Entwürfe, alte".
type fakeServers struct {
	servers []string
	login   *probe.Error
	second  *probe.Error
	tried   []string
	logins  []string
	methods []probe.AuthMethod
}

func (w *fakeServers) probe(ctx context.Context, t *probe.Target) *probe.Result {
	r := &probe.Result{Account: t.Account, Server: t.Server, Mode: t.TLSMode, Start: time.Now(), Duration: time.Millisecond}
	at := t.Server + " " + string(t.TLSMode)
	if t.Auth == probe.AuthNone {
		w.tried = append(w.tried, at)
		if !slices.Contains(w.servers, at) {
			r.Err = &probe.Error{Phase: probe.PhaseConnect, Reason: probe.ReasonRefused, Text: "connection refused"}
		}
		if t.Secret != nil || t.Username != "" {
			panic("a credential for a server that is only tried")
		}
		return r
	}
	password, err := t.Secret(ctx)
	if err != nil {
		panic(err)
	}
	w.logins = append(w.logins, at+" "+t.Username+" "+password)
	w.methods = append(w.methods, t.Auth)
	if r.Err = w.login; len(w.logins) == 2 {
		r.Err = w.second
	}
	if r.Err == nil {
		r.Mailboxes = []probe.Mailbox{{Name: "INBOX"}, {Name: "Sent"}, {Name: "Entwürfe, alte"}}
		r.Quota = &probe.Quota{Supported: true, Roots: []probe.QuotaRoot{{Name: "u"}}}
	}
	return r
}

// setUp runs a setup in a fresh folder.
func setUp(t *testing.T, w *fakeServers, dns fakeDNS, user *fakeUser, a Answers) (folder string, err error) {
	folder = t.TempDir()
	s := &Setup{User: user, Resolver: dns, Probe: w.probe, File: filepath.Join(folder, "my.yaml"), Answers: a}
	return folder, s.Run(t.Context())
}

func srv(target string, port uint16) *net.SRV { return &net.SRV{Target: target, Port: port} }

// The server is found where RFC 6186 says, or else where most are; the password goes to the one that was found: to try
// it, and with the configuration that was written.
func TestFindsTheServer(t *testing.T) {
	for name, test := range map[string]struct {
		dns     fakeDNS
		servers []string
		answers Answers
		tried   []string
	}{
		"SRV": {
			fakeDNS{"imaps example.org": {srv("mx1.example.org.", 1993), srv("mx2.example.org.", 993)}},
			[]string{"mx2.example.org:993 implicit"},
			Answers{},
			[]string{"mx1.example.org:1993 implicit", "mx2.example.org:993 implicit"},
		},
		"SRV without TLS from the first byte": {
			fakeDNS{"imaps example.org": {srv(".", 0)}, "imap example.org": {srv("Mail.Example.Org.", 143)}},
			[]string{"mail.example.org:143 starttls"},
			Answers{},
			[]string{"mail.example.org:143 starttls"},
		},
		"no SRV": {
			nil,
			[]string{"mail.example.org:143 starttls"},
			Answers{},
			[]string{"imap.example.org:993 implicit", "imap.example.org:143 starttls", "mail.example.org:993 implicit", "mail.example.org:143 starttls"},
		},
		"named": {
			fakeDNS{"imaps example.org": {srv("mx1.example.org.", 993)}},
			[]string{"imap.example.net:993 implicit"},
			Answers{Server: "imap.example.net"},
			[]string{"imap.example.net:993 implicit"},
		},
		"named with port 143": {
			nil,
			[]string{"imap.example.net:143 starttls"},
			Answers{Server: "imap.example.net:143"},
			[]string{"imap.example.net:143 starttls"},
		},
		"the mode named": {
			nil,
			[]string{"imap.example.org:993 implicit", "imap.example.org:143 starttls"},
			Answers{TLS: "starttls"},
			[]string{"imap.example.org:143 starttls"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &fakeServers{servers: test.servers}
			user := &fakeUser{answers: map[string]string{"E-mail": "canary@Example.ORG", "password": secret}}
			folder, err := setUp(t, w, test.dns, user, test.answers)
			if err != nil {
				t.Fatalf("%v\n%s", err, strings.Join(user.said, "\n"))
			}
			if diff := cmp.Diff(test.tried, w.tried); diff != "" {
				t.Errorf("tried (-want +got):\n%s", diff)
			}
			last := test.tried[len(test.tried)-1]
			login := last + " canary@Example.ORG " + secret
			if want := []string{login, login}; !slices.Equal(w.logins, want) {
				t.Errorf("logins %q, want %q", w.logins, want)
			}
			cfg, err := config.Load(config.Options{File: filepath.Join(folder, "my.yaml")})
			if err != nil || len(cfg.Warnings) > 0 {
				t.Fatalf("%v %q", err, cfg.Warnings)
			}
			target := cfg.Accounts[0].Target
			password, err := target.Secret(t.Context())
			if err != nil || password != secret || target.Account != "canary" || target.Username != "canary@Example.ORG" || !target.Quota || !target.ReadOnly {
				t.Errorf("%+v, password %q, %v", target, password, err)
			}
			if got := target.Server + " " + string(target.TLSMode); got != last {
				t.Errorf("the configuration has %s", got)
			}
			if said := strings.Join(append(user.said, user.asked...), "\n"); strings.Contains(said, "canary-") {
				t.Errorf("it says the password:\n%s", said)
			}
			if info, err := os.Stat(filepath.Join(folder, "canary.password")); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the password's file: %v, %v", info, err)
			}
		})
	}
}

// DNS can be forged: a server of another domain gets the password only if the user says so.
func TestForeignServer(t *testing.T) {
	dns := fakeDNS{"imaps example.org": {srv("imap.evil-example.org.", 993)}}
	for answer, logins := range map[string]int{"yes": 2, "no": 0, "": 0, "Y": 2} {
		w := &fakeServers{servers: []string{"imap.evil-example.org:993 implicit"}}
		user := &fakeUser{answers: map[string]string{"E-mail": "canary@example.org", "DNS names imap.evil-example.org, which is not in example.org": answer, "password": secret}}
		folder, err := setUp(t, w, dns, user, Answers{})
		if len(w.logins) != logins || (err == nil) != (logins == 2) {
			t.Errorf("%q: %d logins, %v", answer, len(w.logins), err)
		}
		if files, _ := os.ReadDir(folder); len(files) != logins {
			t.Errorf("%q: %d files", answer, len(files))
		}
	}
}

// Nothing is overwritten, and after an error nothing is left behind.
func TestWritesAllOrNothing(t *testing.T) {
	here := []string{"imap.example.org:993 implicit"}
	rejected := &probe.Error{Phase: probe.PhaseAuth, Reason: probe.ReasonRejected, Text: "NO"}
	for name, test := range map[string]struct {
		file    string // that is there already
		servers fakeServers
		answers map[string]string
		given   Answers
		message string
	}{
		"the configuration is there": {file: "my.yaml", servers: fakeServers{servers: here}, message: "is there already"},
		"the password is there":      {file: "canary.password", servers: fakeServers{servers: here}, message: "is there already"},
		"rejected":                   {servers: fakeServers{servers: here, login: rejected}, message: "auth/rejected: nothing was written"},
		"no server":                  {message: "no server was found"},
		"no address":                 {answers: map[string]string{"E-mail": "canary"}, message: "is no e-mail address"},
		"a name with a slash":        {answers: map[string]string{"Name": "../canary"}, message: "can't be the name"},
		"no password":                {servers: fakeServers{servers: here}, answers: map[string]string{"password": ""}, message: "no login without a password"},
		"clear text":                 {given: Answers{TLS: "none"}, message: "--tls: must be implicit or starttls"},
		"no such answer":             {servers: fakeServers{servers: here}, answers: map[string]string{"Which": "some"}, message: "no mailboxes were chosen"},
		"no such mailbox":            {servers: fakeServers{servers: here}, given: Answers{Mailboxes: []string{"INBOX", "sent"}}, message: "there is no mailbox sent: did you mean Sent?"},
		"no such way to log in":      {given: Answers{Auth: "xoauth2"}, message: "--auth: must be auto, login, plain or scram-sha-256"},
		"refused in the end": {
			servers: fakeServers{servers: here, second: &probe.Error{Phase: probe.PhaseStatus, Reason: probe.ReasonMailboxMissing, Text: "NO"}},
			message: "status/mailbox_missing: NO: nothing was written, because a probe with the configuration failed",
		},
		"SCRAM is refused": {
			servers: fakeServers{servers: here, login: &probe.Error{Phase: probe.PhaseAuth, Reason: probe.ReasonRejected, Text: "NO; SCRAM-SHA-256 was refused; …: try auth: plain"}},
			message: "auth/rejected: nothing was written, and the login is not tried again; if the password is right, try --auth plain",
		},
		"an authority is missing": {servers: fakeServers{servers: here}, given: Answers{CAFile: "/nowhere/ca.pem"}, message: "--ca-file: /nowhere/ca.pem: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			user := &fakeUser{answers: map[string]string{"E-mail": "canary@example.org", "password": secret}}
			maps.Copy(user.answers, test.answers)
			folder := t.TempDir()
			if test.file != "" {
				if err := os.WriteFile(filepath.Join(folder, test.file), []byte("mine"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := &Setup{User: user, Resolver: fakeDNS{}, Probe: test.servers.probe, File: filepath.Join(folder, "my.yaml"), Answers: test.given}
			if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("%v, want %q", err, test.message)
			}
			files, _ := os.ReadDir(folder)
			if test.file == "" && len(files) > 0 || len(files) > 1 {
				t.Errorf("files are left: %v", files)
			}
			if len(test.servers.logins) > 1 && test.servers.second == nil || test.file != "" && len(test.servers.logins) > 0 {
				t.Errorf("%d logins", len(test.servers.logins))
			}
			if data, _ := os.ReadFile(filepath.Join(folder, test.file)); test.file != "" && string(data) != "mine" {
				t.Errorf("%s is overwritten: %q", test.file, data)
			}
		})
	}
}

// With everything given, nothing is asked, and the password stays in the file where it is.
func TestAsksNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "given")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	user := &fakeUser{}
	w := &fakeServers{servers: []string{"imap.example.org:993 implicit"}}
	folder, err := setUp(t, w, fakeDNS{}, user, Answers{
		Address: "canary@example.org", Username: "login", PasswordFile: file, Name: "post", Mailboxes: []string{"inbox", "Entwürfe, alte"}, Auth: "plain",
	})
	if err != nil || len(user.asked) > 0 {
		t.Fatalf("%v, asked %q", err, user.asked)
	}
	if files, _ := os.ReadDir(folder); len(files) != 1 {
		t.Errorf("files: %v", files)
	}
	cfg, err := config.Load(config.Options{File: filepath.Join(folder, "my.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	target := cfg.Accounts[0].Target
	if target.Account != "post" || target.Username != "login" || !slices.Equal(target.Mailboxes, []string{"INBOX", "Entwürfe, alte"}) || target.Auth != probe.AuthPlain {
		t.Errorf("%+v", target)
	}
	if want := []probe.AuthMethod{probe.AuthPlain, probe.AuthPlain}; !slices.Equal(w.methods, want) {
		t.Errorf("logged in by %v, want %v", w.methods, want)
	}
}

// What somebody calls a mailbox becomes a name or pattern that the server knows, or an error.
func TestFindMailboxes(t *testing.T) {
	r := &probe.Result{Mailboxes: []probe.Mailbox{{Name: "INBOX"}, {Name: "Sent"}, {Name: "Lists/go"}, {Name: "a, b"}, {Name: "100%"}}}
	for _, test := range []struct {
		names []string
		found []string
		err   string
	}{
		{[]string{"INBOX", " Sent "}, []string{"INBOX", "Sent"}, ""},
		{[]string{"inbox", "INBOX"}, []string{"INBOX"}, ""},
		{[]string{"All"}, []string{"*"}, ""},
		{[]string{"*"}, []string{"*"}, ""},
		{[]string{"Lists/%", "L*", "%"}, []string{"Lists/%", "L*", "%"}, ""},
		{[]string{"a, b", "100%", ""}, []string{"a, b", "100%"}, ""},
		{[]string{"Sent", "Lists.*"}, nil, "no mailbox matches Lists.*"},
		{[]string{"SENT"}, nil, "there is no mailbox SENT: did you mean Sent?"},
		{[]string{"Drafts"}, nil, "there is no mailbox Drafts that can be counted: the account has INBOX, Sent, Lists/go, a, b, 100%"},
	} {
		found, err := findMailboxes(r, test.names)
		if !slices.Equal(found, test.found) || fmt.Sprint(err) != test.err && (err != nil || test.err != "") {
			t.Errorf("%q: %q, %v, want %q, %s", test.names, found, err, test.found, test.err)
		}
	}
	named := &probe.Result{Mailboxes: []probe.Mailbox{{Name: "all"}}}
	if found, err := findMailboxes(named, []string{"all"}); err != nil || found[0] != "all" {
		t.Errorf("the mailbox all is taken for %q, %v", found, err)
	}
	r.MailboxesTruncated = new(true)
	if found, err := findMailboxes(r, []string{"Drafts"}); err != nil || found[0] != "Drafts" {
		t.Errorf("of a list that isn't whole: %q, %v", found, err)
	}
}

// An answer may name mailboxes, and after a wrong one there is another question.
func TestAnswersWithNames(t *testing.T) {
	for answer, want := range map[string][]string{
		"all": {"*"}, "inbox": {"INBOX"}, "inbox, Sent": {"INBOX", "Sent"}, "Entwürfe, alte": {"Entwürfe, alte"}, "S*": {"S*"},
	} {
		user := &fakeUser{answers: map[string]string{"E-mail": "canary@example.org", "password": secret, "Which": answer}}
		folder, err := setUp(t, &fakeServers{servers: []string{"imap.example.org:993 implicit"}}, nil, user, Answers{})
		if err != nil {
			t.Errorf("%s: %v", answer, err)
			continue
		}
		cfg, err := config.Load(config.Options{File: filepath.Join(folder, "my.yaml")})
		if err != nil || !slices.Equal(cfg.Accounts[0].Target.Mailboxes, want) {
			t.Errorf("%s: %q, %v, want %q", answer, cfg.Accounts[0].Target.Mailboxes, err, want)
		}
	}
}
