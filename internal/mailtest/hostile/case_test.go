package hostile

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The pages that give the number of cases give the right one.
func TestTheDocumentedNumberOfCases(t *testing.T) {
	number := fmt.Sprint(len(Cases("127.0.0.1:1")))
	for page, pattern := range map[string]string{
		"README.md":        `in (\d+) cases|for all (\d+) at once|beside all (\d+),`,
		"docs/security.md": `All (\d+) hostile|beside (\d+) hostile|has (\d+) servers`,
	} {
		text, err := os.ReadFile("../../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1)
		if len(found) != 3 {
			t.Errorf("%s: %q", page, found)
		}
		for _, match := range found {
			if got := strings.Join(match[1:], ""); got != number {
				t.Errorf("%s: %q, there are %s", page, match[0], number)
			}
		}
	}
}
