package setup

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

// maxAnswers is how often the user may answer which mailboxes to count.
const maxAnswers = 3

// chooseMailboxes says what the server offers, and sets the mailboxes to count: those that were given, or those that the
// user names.
func (s *Setup) chooseMailboxes(r *probe.Result) (err error) {
	if q := r.Quota; q != nil && len(q.Roots) > 0 {
		s.User.Say("The server reports a quota, so it is measured.")
	}
	if len(s.Mailboxes) > 0 {
		s.Mailboxes, err = findMailboxes(r, s.Mailboxes)
		return err
	}
	if len(r.Mailboxes) < 2 {
		return nil
	}
	more := ""
	if r.MailboxesTruncated != nil && *r.MailboxesTruncated {
		more = "more than "
	}
	s.User.Say("The account has %s%d mailboxes.", more, len(r.Mailboxes))
	for range maxAnswers {
		answer, err := s.User.Ask("Which of them to count: all, inbox, or names separated by commas", "inbox")
		if err != nil {
			return err
		}
		names := []string{answer}
		if !hasMailbox(r, answer) { // A name may have a comma itself.
			names = strings.Split(answer, ",")
		}
		if s.Mailboxes, err = findMailboxes(r, names); err == nil {
			return nil
		}
		s.User.Say("%v.", err)
	}
	return errors.New("no mailboxes were chosen")
}

// findMailboxes returns the names and patterns of the mailboxes that somebody calls so, as the configuration has them.
// Each must be one of those that the server listed, or match one.
func findMailboxes(r *probe.Result, names []string) (found []string, err error) {
	for _, name := range names {
		if !hasMailbox(r, name) {
			name = strings.TrimSpace(name)
		}
		switch {
		case name == "":
			continue
		case hasMailbox(r, name):
		case strings.EqualFold(name, "inbox"):
			name = "INBOX"
		case strings.EqualFold(name, "all"):
			name = "*"
		case r.MailboxesTruncated != nil && *r.MailboxesTruncated: // It may be one of the others. The last probe will show.
		default:
			if err := findPattern(r, name); err != nil {
				return nil, err
			}
		}
		if !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	return found, nil
}

// hasMailbox reports whether the server listed a mailbox of this name.
func hasMailbox(r *probe.Result, name string) bool {
	name = text.LabelValue(name, probe.MaxNameRunes)
	return slices.ContainsFunc(r.Mailboxes, func(m probe.Mailbox) bool { return m.Name == name })
}

// findPattern returns an error unless name is a pattern (RFC 9051, section 6.3.9) that matches a mailbox. Which
// character separates levels isn't known here, so % matches as much as * does.
func findPattern(r *probe.Result, name string) error {
	if strings.ContainsAny(name, "*%") {
		pattern := strings.NewReplacer(`\*`, ".*", "%", ".*").Replace(regexp.QuoteMeta(name))
		matching, err := regexp.Compile("(?s)^" + pattern + "$")
		if err != nil {
			return err
		}
		if slices.ContainsFunc(r.Mailboxes, func(m probe.Mailbox) bool { return matching.MatchString(m.Name) }) {
			return nil
		}
		return fmt.Errorf("no mailbox matches %s", name)
	}
	var similar []string
	for _, m := range r.Mailboxes {
		if strings.EqualFold(m.Name, name) {
			similar = append(similar, m.Name)
		}
	}
	if len(similar) > 0 {
		return fmt.Errorf("there is no mailbox %s: did you mean %s?", name, strings.Join(similar, " or "))
	}
	return fmt.Errorf("there is no mailbox %s that can be counted: the account has %s", name, mailboxNames(r.Mailboxes))
}

// mailboxNames lists mailboxes in a sentence.
func mailboxNames(mailboxes []probe.Mailbox) string {
	var names []string
	for i, m := range mailboxes {
		if i == maxListedMailboxes {
			names = append(names, fmt.Sprintf("and %d more", len(mailboxes)-maxListedMailboxes))
			break
		}
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}
