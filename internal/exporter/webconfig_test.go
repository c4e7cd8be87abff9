package exporter

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"imap-exporter/internal/config"
)

// What the toolkit logs of its file quotes none of it.
func TestWebConfigurationErrorsAreLoggedWithoutValues(t *testing.T) {
	var out strings.Builder
	logger, _, err := newLogger(config.Log{Level: "info", Format: "logfmt"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	quoted := redactingHandler{logger.Handler()}.WithGroup("web").WithAttrs(nil)
	slog.New(quoted).Error("Unable to parse configuration", "err", fmt.Sprintf("line 2: cannot unmarshal !!str `%s` into map", "canary-"))
	if strings.Contains(out.String(), "canary") || !strings.Contains(out.String(), "line 2: cannot unmarshal !!str a value into map") {
		t.Errorf("logged %s", &out)
	}
}
