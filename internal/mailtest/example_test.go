package mailtest_test

import (
	"bufio"
	"fmt"
	"net"

	"imap-exporter/internal/mailtest"
)

// A server that refuses its first SELECT.
func ExampleServer() {
	refusals := 1
	s, err := mailtest.Start(mailtest.Options{Handle: map[string]mailtest.Handler{
		"SELECT": func(c *mailtest.Conn, cmd mailtest.Command) error {
			if refusals--; refusals >= 0 {
				return c.NO(cmd.Tag, "[UNAVAILABLE] Come back later.")
			}
			return c.Default(cmd)
		},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()

	client, err := net.Dial("tcp", s.Addr())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	fmt.Fprint(client, "a LOGIN demo@example.org canary-demo-secret\r\nb SELECT INBOX\r\nc LOGOUT\r\n")
	for lines := bufio.NewScanner(client); lines.Scan(); {
		if line := lines.Text(); line[0] == 'b' {
			fmt.Println(line)
		}
	}
	fmt.Println(s.Conversations()[0].Verbs())
	// Output:
	// b NO [UNAVAILABLE] Come back later.
	// [LOGIN SELECT LOGOUT]
}
