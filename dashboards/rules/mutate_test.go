package rules_test

import (
	"maps"
	"regexp"
	"strings"
)

// A mutant is a rule with one fault.
type mutant struct {
	what string
	rule rule
}

// mutants returns all mutants of a rule, by the kind of fault.
func (r *rule) mutants() [][]mutant {
	if strings.HasPrefix(r.Record, "imap:") { // A threshold.
		return [][]mutant{{r.with("ten times as much", "10 * ("+r.Expr+")"), r.with("a tenth", "("+r.Expr+") / 10")}}
	}
	all := [][]mutant{r.flipped(), r.truncated(), r.scaled(), r.unselective(), r.reaggregated()}
	if r.Alert != "" {
		all = append(all, r.rushed())
	}
	return all
}

// with returns the rule with another expression.
func (r *rule) with(what, expr string) mutant {
	changed := *r
	changed.Expr = expr
	return mutant{what, changed}
}

var (
	quoted     = regexp.MustCompile(`"[^"]*"`)
	braces     = regexp.MustCompile(`\{[^}]*\}`)
	comparison = regexp.MustCompile(` (==|!=|>=|<=|>|<) `)
	setOp      = regexp.MustCompile(`\b(and|unless|or)\b`)
	number     = regexp.MustCompile(`[^\w.:\[]([0-9]+(?:\.[0-9]+)?)\b`)
	window     = regexp.MustCompile(`\[(\d+[mhd])\]`)
	aggregator = regexp.MustCompile(`\b(max|min|avg|sum) by\b|\b(max|last)_over_time\b`)
)

// masked returns the expression with all label values and matchers replaced by blanks of the same length.
func masked(expr string) string {
	blank := func(s string) string { return strings.Repeat(" ", len(s)) }
	return braces.ReplaceAllStringFunc(quoted.ReplaceAllStringFunc(expr, blank), blank)
}

// flipped inverts each comparison.
func (r *rule) flipped() (all []mutant) {
	opposite := map[string]string{"==": "!=", "!=": "==", ">=": "<", "<=": ">", ">": "<=", "<": ">="}
	for _, at := range comparison.FindAllStringSubmatchIndex(masked(r.Expr), -1) {
		op := r.Expr[at[2]:at[3]]
		all = append(all, r.with("comparison flipped: "+r.context(at[2]), r.Expr[:at[2]]+opposite[op]+r.Expr[at[3]:]))
	}
	return all
}

// truncated drops each operand of a set operator: the right one, and for `or` also the left one.
func (r *rule) truncated() (all []mutant) {
	text := masked(r.Expr)
	for _, at := range setOp.FindAllStringIndex(text, -1) {
		end := operandEnd(text, at[1])
		all = append(all, r.with("dropped: "+r.context(at[0]), r.Expr[:at[0]]+r.Expr[end:]))
		if r.Expr[at[0]:at[1]] == "or" {
			begin := operandBegin(text, at[0])
			all = append(all, r.with("dropped what is before: "+r.context(at[0]), r.Expr[:begin]+" "+matching.ReplaceAllString(r.Expr[at[1]:], "")))
		}
	}
	return all
}

// matching matches what may be between a set operator and its operand.
var matching = regexp.MustCompile(`^ *on \([^)]*\)`)

// operandEnd returns the end of the operand that begins at from: the next set operator of the same depth, or the
// closing parenthesis around it.
func operandEnd(text string, from int) int {
	depth := 0
	for i := from; i < len(text); i++ {
		switch text[i] {
		case '(':
			depth++
		case ')':
			if depth == 0 {
				return i
			}
			depth--
		case 'a', 'u', 'o':
			if at := setOp.FindStringIndex(text[i:]); depth == 0 && at != nil && at[0] == 0 && text[i-1] == ' ' {
				return i
			}
		}
	}
	return len(text)
}

// operandBegin returns the position of the opening parenthesis around to.
func operandBegin(text string, to int) int {
	depth := 0
	for i := to - 1; i >= 0; i-- {
		switch text[i] {
		case ')':
			depth++
		case '(':
			if depth == 0 {
				return i + 1
			}
			depth--
		}
	}
	return 0
}

// scaled makes each number much larger and much smaller, and each range much shorter.
func (r *rule) scaled() (all []mutant) {
	text := masked(r.Expr)
	for _, at := range number.FindAllStringSubmatchIndex(text, -1) {
		if value := r.Expr[at[2]:at[3]]; value != "0" {
			for _, factor := range []string{"100", "0.01"} {
				all = append(all, r.with("number times "+factor+": "+r.context(at[2]), r.Expr[:at[2]]+"("+factor+" * "+value+")"+r.Expr[at[3]:]))
			}
		}
	}
	for _, at := range window.FindAllStringSubmatchIndex(text, -1) {
		all = append(all, r.with("range 1s: "+r.context(at[0]), r.Expr[:at[2]]+"1s"+r.Expr[at[3]:]))
	}
	return all
}

// unselective drops each label matcher.
func (r *rule) unselective() (all []mutant) {
	for _, at := range braces.FindAllStringIndex(r.Expr, -1) {
		all = append(all, r.with("selects all: "+r.context(at[0]), r.Expr[:at[0]]+r.Expr[at[1]:]))
	}
	return all
}

// reaggregated replaces each aggregation by another one.
func (r *rule) reaggregated() (all []mutant) {
	other := map[string]string{"max": "min", "min": "max", "avg": "min", "sum": "min", "last": "min"}
	for _, at := range aggregator.FindAllStringSubmatchIndex(masked(r.Expr), -1) {
		from, to := at[2], at[3]
		if from < 0 {
			from, to = at[4], at[5]
		}
		all = append(all, r.with("aggregated otherwise: "+r.context(from), r.Expr[:from]+other[r.Expr[from:to]]+r.Expr[to:]))
	}
	return all
}

// rushed changes the durations and labels of an alert.
func (r *rule) rushed() []mutant {
	early, late, anew, mild := *r, *r, *r, *r
	early.For, late.For, anew.KeepFiringFor = "", "100d", ""
	mild.Labels = maps.Clone(r.Labels)
	mild.Labels["severity"] = "none"
	all := []mutant{{"at once", early}, {"late", late}, {"another severity", mild}}
	if r.KeepFiringFor != "" {
		all = append(all, mutant{"ends at once", anew})
	}
	return all
}

// context returns a short piece of the expression that begins there, for messages.
func (r *rule) context(from int) string {
	text := strings.Join(strings.Fields(r.Expr[from:]), " ")
	return text[:min(len(text), 90)]
}
