package history

import (
	"reflect"
	"strings"
	"time"
	"unsafe"

	"imap-exporter/probe"
)

// copyResult returns a copy of r as it is kept, and how many bytes that takes at most. The copy shares no memory with r: a text of
// a server may be a few bytes of a line of 16 KiB, which would stay in memory with it. It shares with before, which is a copy
// too or nil, what is equal: most of a Result is as it was in the probe before.
//
// It copies and weighs whatever a Result has, so that no field can be forgotten. What can't be kept, the cause of an
// Error, is left out; a test says of which fields that may be true.
func copyResult(r, before *probe.Result) (kept *probe.Result, bytes int) {
	c := copier{bytes: sizeOf(reflect.TypeFor[probe.Result]())}
	kept = new(probe.Result)
	var old reflect.Value
	if before != nil {
		old = reflect.ValueOf(before).Elem()
	}
	c.copy(reflect.ValueOf(kept).Elem(), reflect.ValueOf(r).Elem(), old)
	return kept, c.bytes
}

// A copier copies values, and sums up what is not part of the value itself: texts, elements and what pointers point to.
type copier struct{ bytes int }

// allocation is what the memory of one text or slice takes at most beside its content, because sizes are rounded up.
const allocation = 16

func sizeOf(t reflect.Type) int { return int(t.Size()) }

var (
	stringType   = reflect.TypeFor[string]()
	timeType     = reflect.TypeFor[time.Time]()
	protocolType = reflect.TypeFor[*probe.Protocol]()
)

// copy sets to, which is zero, to a copy of v. It reports whether v equals before, which may be invalid; then they share memory.
func (c *copier) copy(to, v, before reflect.Value) (same bool) {
	switch v.Kind() {
	case reflect.Bool:
		to.Set(v)
		return before.IsValid() && v.Bool() == before.Bool()
	case reflect.Int, reflect.Int64:
		to.Set(v)
		return before.IsValid() && v.Int() == before.Int()
	case reflect.Uint32, reflect.Uint64:
		to.Set(v)
		return before.IsValid() && v.Uint() == before.Uint()
	case reflect.String:
		return c.copyString(to, v, before)
	case reflect.Pointer:
		return c.copyPointer(to, v, before)
	case reflect.Slice:
		return c.copySlice(to, v, before)
	case reflect.Struct:
		return c.copyStruct(to, v, before)
	default:
		return before.IsValid()
	}
}

// copyString copies a text. Types of text other than string are closed lists, such as Phase: their values are constants.
func (c *copier) copyString(to, v, before reflect.Value) (same bool) {
	text := v.String()
	same = before.IsValid() && text == before.String()
	switch {
	case v.Type() != stringType:
		to.Set(v)
		return same
	case same:
		to.Set(before)
	default:
		to.SetString(strings.Clone(text))
	}
	c.bytes += len(text) + allocation
	return same
}

func (c *copier) copyPointer(to, v, before reflect.Value) (same bool) {
	if v.IsNil() || v.Type() == protocolType {
		to.Set(v)
		return before.IsValid() && v.Pointer() == before.Pointer()
	}
	c.bytes += sizeOf(v.Type().Elem()) + allocation
	var old reflect.Value
	if before.IsValid() && !before.IsNil() {
		old = before.Elem()
	}
	copied := reflect.New(v.Type().Elem())
	if same = c.copy(copied.Elem(), v.Elem(), old); same {
		copied = before
	}
	to.Set(copied)
	return same
}

func (c *copier) copySlice(to, v, before reflect.Value) (same bool) {
	if v.IsNil() {
		return before.IsValid() && before.IsNil()
	}
	c.bytes += v.Len()*sizeOf(v.Type().Elem()) + allocation
	copied := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	same = before.IsValid() && !before.IsNil() && before.Len() == v.Len()
	for i := range v.Len() {
		var old reflect.Value
		if before.IsValid() && i < before.Len() {
			old = before.Index(i)
		}
		same = c.copy(copied.Index(i), v.Index(i), old) && same
	}
	if same {
		copied = before
	}
	to.Set(copied)
	return same
}

func (c *copier) copyStruct(to, v, before reflect.Value) (same bool) {
	if v.Type() == timeType {
		t, _ := reflect.TypeAssert[time.Time](v)
		if t.Location() != time.Local { // The zone of a date that was read is a piece of memory of its own.
			v = reflect.ValueOf(t.UTC())
		}
		to.Set(v)
		return before.IsValid() && v.Equal(before)
	}
	same = before.IsValid()
	for i := range v.NumField() {
		var old reflect.Value
		if before.IsValid() {
			old = before.Field(i)
		}
		same = c.copy(to.Field(i), v.Field(i), old) && same
	}
	return same
}

// copyTranscript copies lines into one text, and returns how many bytes they take.
func copyTranscript(lines []probe.TranscriptLine) (copied []probe.TranscriptLine, bytes int) {
	if len(lines) == 0 {
		return nil, 0
	}
	var all strings.Builder
	for _, line := range lines {
		all.WriteString(line.Text)
	}
	rest := strings.Clone(all.String())
	copied = make([]probe.TranscriptLine, len(lines))
	for i, line := range lines {
		copied[i] = line
		copied[i].Text, rest = rest[:len(line.Text)], rest[len(line.Text):]
	}
	return copied, all.Len() + len(lines)*int(unsafe.Sizeof(lines[0])) + 2*allocation
}
