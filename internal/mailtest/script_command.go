package mailtest

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// A Command is what a client sent.
type Command struct {
	Tag string
	// Verb is in upper case. UID and the verb after it are one: "UID FETCH".
	Verb string
	// Args are the arguments: strings without their quotes, literals as their bytes, lists with their parentheses.
	Args []string
	// Line is the whole command as it came, literals included, without the last CRLF.
	Line string
	// TLS says that it came encrypted.
	TLS bool
	// Replies are the lines the client sent when the command had asked it to go on (SASL).
	Replies []string
}

// Default sends the built-in answer, including those to "CONNECT" and "GREETING".
func (c *Conn) Default(cmd Command) error {
	switch cmd.Verb {
	case "CONNECT":
		return nil
	case "GREETING":
		return c.greet()
	case "CAPABILITY":
		c.Line("* CAPABILITY %s", strings.Join(c.Capabilities(), " "))
		return c.OK(cmd.Tag, "Here you are.")
	case "NOOP":
		return c.OK(cmd.Tag, "Nothing done.")
	case "ID":
		c.Line(`* ID ("name" "mailtest")`)
		return c.OK(cmd.Tag, "Pleased to meet you.")
	case "LOGOUT":
		c.bye = true
		c.Line("* BYE See you.")
		return c.OK(cmd.Tag, "Logged out.")
	}
	if !c.loggedIn {
		return c.beforeAuth(cmd)
	}
	return c.afterAuth(cmd)
}

func (c *Conn) greet() error {
	switch o := &c.server.options; {
	case o.Greeting != "":
		c.Raw(o.Greeting)
	case o.Reticent:
		c.Line("* OK IMAP4rev1 server ready.")
	default:
		c.Line("* OK [CAPABILITY %s] IMAP4rev1 server ready.", strings.Join(c.Capabilities(), " "))
	}
	return c.Flush()
}

func (c *Conn) beforeAuth(cmd Command) error {
	switch cmd.Verb {
	case "STARTTLS":
		if !c.offers("STARTTLS") || c.TLS() {
			return c.BAD(cmd.Tag, "STARTTLS is not offered.")
		}
		c.Line("%s OK Begin TLS now.", cmd.Tag)
		return c.StartTLS()
	case "LOGIN":
		return c.login(cmd)
	case "AUTHENTICATE":
		return c.authenticate(cmd)
	}
	return c.BAD(cmd.Tag, "Unknown command, or log in first.")
}

func (c *Conn) afterAuth(cmd Command) error {
	switch cmd.Verb {
	case "SELECT", "EXAMINE":
		return c.selectMailbox(cmd)
	case "STATUS":
		return c.statusOf(cmd)
	case "LIST":
		return c.list(cmd)
	case "NAMESPACE":
		c.Line(`* NAMESPACE (("" "/")) NIL NIL`)
		return c.OK(cmd.Tag, "Namespace completed.")
	case "GETQUOTAROOT", "GETQUOTA":
		if c.offers("QUOTA") {
			return c.quota(cmd)
		}
	case "FETCH", "UID FETCH":
		if c.selected == "" {
			return c.BAD(cmd.Tag, "No mailbox is selected.")
		}
		return c.fetch(cmd)
	case "UNSELECT", "CLOSE":
		if c.selected == "" {
			return c.BAD(cmd.Tag, "No mailbox is selected.")
		}
		if cmd.Verb == "CLOSE" || c.offers("UNSELECT") {
			c.selected, c.view = "", nil
			return c.OK(cmd.Tag, "Unselected.")
		}
	}
	return c.BAD(cmd.Tag, "Unknown command.")
}

// literal finds the announcement of a literal at the end of a line (RFC 3501, section 4.3; RFC 7888).
var literal = regexp.MustCompile(`\{(\d{1,9})(\+?)\}$`)

// readCommand reads a command with its literals, and records it.
func (c *Conn) readCommand() (Command, error) {
	var whole strings.Builder
	for {
		line, err := c.readLine()
		if err != nil {
			return Command{}, err
		}
		whole.WriteString(line)
		announced := literal.FindStringSubmatch(line)
		if announced == nil {
			break
		}
		n, err := strconv.Atoi(announced[1])
		if err != nil || whole.Len()+n > maxLiteral {
			return Command{}, fmt.Errorf("mailtest: a command of more than %d bytes", maxLiteral)
		}
		if announced[2] == "" {
			c.Line("+ Go on.")
			if err := c.Flush(); err != nil {
				return Command{}, err
			}
		}
		bytes := make([]byte, n)
		if _, err := io.ReadFull(c.r, bytes); err != nil {
			return Command{}, err
		}
		whole.WriteString("\r\n" + string(bytes))
	}
	cmd := parseCommand(whole.String())
	cmd.TLS = c.TLS()
	if !c.server.options.NoRecord {
		early := c.r.Buffered() > 0
		c.record(func(v *Conversation) {
			v.Commands = append(v.Commands, cmd)
			v.Pipelined = v.Pipelined || early
		})
	}
	return cmd, nil
}

func parseCommand(line string) Command {
	cmd := Command{Tag: "*", Line: line}
	words := parseArgs(line)
	if len(words) > 0 {
		cmd.Tag = words[0]
	}
	if len(words) > 1 {
		cmd.Verb, cmd.Args = strings.ToUpper(words[1]), words[2:]
	}
	if cmd.Verb == "UID" && len(cmd.Args) > 0 {
		cmd.Verb, cmd.Args = "UID "+strings.ToUpper(cmd.Args[0]), cmd.Args[1:]
	}
	return cmd
}

// parseArgs splits a command at its spaces: strings lose their quotes, literals their announcement, and a list in
// parentheses, like a section in brackets, stays whole.
func parseArgs(s string) []string {
	var args []string
	for {
		s = strings.TrimLeft(s, " ")
		if s == "" {
			return args
		}
		var arg string
		arg, s = nextArg(s)
		args = append(args, arg)
	}
}

func nextArg(s string) (arg, rest string) {
	if s[0] == '"' {
		return unquote(s)
	}
	if head, after, found := strings.Cut(s, "\r\n"); found {
		if announced := literal.FindStringSubmatch(head); announced != nil && announced[0] == head {
			n, err := strconv.Atoi(announced[1])
			if err == nil && n <= len(after) {
				return after[:n], after[n:]
			}
		}
	}
	depth, quoted := 0, false
	for i := range len(s) {
		switch ch := s[i]; {
		case ch == '"':
			quoted = !quoted
		case quoted:
		case ch == '(' || ch == '[':
			depth++
		case ch == ')' || ch == ']':
			depth--
		case ch == ' ' && depth <= 0:
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// unquote reads a quoted string from the start of s.
func unquote(s string) (value, rest string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// parseList splits a list in parentheses into its items, in upper case. What is no list is a list of one.
func parseList(s string) []string {
	return parseArgs(strings.ToUpper(strings.TrimSuffix(strings.TrimPrefix(s, "("), ")")))
}
