package mailtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// MemOptions change the behaviour of a [MemServer]. The zero MemOptions are a plain server with the user of [NewUser].
type MemOptions struct {
	// Mode is ModeImplicit by default if there is a TLS configuration, else ModePlain.
	Mode Mode
	TLS  *tls.Config
	// IPv6 also listens on ::1, on the same port, if the machine has it.
	IPv6 bool
	// Users are copied when the server starts. Their quota and token have no effect.
	Users []*User
	// Before is called before the greeting ("GREETING") and before the answers to LOGIN (or AUTHENTICATE PLAIN), SELECT (or
	// EXAMINE), FETCH, UNSELECT, LIST and STATUS. It may block until ctx ends, and refuse the command with an *imap.Error.
	Before func(ctx context.Context, verb string) error
}

// A MemServer is go-imap's server with its mail in memory. It has STATUS=SIZE, but no QUOTA.
type MemServer struct {
	options MemOptions
	imap    *imapserver.Server
	users   map[string]*imapmemserver.User
	*tracker
}

// StartMem runs a server on a free port of loopback until its Close.
func StartMem(o MemOptions) (*MemServer, error) {
	if err := o.Mode.settle(o.TLS); err != nil {
		return nil, err
	}
	if o.Users == nil {
		o.Users = []*User{NewUser(time.Now())}
	}
	store := imapmemserver.New()
	s := &MemServer{options: o, users: map[string]*imapmemserver.User{}}
	for _, user := range o.Users {
		memUser, err := newMemUser(user)
		if err != nil {
			return nil, err
		}
		s.users[user.Name] = memUser
		store.AddUser(memUser)
	}
	s.imap = imapserver.New(s.imapOptions(store))
	listeners, err := listen("", o.IPv6)
	if err != nil {
		return nil, err
	}
	s.tracker = newTracker(listeners)
	for _, ln := range listeners {
		var tracked net.Listener = trackedListener{ln, s.tracker}
		if o.Mode == ModeImplicit {
			tracked = tls.NewListener(tracked, o.TLS)
		}
		s.wg.Go(func() { _ = s.imap.Serve(tracked) })
	}
	return s, nil
}

func (s *MemServer) imapOptions(store *imapmemserver.Server) *imapserver.Options {
	o := &imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			inner, ok := store.NewSession().(imapserver.SessionIMAP4rev2)
			if !ok {
				return nil, nil, errors.New("mailtest: imapmemserver's session is not what it was")
			}
			session := &memSession{inner, s}
			return session, &imapserver.GreetingData{}, session.before("GREETING")
		},
		Caps: imap.CapSet{
			imap.CapIMAP4rev1: {}, imap.CapNamespace: {}, imap.CapUIDPlus: {}, imap.CapESearch: {},
			imap.CapListExtended: {}, imap.CapListStatus: {}, imap.CapMove: {}, imap.CapStatusSize: {},
		},
		Logger:       log.New(io.Discard, "", 0),
		InsecureAuth: s.options.Mode == ModePlain,
	}
	if s.options.Mode == ModeStartTLS {
		o.TLSConfig = s.options.TLS
	}
	return o
}

// newMemUser converts a user to go-imap's type.
func newMemUser(user *User) (*imapmemserver.User, error) {
	memUser := imapmemserver.NewUser(user.Name, user.Password)
	for _, mailbox := range user.Mailboxes {
		if err := memUser.Create(mailbox.Name, nil); err != nil {
			return nil, fmt.Errorf("mailbox %q: %w", mailbox.Name, err)
		}
		for i := range mailbox.Messages {
			if err := appendMem(memUser, mailbox.Name, &mailbox.Messages[i]); err != nil {
				return nil, err
			}
		}
	}
	return memUser, nil
}

func appendMem(user *imapmemserver.User, mailbox string, m *Message) error {
	options := &imap.AppendOptions{Time: m.Date}
	if m.Seen {
		options.Flags = []imap.Flag{imap.FlagSeen}
	}
	if _, err := user.Append(mailbox, strings.NewReader(m.Header+m.Body), options); err != nil {
		return fmt.Errorf("mailbox %q: %w", mailbox, err)
	}
	return nil
}

// Append adds a message to a mailbox of a user.
func (s *MemServer) Append(user, mailbox string, m Message) error {
	memUser := s.users[user]
	if memUser == nil {
		return fmt.Errorf("mailtest: there is no user %q", user)
	}
	return appendMem(memUser, mailbox, &m)
}

// Close closes all connections and waits until every goroutine of the server has ended.
func (s *MemServer) Close() error {
	err := s.closeAndWait()
	return errors.Join(err, s.imap.Close())
}

// A memSession is go-imap's session, with MemOptions.Before called before its methods.
type memSession struct {
	imapserver.SessionIMAP4rev2
	server *MemServer
}

func (s *memSession) before(verb string) error {
	if s.server.options.Before == nil {
		return nil
	}
	return s.server.options.Before(s.server.ctx, verb)
}

// Login calls Before, then go-imap's Login.
func (s *memSession) Login(username, password string) error {
	if err := s.before("LOGIN"); err != nil {
		return err
	}
	return s.SessionIMAP4rev2.Login(username, password)
}

// Select calls Before, then go-imap's Select.
func (s *memSession) Select(mailbox string, options *imap.SelectOptions) (*imap.SelectData, error) {
	if err := s.before("SELECT"); err != nil {
		return nil, err
	}
	return s.SessionIMAP4rev2.Select(mailbox, options)
}

// List calls Before, then go-imap's List.
func (s *memSession) List(w *imapserver.ListWriter, ref string, patterns []string, options *imap.ListOptions) error {
	if err := s.before("LIST"); err != nil {
		return err
	}
	return s.SessionIMAP4rev2.List(w, ref, patterns, options)
}

// Status calls Before, then go-imap's Status.
func (s *memSession) Status(mailbox string, options *imap.StatusOptions) (*imap.StatusData, error) {
	if err := s.before("STATUS"); err != nil {
		return nil, err
	}
	return s.SessionIMAP4rev2.Status(mailbox, options)
}

// Unselect calls Before, then go-imap's Unselect.
func (s *memSession) Unselect() error {
	if err := s.before("UNSELECT"); err != nil {
		return err
	}
	return s.SessionIMAP4rev2.Unselect()
}

// Fetch calls Before, then go-imap's Fetch.
func (s *memSession) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	if err := s.before("FETCH"); err != nil {
		return err
	}
	return s.SessionIMAP4rev2.Fetch(w, set, options)
}
