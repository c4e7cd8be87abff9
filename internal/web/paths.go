package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

// keyMark is a character that no configured name contains. In the path of an account's page it precedes a service other than
// IMAP, and names that a browser or the router would take for something else.
const keyMark = "\x01"

// accountPath returns the path of an account's page, relative to the first page.
func accountPath(key account.Key) string {
	name := key.Account
	if name == "." || name == ".." || name == "/" {
		name = keyMark + name // Browsers and routers resolve these as folders, even if they are escaped.
	}
	if key.Service != probe.IMAP.Name {
		name += keyMark + key.Service
	}
	return "accounts/" + url.PathEscape(name)
}

// keyFromPath returns the key that accountPath has put into the path of a request.
func keyFromPath(r *http.Request) account.Key {
	name := strings.TrimPrefix(r.PathValue("name"), keyMark)
	if before, service, ok := strings.Cut(name, keyMark); ok {
		return account.Key{Account: before, Service: service}
	}
	return account.Key{Account: name, Service: probe.IMAP.Name}
}

// probePath returns the path of a probe's page, relative to the first page.
func probePath(account string, id int64) string {
	return account + "/probes/" + strconv.FormatInt(id, 10)
}

// rootOf returns the address of the first page, relative to that of the request.
func rootOf(r *http.Request) string {
	return "./" + strings.Repeat("../", strings.Count(r.URL.EscapedPath(), "/")-1)
}
