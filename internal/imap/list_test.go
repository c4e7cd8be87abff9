package imap

import (
	"slices"
	"testing"
	"time"
)

func response(t *testing.T, line string) *Response {
	t.Helper()
	r, ok := parseResponse([]byte(line + "\r\n"))
	if !ok {
		t.Fatalf("%s: no response", line)
	}
	return r
}

func TestListing(t *testing.T) {
	for line, want := range map[string]string{
		`* LIST (\HasNoChildren) "/" "Deleted Items"`:      "Deleted Items",
		`* LIST (\HasNoChildren) "/" Deleted Items`:        "Deleted Items",
		`* LIST () NIL Foo (bar) `:                         "Foo (bar)",
		`* LIST ()  "/"  foo ("CHILDINFO" ("SUBSCRIBED"))`: "foo",
		`* LIST () "/" "foo" ("CHILDINFO" ("SUBSCRIBED"))`: "foo",
		`* LIST () "/" a (b) ("OLDNAME" ("c"))`:            "a (b)",
		`* LIST () "\\" {`:                                 "",
		`* LIST () "/" [Gmail]/Sent`:                       "[Gmail]/Sent",
		`* LIST () "/" x "y" z`:                            `x "y" z`,
		`* LIST () "/" 200`:                                "200",
	} {
		if l, ok := response(t, line).Listing(); ok != (want != "") || l.Name != want {
			t.Errorf("%s: %q, %v, want %q", line, l.Name, ok, want)
		}
	}
	if l, _ := response(t, `* LIST (\NoSelect \Marked) "/" x`).Listing(); !slices.Equal(l.Attributes, []string{`\noselect`, `\marked`}) {
		t.Errorf("attributes %q", l.Attributes)
	}
	for _, line := range []string{"* LIST", "* LIST ()", `* LIST () "/"`, `* LIST x "/" y`, `* LIST () "/" "y`, `* LIST () ("/") y`} {
		if l, ok := response(t, line).Listing(); ok {
			t.Errorf("%s: %q", line, l.Name)
		}
	}
}

func TestNamedList(t *testing.T) {
	if name, list, ok := response(t, "* QUOTA x ()").NamedList(); !ok || name != "x" || len(list) > 0 {
		t.Errorf("%q, %v, %v", name, list, ok)
	}
	for line, want := range map[string]string{
		`* STATUS "Deleted Items" (MESSAGES 7)`:        "Deleted Items",
		`* STATUS Deleted Items (MESSAGES 7)`:          "Deleted Items",
		`* STATUS Foo (bar) (MESSAGES 7)`:              "Foo (bar)",
		`* STATUS Foo bar (MESSAGES 7 MAILBOXID (F1))`: "Foo bar",
		`* STATUS INBOX (MESSAGES 7) `:                 "INBOX",
		`* STATUS My "own" mail (MESSAGES 7)`:          `My "own" mail`,
	} {
		mailbox, items, ok := response(t, line).NamedList()
		if !ok || mailbox != want || items[0].Text != "MESSAGES" || items[1].Text != "7" {
			t.Errorf("%s: %q, %v, %v", line, mailbox, items, ok)
		}
	}
	for _, line := range []string{"* STATUS INBOX", "* STATUS INBOX MESSAGES 7", "* STATUS (MESSAGES 7)", "* STATUS INBOX (MESSAGES 7"} {
		if mailbox, items, ok := response(t, line).NamedList(); ok {
			t.Errorf("%s: %q, %v", line, mailbox, items)
		}
	}
}

func TestParseDate(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		" 4-Mar-2026 11:00:00 +0000":      "2026-03-04T11:00:00Z",
		"4-Mar-2026 11:00:00 +0000":       "2026-03-04T11:00:00Z",
		"Wed, 04 Mar 2026 13:00:00 +0200": "2026-03-04T11:00:00Z",
		"05-Mar-2026 11:59:59 +0000":      "2026-03-05T11:59:59Z",
		"01-Jan-1971 00:00:00 +0000":      "1971-01-01T00:00:00Z",
		"05-Mar-2026 12:00:01 +0000":      "",
		"31-Dec-1970 23:59:59 +0000":      "",
		"01-Jan-0001 00:00:00 +0000":      "",
		"00-Jan-0000 00:00:00 +0000":      "",
		"31-Dec-9999 23:59:59 +0000":      "",
		"NIL":                             "",
	} {
		date, ok := parseDate(text, now)
		if ok != (want != "") || ok && date.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v, want %q", text, date, ok, want)
		}
	}
}
