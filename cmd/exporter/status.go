package main

import "errors"

// The exit statuses of commands that probe, beside 0. Those of -o nagios are format.NagiosState's.
const (
	statusFailed = 1 // something that was probed failed
	statusUsage  = 2 // nothing was probed: the command line or the configuration is wrong
)

// A statusError ends the program with a status. Its error is printed; nil: all has been said.
type statusError struct {
	status int
	err    error
}

func (s *statusError) Error() string {
	if s.err == nil {
		return ""
	}
	return s.err.Error()
}

func (s *statusError) Unwrap() error { return s.err }

// withStatus gives an error an exit status.
func withStatus(status int, err error) error { return &statusError{status, err} }

// exit ends the program with a status, and says no more.
func exit(status int) error {
	if status == 0 {
		return nil
	}
	return &statusError{status: status}
}

// statusOf returns the exit status for an error, and whether there is something to say about it.
func statusOf(err error) (status int, silent bool) {
	if s, ok := errors.AsType[*statusError](err); ok {
		return s.status, s.err == nil
	}
	return 1, false
}
