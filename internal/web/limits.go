package web

import "time"

// Limits of a client's requests. What a connection may take is in connections.go, what answers may take in answers.go.
const (
	readTimeout    = 10 * time.Second
	writeTimeout   = 10 * time.Second // of answers that aren't made as a whole; others have sendTimeout
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
)

// How many requests of each kind are worked on at a time. Further ones are answered with 503. Together they are fewer than
// maxConnections, since those that wait, for a probe or a reload, keep their connections.
const (
	// probesInFlight is how many requests for /probe there are; most of them wait.
	probesInFlight = 256
	// pagesInFlight is how many pages are rendered.
	pagesInFlight = 4
	// reloadsInFlight is how many reloads run or wait.
	reloadsInFlight = 4
	// buttonsInFlight is how many pages wait for the probe that somebody asked for with a button.
	buttonsInFlight = 16
)

// busyText is the body of most answers with 503.
const busyText = "Busy: try again."
