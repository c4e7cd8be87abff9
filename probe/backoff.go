package probe

import (
	"regexp"
	"strconv"
	"time"
)

// suggestedBackoff is how Exchange says for how long a client is to stay away. Twelve digits are 31 years.
var suggestedBackoff = regexp.MustCompile(`(?i)\bsuggested backoff time: (\d{1,12}) milliseconds\b`)

// backoff returns for how long a server's text asks to be left alone; 0 if it doesn't say.
func backoff(text string) time.Duration {
	match := suggestedBackoff.FindStringSubmatch(text)
	if match == nil {
		return 0
	}
	milliseconds, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(milliseconds) * time.Millisecond
}
