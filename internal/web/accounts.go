package web

import (
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

// An accountView is an account, what the schedule says of it, and what its last probe found.
type accountView struct {
	account.Status
	// Last is nil before the first probe has ended.
	Last *probe.Result
	// Since is the start of the first of the consecutive probes that all succeeded, or all failed, as Last did.
	Since time.Time
}

// accounts returns all accounts, sorted by name.
func (p *pages) accounts() []accountView {
	all := p.opts.Accounts.All()
	views := make([]accountView, len(all))
	for i, status := range all {
		views[i] = p.newAccountView(status)
	}
	return views
}

// account returns one account.
func (p *pages) account(key account.Key) (accountView, bool) {
	status, ok := p.opts.Accounts.Get(key)
	return p.newAccountView(status), ok
}

func (p *pages) newAccountView(status account.Status) accountView {
	last, since := p.history.LastSince(status.Key())
	return accountView{status, last, since}
}
