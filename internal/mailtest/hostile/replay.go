package hostile

import (
	"maps"
	"strings"
	"sync"

	"imap-exporter/internal/mailtest"
)

// replay is a server that replies each command with the recorded answer of a real server. TAG stands for the tag, NUMBER for
// the first argument. Commands that are not in over get the simplest answer; the built-in replies do the login.
func replay(greeting string, over map[string]string) mailtest.Options {
	replies := map[string]string{
		"CAPABILITY":   "* CAPABILITY IMAP4rev1 UNSELECT QUOTA\r\nTAG OK done\r\n",
		"LOGIN":        "TAG OK done\r\n",
		"ID":           "* ID NIL\r\nTAG OK done\r\n",
		"EXAMINE":      "* 24 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 31] next\r\nTAG OK [READ-ONLY] done\r\n",
		"FETCH":        "* NUMBER FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[HEADER]<0> {3}\r\nabc)\r\nTAG OK done\r\n",
		"UNSELECT":     "TAG OK done\r\n",
		"LIST":         "* LIST () \"/\" INBOX\r\nTAG OK done\r\n",
		"STATUS":       "* STATUS INBOX (MESSAGES 24 UNSEEN 3)\r\nTAG OK done\r\n",
		"GETQUOTAROOT": "* QUOTAROOT INBOX \"\"\r\n* QUOTA \"\" (STORAGE 10 512)\r\nTAG OK done\r\n",
	}
	maps.Copy(replies, over)
	o := mailtest.Options{Greeting: greeting, Handle: map[string]mailtest.Handler{}}
	for verb, raw := range replies {
		o.Handle[verb] = func(c *mailtest.Conn, cmd mailtest.Command) error {
			number := ""
			if len(cmd.Args) > 0 {
				number = cmd.Args[0]
			}
			c.Raw(strings.NewReplacer("TAG", cmd.Tag, "NUMBER", number).Replace(raw))
			return nil
		}
	}
	return o
}

// sasl makes a replay log in by its built-in replies, with these capabilities before and after.
func sasl(o mailtest.Options, before, after string) mailtest.Options {
	delete(o.Handle, "CAPABILITY")
	o.Capabilities, o.Reticent = announce(before, after), true
	return o
}

// suspicious refuses EXAMINE to a client that has not sent ID.
func suspicious(refusal string) mailtest.Options {
	var known sync.Map // the number of each connection whose client has
	o := replay("* OK Coremail System IMap Server Ready(163com)\r\n", map[string]string{
		"CAPABILITY": "* CAPABILITY IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ STARTTLS APPENDLIMIT=71680000 XAPPLEPUSHSERVICE UIDPLUS X-CM-EXT-1 SASL-IR AUTH=XOAUTH2\r\nTAG OK CAPABILITY completed\r\n",
		"FETCH":      "* NUMBER FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 +0800\" BODY[HEADER]<0> {3}\r\nabc)\r\nTAG OK Fetch completed\r\n",
	})
	identify, examine := o.Handle["ID"], o.Handle["EXAMINE"]
	o.Handle["ID"] = func(c *mailtest.Conn, cmd mailtest.Command) error {
		known.Store(c.Number, true)
		return identify(c, cmd)
	}
	o.Handle["EXAMINE"] = func(c *mailtest.Conn, cmd mailtest.Command) error {
		if _, ok := known.Load(c.Number); !ok {
			return c.NO(cmd.Tag, refusal)
		}
		return examine(c, cmd)
	}
	return o
}
