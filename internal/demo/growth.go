package demo

import (
	"time"

	"imap-exporter/internal/mailtest"
)

const (
	// deliveryInterval is the minimum time between two messages; it may be twice as long.
	deliveryInterval = 3 * time.Second
	// At maxMessages all but keptMessages are deleted, as if somebody had cleaned up.
	maxMessages  = 300
	keptMessages = 20
)

// A growingMailbox receives messages over time. It must be used under the server's lock.
type growingMailbox struct {
	latency   *latency
	next      time.Time // When the next message comes.
	delivered int
}

func newGrowingMailbox(now time.Time) *growingMailbox {
	return &growingMailbox{latency: newLatency(), next: now}
}

// deliver adds the messages up to now to the user's INBOX, and updates the quota.
func (g *growingMailbox) deliver(user *mailtest.User, now time.Time) {
	if earliest := now.Add(-maxMessages * deliveryInterval); g.next.Before(earliest) {
		g.next = earliest // What came before has been tidied up.
	}
	inbox := user.Mailbox("INBOX")
	for ; !g.next.After(now); g.next = g.next.Add(g.latency.between(deliveryInterval, 2*deliveryInterval)) {
		g.delivered++
		if len(inbox.Messages) >= maxMessages {
			inbox.Messages = append([]mailtest.Message(nil), inbox.Messages[len(inbox.Messages)-keptMessages:]...)
		}
		inbox.Messages = append(inbox.Messages, mailtest.NewMessage(g.delivered, g.next))
	}
	messages, octets := 0, 0
	for _, m := range user.Mailboxes {
		messages += len(m.Messages)
		for i := range m.Messages {
			octets += m.Messages[i].Size()
		}
	}
	user.Quota = []mailtest.Quota{{
		Root:     "User quota",
		Storage:  &mailtest.Usage{Used: uint64(octets) / 1024, Limit: 1024},
		Messages: &mailtest.Usage{Used: uint64(messages), Limit: 2 * maxMessages},
	}}
}
