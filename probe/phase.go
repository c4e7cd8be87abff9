package probe

// A Phase is a part of a probe: where time was spent, or where the probe failed. Each [Protocol] has a closed list of them,
// because they become values of the label "phase".
type Phase string

// The phases, in the order in which a probe goes through them. docs/imap.md says what each one is on the wire, and what
// usually makes it slow.
const (
	// PhaseResolve asks the resolver for the server's addresses. An IP address needs none.
	PhaseResolve Phase = "resolve"
	// PhaseConnectFailed is the time lost on addresses that didn't answer before one did.
	PhaseConnectFailed Phase = "connect_failed"
	// PhaseConnect is the TCP handshake with the address that answered.
	PhaseConnect Phase = "connect"
	// PhaseTLS is the TLS handshake, after connect (implicit) or after STARTTLS.
	PhaseTLS Phase = "tls"
	// PhaseGreeting waits for the server's first line (RFC 9051, section 7.1).
	PhaseGreeting Phase = "greeting"
	// PhaseStartTLS is the STARTTLS command (RFC 9051, section 6.2.1).
	PhaseStartTLS Phase = "starttls"
	// PhaseCapability is the sum of all CAPABILITY commands: before and after TLS, and after auth.
	PhaseCapability Phase = "capability"
	// PhaseAuth is LOGIN or the whole AUTHENTICATE exchange.
	PhaseAuth Phase = "auth"
	// PhaseID is the ID command (RFC 2971), sent only if the Target asks for it.
	PhaseID Phase = "id"
	// PhaseSelect is SELECT or EXAMINE.
	PhaseSelect Phase = "select"
	// PhaseFetch is the sum of the FETCH commands: the newest message, and the oldest one's date.
	PhaseFetch Phase = "fetch"
	// PhaseUnselect is UNSELECT (RFC 3691), where offered.
	PhaseUnselect Phase = "unselect"
	// PhaseList is the sum of the LIST commands, one for each pattern.
	PhaseList Phase = "list"
	// PhaseStatus is the sum of the STATUS commands, one for each mailbox.
	PhaseStatus Phase = "status"
	// PhaseQuota is GETQUOTAROOT (RFC 9208).
	PhaseQuota Phase = "quota"
	// PhaseLogout is LOGOUT. It never fails a probe.
	PhaseLogout Phase = "logout"
)
