package format

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Range is a threshold of the Monitoring Plugins Development Guidelines. A value outside of it alerts; with Inside, a value
// within it, its ends included.
type Range struct {
	From, To float64
	Inside   bool
	text     string
}

// ParseRange reads a range: "10" (alerts below 0 and above 10), "10:" (below 10), "~:10" (above 10), "10:20" (outside of 10 to
// 20), "@10:20" (inside).
func ParseRange(text string) (Range, error) {
	r := Range{text: text, To: math.Inf(1)}
	rest, inside := strings.CutPrefix(text, "@")
	r.Inside = inside
	from, to, both := strings.Cut(rest, ":")
	if !both {
		from, to = "0", rest
	}
	invalid := fmt.Errorf("%s is not a range, such as 10, 10:, ~:10, 10:20 or @10:20", text)
	var err error
	if from == "~" {
		r.From = math.Inf(-1)
	} else if r.From, err = parseDecimal(from); err != nil {
		return Range{}, invalid
	}
	if to != "" || !both {
		if r.To, err = parseDecimal(to); err != nil {
			return Range{}, invalid
		}
	}
	if r.From > r.To {
		return Range{}, fmt.Errorf("%s is not a range: its start is above its end", text)
	}
	return r, nil
}

// parseDecimal reads a plain decimal number. strconv alone would also take "inf" and "0x10".
func parseDecimal(text string) (float64, error) {
	if text == "" || strings.Trim(text, "0123456789.+-") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// Alerts reports whether a value raises an alert.
func (r *Range) Alerts(value float64) bool {
	within := value >= r.From && value <= r.To
	return within == r.Inside
}

// String returns the range as it was given; "" for none.
func (r *Range) String() string {
	if r == nil {
		return ""
	}
	return r.text
}
