package probe

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"
)

var errPanic = errors.New("a fault of the exporter")

// A PanicError is a panic of ours during a probe. It says where, and not with which values, since these may be secret.
type PanicError struct {
	// Stack are the functions that led to it, the innermost first, each with its file and line, without arguments.
	Stack []string
	value any
}

// newPanicError makes a PanicError of what recover returned. The deferred function that called recover must call it.
func newPanicError(recovered any) *PanicError {
	const skip, most = 3, 64 // runtime.Callers, newPanicError and the deferred function
	callers := make([]uintptr, most)
	frames := runtime.CallersFrames(callers[:runtime.Callers(skip, callers)])
	f := &PanicError{value: recovered}
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

// Error has the panic's value if that is a text, else only its type: other values might print a secret in a form that isn't
// recognized and redacted.
func (f *PanicError) Error() string {
	switch f.value.(type) {
	case error, string:
		return fmt.Sprintf("%v: %v", errPanic, f.value)
	default:
		return fmt.Sprintf("%v: a panic with %T", errPanic, f.value)
	}
}

// Unwrap says what kind of error it is.
func (f *PanicError) Unwrap() error { return errPanic }
