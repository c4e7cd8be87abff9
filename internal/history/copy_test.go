package history

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/probe"
)

// fill gives v and all that is in it values that are not zero, other ones for each n.
func fill(t *testing.T, v reflect.Value, n int) {
	t.Helper()
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(n))
	case reflect.String:
		v.SetString(strings.Repeat("x", 20+n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 8))
		for i := range 3 {
			fill(t, v.Index(i), n+i)
		}
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*probe.Protocol]() {
			v.Set(reflect.ValueOf(probe.IMAP))
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(n), 0).In(time.FixedZone("", 3600))))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i), n+i)
		}
	case reflect.Interface:
		v.Set(reflect.ValueOf(errors.New("a cause")))
	default:
		t.Fatalf("a Result has a %s, which copyResult can't keep", v.Type())
	}
}

// A copy is equal in whatever a Result has, but for the transcript, which is kept apart, and the cause of an error.
func TestCopyIsEqual(t *testing.T) {
	var r probe.Result
	fill(t, reflect.ValueOf(&r).Elem(), 1)
	kept, _ := copyResult(&r, nil)
	if kept.Err.Err != nil {
		t.Errorf("the cause %v is kept", kept.Err.Err)
	}
	r.Err.Err = nil
	options := cmp.Options{cmp.Comparer(time.Time.Equal), cmp.Comparer(func(a, b *probe.Protocol) bool { return a == b })}
	if diff := cmp.Diff(&r, kept, options); diff != "" {
		t.Errorf("the copy (-want +got):\n%s", diff)
	}
	again, _ := copyResult(&r, kept)
	if diff := cmp.Diff(&r, again, options); diff != "" {
		t.Errorf("a copy that shares (-want +got):\n%s", diff)
	}
	if &again.Mailboxes[0] != &kept.Mailboxes[0] || again.TLS != kept.TLS {
		t.Error("what is the same is kept twice")
	}
}

// addresses collects where the texts, slices and pointers of v are.
func addresses(v reflect.Value, path string, seen map[unsafe.Pointer]string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() { // Others are constants.
			seen[unsafe.Pointer(unsafe.StringData(v.String()))] = path
		}
	case reflect.Slice:
		seen[v.UnsafePointer()] = path
		for i := range v.Len() {
			addresses(v.Index(i), fmt.Sprintf("%s[%d]", path, i), seen)
		}
	case reflect.Pointer:
		if v.Type() != reflect.TypeFor[*probe.Protocol]() && !v.IsNil() {
			seen[v.UnsafePointer()] = path
			addresses(v.Elem(), path, seen)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				addresses(v.Field(i), path+"."+f.Name, seen)
			}
		}
	default: // It is part of the value.
	}
}

func TestCopySharesNothing(t *testing.T) {
	var r probe.Result
	fill(t, reflect.ValueOf(&r).Elem(), 1)
	kept, _ := copyResult(&r, nil)
	here, there := map[unsafe.Pointer]string{}, map[unsafe.Pointer]string{}
	addresses(reflect.ValueOf(r), "", here)
	addresses(reflect.ValueOf(*kept), "", there)
	if len(here) < 40 {
		t.Fatalf("only %d pieces of memory are known", len(here))
	}
	for at, path := range there {
		if here[at] != "" {
			t.Errorf("%s of the copy is memory of the original's %s", path, here[at])
		}
	}
}

// What a copy is said to take is at least what it takes, and not much more.
func TestCopyIsWeighed(t *testing.T) {
	const copies = 2_000
	var all probe.Result
	fill(t, reflect.ValueOf(&all).Elem(), 1)
	for name, r := range map[string]*probe.Result{"everything": &all, "an ordinary probe": full("a", 1), "nothing": {}} {
		r.Transcript = nil
		kept := make([]*probe.Result, copies)
		weight := 0
		before := heap()
		for i := range kept {
			var bytes int
			kept[i], bytes = copyResult(r, nil)
			weight += bytes
		}
		used := int(heap() - before)
		if used > weight || weight > 2*used {
			t.Errorf("%s: %d bytes are used, %d were weighed", name, used/copies, weight/copies)
		}
		runtime.KeepAlive(kept)
	}
}
