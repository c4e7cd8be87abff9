package probe

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outgoing are the functions that open connections or resolve names, by package. An entry without names is the whole package.
var outgoing = map[string][]string{
	"net": {
		"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "Resolver", "DefaultResolver",
		"LookupHost", "LookupIP", "LookupSRV", "LookupMX", "LookupCNAME", "LookupTXT", "LookupNS", "LookupAddr", "LookupPort",
		"ResolveTCPAddr", "ResolveUDPAddr", "ResolveIPAddr",
	},
	"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
	"net/http": {
		"Get", "Head", "Post", "PostForm", "Client", "DefaultClient", "Transport", "DefaultTransport", "NewRequest", "NewRequestWithContext",
		"ProxyFromEnvironment", "ProxyURL",
	},
	"github.com/emersion/go-imap/v2/imapclient": {"DialTLS", "DialStartTLS", "DialInsecure", "NewStartTLS"},
	"syscall":               {"Connect", "Sendto", "ForkExec", "Exec"},
	"golang.org/x/sys/unix": {"Connect", "Sendto"},
	"net/smtp":              nil,
	"net/rpc":               nil,
	"net/http/httputil":     nil,
	"os/exec":               nil,
	"golang.org/x/net":      nil,
}

// The program opens connections to mail servers in one place, to the Target's own address. There is no other way by which a
// credential could get anywhere: no proxies, referrals or redirects. Only init looks up SRV records, and asks the user
// about a server outside the address's domain; healthcheck has no credential.
func TestOnlyTheTargetIsDialled(t *testing.T) {
	t.Parallel()
	want := []string{
		"cmd/exporter/healthcheck.go: net/http.NewRequestWithContext",
		"cmd/exporter/healthcheck.go: net/http.Transport",
		"cmd/exporter/init.go: net.DefaultResolver",
		"internal/setup/server.go: LookupSRV",
		"probe/connect.go: net.DefaultResolver",
		"probe/connect.go: net.Dialer",
	}
	var found []string
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "build", "internal/realtest", "internal/mailtest", "internal/bench"}, name):
			return fs.SkipDir // Servers for the tests and the demo.
		case filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		uses, err := outgoingIn(root, name)
		found = append(found, uses...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	if diff := cmp.Diff(want, slices.Compact(found)); diff != "" {
		t.Errorf("what opens connections (-want +got):\n%s", diff)
	}
}

// outgoingIn returns which functions of outgoing a file uses.
func outgoingIn(root fs.FS, name string) (uses []string, err error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
	if err != nil {
		return nil, err
	}
	imported := map[string]string{}
	for _, i := range file.Imports {
		from, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, err
		}
		as := path.Base(from)
		if i.Name != nil {
			as = i.Name.Name
		}
		imported[as] = from
		for whole, names := range outgoing {
			if names == nil && (from == whole || strings.HasPrefix(from, whole+"/")) {
				uses = append(uses, name+": "+from)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && slices.Contains(outgoing[imported[x.Name]], s.Sel.Name) {
				uses = append(uses, name+": "+imported[x.Name]+"."+s.Sel.Name)
			}
			if s.Sel.Name == "LookupSRV" || s.Sel.Name == "LookupMX" || s.Sel.Name == "LookupCNAME" || s.Sel.Name == "LookupTXT" {
				uses = append(uses, name+": "+s.Sel.Name)
			}
		}
		return true
	})
	return uses, nil
}
