package probe

import "imap-exporter/internal/text"

// label makes a name that a server sent fit to be a label value, see [text.LabelValue], and free of what is secret.
func (s *session) label(name string) string {
	return text.LabelValue(s.gate.Redact(name), MaxNameRunes)
}
