package realtest

import (
	"context"
	"fmt"
	"iter"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// browseTimeout limits all actions in one tab, on a busy machine.
const browseTimeout = 2 * time.Minute

// A Tab is a tab of a headless Chromium. It records what its page does.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	requests   []string
}

// Chromium runs Debian's Chromium without a window until the end of the test, and returns an empty tab of it.
func Chromium(t testing.TB) *Tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		Unavailable(t, "Chromium", fmt.Errorf("%w: `make test` installs it, as root on Debian 12", err))
	}
	version, err := exec.CommandContext(t.Context(), path, "--version").Output()
	if err != nil {
		t.Fatalf("%s --version: %v", path, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), browseTimeout) // It is closed after the test's own context has ended.
	allocator, stop := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)...)
	tab := &Tab{t: t}
	var closeTab context.CancelFunc
	tab.ctx, closeTab = chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(tab.ctx); err != nil {
			t.Logf("closing Chromium: %v", err)
		}
		closeTab()
		stop()
		cancel()
	})
	tab.do(chromedp.Navigate("about:blank"))
	if err := chromedp.Listen(tab.ctx, tab.note); err != nil {
		t.Fatal(err)
	}
	go tab.read(chromedp.Console(tab.ctx))
	if words := strings.Fields(string(version)); len(words) > 1 {
		t.Logf("really running Chromium %s", words[1])
	}
	return tab
}

// note records an event.
func (tab *Tab) note(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		tab.requests = append(tab.requests, e.Request.URL)
	case *page.EventJavascriptDialogOpening:
		tab.complaints = append(tab.complaints, "dialog: "+e.Message)
	}
}

func (tab *Tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	if err := chromedp.Do(tab.ctx, steps...); err != nil {
		tab.t.Fatal(err)
	}
}

// Open loads a page and waits until it is loaded.
func (tab *Tab) Open(url string) {
	tab.t.Helper()
	tab.do(chromedp.Navigate(url))
}

// read records warnings and errors on the console, until the tab is closed.
func (tab *Tab) read(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for message, err := range messages {
		if err != nil {
			return
		}
		if message.Type == chromedp.ConsoleError || message.Type == chromedp.ConsoleWarning || message.IsException() {
			tab.mu.Lock()
			tab.complaints = append(tab.complaints, message.String())
			tab.mu.Unlock()
		}
	}
}

// Complaints returns the exceptions, dialogs, and warnings and errors on the console so far.
func (tab *Tab) Complaints() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return slices.Clone(tab.complaints)
}

// Requests returns the addresses that were requested so far.
func (tab *Tab) Requests() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return slices.Clone(tab.requests)
}

// Evaluate returns the value of a JavaScript expression.
func Evaluate[T any](tab *Tab, script string) T {
	tab.t.Helper()
	value, err := chromedp.Run(tab.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		tab.t.Fatalf("%v, of %.200s", err, script)
	}
	return value
}

// Await waits until a JavaScript expression is true.
func (tab *Tab) Await(script string) {
	tab.t.Helper()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		if value, err := chromedp.Run(tab.ctx, chromedp.Evaluate[bool](script)); err == nil && value {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-tab.ctx.Done():
			tab.t.Fatalf("never true: %s", script)
		}
	}
}

// Resize sets the size of the window in pixels.
func (tab *Tab) Resize(width, height int64) {
	tab.t.Helper()
	tab.do(chromedp.EmulateViewport(width, height))
}

// Prefer sets what the reader prefers, such as prefers-color-scheme to dark.
func (tab *Tab) Prefer(feature, value string) {
	tab.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}}
	if _, err := chromedp.Call(tab.ctx, emulation.SetEmulatedMedia, media); err != nil {
		tab.t.Fatal(err)
	}
}

// WithoutJavaScript disables JavaScript in pages that are opened later.
func (tab *Tab) WithoutJavaScript() {
	tab.t.Helper()
	if _, err := chromedp.Call(tab.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		tab.t.Fatal(err)
	}
}

// Press presses a key.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	tab.do(chromedp.KeyEvent(keys))
}

// Click clicks on the element that a CSS selector finds.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.do(chromedp.Click(chromedp.CSS(selector)))
}

// Source returns the current document; "" while another one is loading. It needs no JavaScript.
func (tab *Tab) Source() string {
	html, err := chromedp.Run(tab.ctx, chromedp.OuterHTML(chromedp.CSS("html")))
	if err != nil {
		return ""
	}
	return html
}
