package probe

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// learnt returns the values of a Result by the metric that shows them, summed over mailboxes and quota roots.
func learnt(r *Result) map[string]float64 {
	values := map[string]float64{}
	for _, m := range r.Mailboxes {
		sum(values, "mailbox_messages", m.Messages)
		sum(values, "mailbox_unseen_messages", m.Unseen)
		sum(values, "mailbox_recent_messages", m.Recent)
		sum(values, "mailbox_uidnext", m.UIDNext)
		sum(values, "mailbox_uidvalidity", m.UIDValidity)
		sum(values, "mailbox_size_bytes", m.SizeBytes)
		sum(values, "mailbox_highest_modseq", m.HighestModSeq)
		if m.Newest != nil {
			sum(values, "mailbox_newest_message_timestamp_seconds", new(uint64(m.Newest.Unix())))
		}
	}
	if r.MailboxesTruncated != nil {
		sum(values, "mailboxes_truncated", new(number(*r.MailboxesTruncated)))
	}
	if r.MailboxesUnreadable != nil {
		values["mailboxes_unreadable"] = float64(*r.MailboxesUnreadable)
	}
	if r.Fetched != nil {
		sum(values, "fetch_bytes", new(uint64(r.Fetched.Bytes)))
	}
	if r.Quota != nil {
		sum(values, "quota_supported", new(number(r.Quota.Supported)))
		for _, root := range r.Quota.Roots {
			if root.Storage != nil {
				sum(values, "quota_storage_used_bytes", &root.Storage.Used)
				sum(values, "quota_storage_limit_bytes", limit(root.Storage))
			}
			if root.Messages != nil {
				sum(values, "quota_messages_used", &root.Messages.Used)
				sum(values, "quota_messages_limit", limit(root.Messages))
			}
		}
	}
	return values
}

func limit(r *Resource) *uint64 {
	if r.Limit == 0 {
		return nil
	}
	return &r.Limit
}

func sum[T uint32 | uint64](values map[string]float64, name string, value *T) {
	if value != nil {
		values[name] += float64(*value)
	}
}

func number(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// learntNames returns all text in a Result that becomes a label.
func learntNames(r *Result) []string {
	var names []string
	for _, m := range r.Mailboxes {
		names = append(names, m.Name)
	}
	if r.Quota != nil {
		for _, root := range r.Quota.Roots {
			names = append(names, root.Name)
		}
	}
	return names
}

// assertPrintable wants every string of a Result to be printable, whatever a server put into it.
func assertPrintable(t *testing.T, r *Result) {
	t.Helper()
	eachString(reflect.ValueOf(r), "Result", func(path, s string) {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
			t.Errorf("%s is %q", path, s)
		}
	})
}

// eachString calls f for all strings in v, but for those behind interfaces, such as the cause of a failure.
func eachString(v reflect.Value, path string, f func(path, s string)) {
	switch v.Kind() {
	case reflect.String:
		f(path, v.String())
	case reflect.Pointer:
		if !v.IsNil() {
			eachString(v.Elem(), path, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachString(v.Index(i), path, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			eachString(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	default:
	}
}
