package probe

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"
)

var errFault = errors.New("a fault of the exporter")

// A Fault is a panic of ours that a probe met. It tells where, and nothing of the values at hand, which may be secret.
type Fault struct {
	// Stack are the functions that led to it, the innermost first, each with its file and line, without arguments.
	Stack []string
	value any
}

// newFault makes a Fault of what recover returned. It is for the deferred function that called that.
func newFault(recovered any) *Fault {
	const skip, most = 3, 64 // runtime.Callers, newFault and the deferred function
	callers := make([]uintptr, most)
	frames := runtime.CallersFrames(callers[:runtime.Callers(skip, callers)])
	f := &Fault{value: recovered}
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			f.Stack = append(f.Stack, fmt.Sprintf("%s %s:%d", frame.Function, path.Base(frame.File), frame.Line))
		}
		if !more {
			return f
		}
	}
}

// Error gives the panic's value if it is a text, else its type: other values might print a secret in a form that isn't known
// and blanked.
func (f *Fault) Error() string {
	switch f.value.(type) {
	case error, string:
		return fmt.Sprintf("%v: %v", errFault, f.value)
	default:
		return fmt.Sprintf("%v: a panic with %T", errFault, f.value)
	}
}

// Unwrap says what kind of error it is.
func (f *Fault) Unwrap() error { return errFault }
