package probe

import (
	"context"
	"fmt"

	"github.com/emersion/go-imap/v2/imapclient"

	"imap-exporter/internal/imap"
)

// IMAP is the protocol of Targets that name none.
var IMAP = &Protocol{
	Name: "imap",
	Phases: []Phase{
		PhaseResolve, PhaseConnectFailed, PhaseConnect, PhaseTLS, PhaseGreeting, PhaseStartTLS,
		PhaseCapability, PhaseAuth, PhaseID, PhaseSelect, PhaseFetch, PhaseUnselect, PhaseList,
		PhaseStatus, PhaseQuota, PhaseLogout,
	},
	Reasons: []Reason{
		ReasonDNS, ReasonRefused, ReasonUnreachable, ReasonReset, ReasonTimeout, ReasonTLS,
		ReasonCertificateExpired, ReasonCertificateNotYetValid, ReasonCertificateName, ReasonCertificateUntrusted,
		ReasonStartTLSRefused, ReasonStartTLSInjection, ReasonPreauth, ReasonPlaintextRefused, ReasonLoginDisabled,
		ReasonMechanism, ReasonCredential, ReasonRejected, ReasonThrottled, ReasonUnavailable, ReasonToken,
		ReasonBye, ReasonCommandRejected, ReasonMailboxMissing, ReasonPermission, ReasonProtocol,
		ReasonTooLarge, ReasonCanceled, ReasonInternal,
	},
	Steps:      imapSteps,
	LogoutLine: imap.LogoutLine,
}

// An imapSession is an IMAP probe under way.
type imapSession struct {
	*Session
	conn       *imap.Conn
	client     *imapclient.Client // go-imap's, on clientConn
	clientConn *imap.ClientConn

	capabilities map[string]bool // the latest, in upper case
	preauth      bool            // the server greeted with PREAUTH
	authMethod   AuthMethod      // of the login
	bearer       *bearerClient   // of the login, if it is by a bearer token
	selected     *Mailbox
	open         bool          // a mailbox is selected
	unreadable   int           // see Result.MailboxesUnreadable
	queries      []statusQuery // the mailboxes whose counts are to be read
}

// imapSteps are the steps of an IMAP probe. The package comment describes them.
func imapSteps(session *Session) []Step {
	s := &imapSession{Session: session}
	steps := []Step{
		{Phase: PhaseResolve, Run: s.Resolve},
		{Phase: PhaseConnect, Run: s.connect},
		{Phase: PhaseTLS, Run: s.ImplicitTLS},
		{Phase: PhaseGreeting, Run: s.greeting},
		{Phase: PhaseCapability, Run: s.capabilityBeforeTLS},
		{Phase: PhaseStartTLS, Run: s.startTLS},
		{Phase: PhaseTLS, Run: s.upgradeTLS},
		{Phase: PhaseCapability, Run: s.capabilityBeforeAuth},
		{Phase: PhaseAuth, Run: s.auth},
		{Phase: PhaseCapability, Run: s.capabilityAfterAuth},
		{Phase: PhaseID, Run: s.id},
		{Phase: PhaseSelect, Run: s.selectMailbox},
		{Phase: PhaseFetch, Run: s.fetch},
		{Phase: PhaseUnselect, Run: s.unselect},
		{Phase: PhaseList, Run: s.list},
		{Phase: PhaseStatus, Run: s.status},
		{Phase: PhaseQuota, Run: s.quota},
		{Phase: PhaseLogout, Run: s.logout, AtEnd: true},
	}
	for i := range steps {
		steps[i] = s.explained(steps[i])
	}
	return steps
}

func (s *imapSession) connect(ctx context.Context) error {
	if err := s.Connect(ctx); err != nil {
		return err
	}
	s.conn = imap.NewConn(s.Conn)
	return nil
}

// greeting waits for the server's first line.
func (s *imapSession) greeting(context.Context) error {
	r, err := s.conn.Greeting(s.Ready())
	if err != nil {
		return err
	}
	if r.Status() != imap.PREAUTH {
		return nil
	}
	if s.Target.TLSMode == TLSImplicit && (s.Target.Auth == AuthExternal || s.Target.Auth == AuthNone) {
		s.preauth = true
		return nil
	}
	return Errorf(ReasonPreauth, "the server greeted with PREAUTH, so no login can be measured")
}

// startTLS asks for TLS. A server that doesn't offer it, or refuses it, fails the probe: nothing goes on in clear text.
func (s *imapSession) startTLS(context.Context) error {
	if s.Target.TLSMode != TLSStartTLS {
		return nil
	}
	if !s.capabilities["STARTTLS"] {
		return Errorf(ReasonStartTLSRefused, "the server doesn't offer STARTTLS")
	}
	if err := s.conn.Do("STARTTLS", nil); err != nil {
		return err
	}
	return s.Conn.CheckUpgrade()
}

// upgradeTLS makes the handshake after STARTTLS. Nothing that was said in clear text counts after it.
func (s *imapSession) upgradeTLS(ctx context.Context) error {
	if s.Target.TLSMode != TLSStartTLS {
		return nil
	}
	if err := s.Handshake(ctx); err != nil {
		return err
	}
	s.conn = imap.NewConn(s.Conn)
	return nil
}

// logout logs out, which never fails a probe.
func (s *imapSession) logout(context.Context) error {
	return s.conn.Do("LOGOUT", nil)
}

// goimap returns go-imap's client, on the conversation so far.
func (s *imapSession) goimap() *imapclient.Client {
	if s.client == nil {
		s.clientConn = s.conn.ClientConn()
		s.client = imapclient.New(s.clientConn, nil)
		s.AtEnd(func() {
			_ = s.clientConn.Close()
			_ = s.client.Close()
		})
	}
	return s.client
}

// cause is what lies behind an error of go-imap's client, which words anew what it is told.
func (s *imapSession) cause(err error) error {
	switch {
	case err == nil:
		return nil
	case s.conn.Err() != nil:
		return s.conn.Err()
	case s.clientConn.LastError() != nil:
		return s.clientConn.LastError()
	}
	return fmt.Errorf("%w: %w", imap.ErrProtocol, err)
}
