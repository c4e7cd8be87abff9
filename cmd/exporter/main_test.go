package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts start this binary as "imap-exporter".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"imap-exporter": main})
}
