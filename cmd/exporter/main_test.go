package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts start this binary as "exporter".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"exporter": main})
}
