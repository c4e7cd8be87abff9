package probe

// A Reason says what went wrong; the Phase says where. Each [Protocol] has a closed list of them, because they become values
// of the label "reason".
type Reason string

// The reasons. statusReason says how a server's answer comes to one of them.
const (
	// ReasonDNS: the name could not be resolved, or has no address of the wanted family.
	ReasonDNS Reason = "dns"
	// ReasonRefused: nothing listens there, the connection was refused.
	ReasonRefused Reason = "refused"
	// ReasonUnreachable: no route to the host or network, or an address that leads nowhere from this machine.
	ReasonUnreachable Reason = "unreachable"
	// ReasonReset: the connection was closed or reset by the other side without a BYE.
	ReasonReset Reason = "reset"
	// ReasonTimeout: no (complete) answer in time.
	ReasonTimeout Reason = "timeout"
	// ReasonTLS: the TLS handshake failed for a reason other than the certificate.
	ReasonTLS Reason = "tls"
	// ReasonCertificateExpired: the certificate's notAfter is past.
	ReasonCertificateExpired Reason = "certificate_expired"
	// ReasonCertificateNotYetValid: the certificate's notBefore is to come.
	ReasonCertificateNotYetValid Reason = "certificate_not_yet_valid"
	// ReasonCertificateName: the certificate is for another name.
	ReasonCertificateName Reason = "certificate_name"
	// ReasonCertificateUntrusted: no trusted authority vouches for the certificate, or it fails its verification in another way.
	ReasonCertificateUntrusted Reason = "certificate_untrusted"
	// ReasonStartTLSRefused: STARTTLS is not offered, or was answered with NO or BAD.
	ReasonStartTLSRefused Reason = "starttls_refused"
	// ReasonStartTLSInjection: bytes in clear text followed the answer to STARTTLS.
	ReasonStartTLSInjection Reason = "starttls_injection"
	// ReasonPreauth: the server greeted with PREAUTH, so that no login can be measured.
	ReasonPreauth Reason = "preauth"
	// ReasonPlaintextRefused: a credential would have crossed the network unencrypted (ours), or PRIVACYREQUIRED (theirs).
	ReasonPlaintextRefused Reason = "plaintext_refused"
	// ReasonLoginDisabled: the server announces LOGINDISABLED.
	ReasonLoginDisabled Reason = "login_disabled"
	// ReasonMechanism: no allowed way to log in is offered.
	ReasonMechanism Reason = "mechanism"
	// ReasonCredential: our own password or token can't be read.
	ReasonCredential Reason = "credential"
	// ReasonRejected: AUTHENTICATIONFAILED, AUTHORIZATIONFAILED, EXPIRED, a plain NO to the login, or a text about a locked account or failed logins.
	ReasonRejected Reason = "rejected"
	// ReasonThrottled: LIMIT, INUSE and OVERQUOTA of logins, or a text about too many connections, logins, commands or bytes.
	ReasonThrottled Reason = "throttled"
	// ReasonUnavailable: UNAVAILABLE, SERVERBUG, CONTACTADMIN, CORRUPTION, INUSE of a mailbox, or a text about an error of the server: it can't, for now.
	ReasonUnavailable Reason = "unavailable"
	// ReasonToken: the server refuses the bearer token, or says that it has expired.
	ReasonToken Reason = "token"
	// ReasonBye: the server said BYE where it should have answered.
	ReasonBye Reason = "bye"
	// ReasonCommandRejected: any other tagged NO or BAD.
	ReasonCommandRejected Reason = "command_rejected"
	// ReasonMailboxMissing: the mailbox to select does not exist (NONEXISTENT, TRYCREATE).
	ReasonMailboxMissing Reason = "mailbox_missing"
	// ReasonPermission: NOPERM, the account may not do this.
	ReasonPermission Reason = "permission"
	// ReasonProtocol: the answer is not IMAP, or not an answer to what was asked.
	ReasonProtocol Reason = "protocol"
	// ReasonTooLarge: the server sent more than a probe accepts.
	ReasonTooLarge Reason = "too_large"
	// ReasonCanceled: we stopped the probe ourselves (shutdown, reload). Such Results are discarded.
	ReasonCanceled Reason = "canceled"
	// ReasonInternal: a fault of the exporter or its machine, such as too many open files.
	ReasonInternal Reason = "internal"
)
