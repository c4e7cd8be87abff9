package probe

import (
	"context"
	"slices"
	"strings"

	"imap-exporter/internal/imap"
)

// quotaUnit is the unit of STORAGE in octets (RFC 9208, section 5.1).
const quotaUnit = 1024

// quota asks for the quota roots of the selected mailbox, or of INBOX (RFC 9208, section 4.1.2). A refusal is noted and is no
// failure: many servers announce QUOTA and keep none for the account. It does not use go-imap's client,
// which gives up the connection on limits that some servers send.
func (s *imapSession) quota(context.Context) error {
	if !s.Target.Quota {
		return nil
	}
	quota := &Quota{Supported: s.capabilities["QUOTA"]}
	s.Result.Quota = quota
	if !quota.Supported {
		return nil
	}
	mailbox := s.Target.Select
	if mailbox == "" {
		mailbox = imap.Inbox
	}
	var names []string // of the roots, as they were sent
	err := s.conn.Do("GETQUOTAROOT "+imap.EncodeMailbox(mailbox), func(r *imap.Response) {
		if r.Name == "QUOTA" {
			names = s.addQuota(names, r)
		}
	})
	if err != nil && s.conn.Err() != nil {
		return err
	}
	if err != nil {
		s.Notef("quota: %v", err)
		quota.Roots = nil
	}
	return nil
}

// addQuota reads a QUOTA response: root, and a list of name, usage and limit triples. Some servers send one response for each
// resource of a root. Of a resource that comes twice the first counts.
func (s *imapSession) addQuota(names []string, r *imap.Response) []string {
	name, triples, ok := r.NamedList()
	if !ok {
		s.Notef("quota: a QUOTA response can't be read")
		return names
	}
	quota, label := s.Result.Quota, s.LabelValue(name)
	i := slices.Index(names, name)
	switch {
	case i >= 0:
	case len(names) == MaxQuotaRoots:
		return names
	case slices.ContainsFunc(quota.Roots, func(other QuotaRoot) bool { return other.Name == label }):
		s.Notef("quota: a quota root was left out: another one has the label %q too", label)
		return names
	default:
		i = len(names)
		names, quota.Roots = append(names, name), append(quota.Roots, QuotaRoot{Name: label})
	}
	root := &quota.Roots[i]
	for ; len(triples) >= 3; triples = triples[3:] {
		switch name := strings.ToUpper(triples[0].Text); {
		case name == "STORAGE" && root.Storage == nil:
			root.Storage = resource(triples[1:3], quotaUnit)
		case name == "MESSAGE" && root.Messages == nil:
			root.Messages = resource(triples[1:3], 1)
		}
	}
	return names
}

// resource reads usage and limit in units of unit. It is nil without a usage. What is no number, or too large for a number
// of bytes, is no limit.
func resource(pair []imap.Value, unit uint64) *Resource {
	const bits = 53 // some servers say "-1" or 2^64-1 for unlimited
	used, ok := pair[0].Uint(bits)
	if !ok {
		return nil
	}
	limit, limited := pair[1].Uint(bits)
	if !limited {
		limit = 0
	}
	return &Resource{Used: used * unit, Limit: limit * unit}
}
