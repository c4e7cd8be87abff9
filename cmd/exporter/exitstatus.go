package main

import "errors"

// The exit statuses of commands that probe, besides 0. With -o nagios it is the format.NagiosState.
const (
	statusFailed = 1 // a probe failed
	statusUsage  = 2 // nothing was probed: the command line or the configuration is wrong
)

// A statusError makes the program exit with a status. Its error is printed before; nil prints nothing.
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

// exitWith makes the program exit with a status and prints nothing.
func exitWith(status int) error {
	if status == 0 {
		return nil
	}
	return &statusError{status: status}
}

// exitStatusOf returns the exit status for an error, and whether the command has printed already what is wrong.
func exitStatusOf(err error) (status int, printed bool) {
	if s, ok := errors.AsType[*statusError](err); ok {
		return s.status, s.err == nil
	}
	return 1, false
}
