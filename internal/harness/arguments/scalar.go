package arguments

import (
	"math"
	"strings"
	"unicode/utf8"
)

// texts are values that often break programs: quotes, line breaks, wide and combining
// characters, right-to-left text, and words that have a special meaning in other languages.
var texts = []string{
	"a", "hello", " ", "\n", "\"'`", `\`, "null", "true", "0", "-1", "../", "%s%n", "<b>", "é", "e\u0301",
	"日本", "🙂", "\u05d0\u05d1", "a\tb", "{}", "[]", "$HOME", "' OR 1=1 --",
}

var formats = map[string]string{
	"date": "2024-02-29", "date-time": "2024-02-29T23:59:60Z", "time": "23:59:59Z", "email": "a@example.com",
	"uri": "https://example.com/a", "url": "https://example.com/a", "uuid": "123e4567-e89b-42d3-a456-426614174000",
	"ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "hostname": "example.com",
}

// longest limits the length of a text if the schema allows longer ones.
const longest = 20_000

func (m *Maker) text(s map[string]any) string {
	if format, ok := s["format"].(string); ok && formats[format] != "" {
		return formats[format]
	}
	least, most := size(s, "minLength", 0), size(s, "maxLength", longest)
	base := pick(m, texts)
	switch {
	case m.chance(15) && most <= longest:
		return fit(base, most, most)
	case m.chance(15):
		return fit(base, least, least)
	}
	return fit(base, least, min(most, longest))
}

// fit returns a text of least to most characters.
func fit(base string, least, most int) string {
	n := utf8.RuneCountInString(base)
	if n < least {
		base = strings.Repeat(base, min(least, longest)/n+1)
		most = least
	}
	if runes := []rune(base); len(runes) > most {
		return string(runes[:max(most, 0)])
	}
	return base
}

// numbers are values that often break programs.
var numbers = []float64{0, 1, -1, 2, 10, 255, 256, 65535, 65536, math.MaxInt32, math.MinInt32, 1 << 53, -1 << 53, 0.1, -0.5, 1e15, 1e-9}

func (m *Maker) number(s map[string]any, whole bool) float64 {
	least := max(bound(s, "minimum", math.Inf(-1)), bound(s, "exclusiveMinimum", math.Inf(-1)))
	most := min(bound(s, "maximum", math.Inf(1)), bound(s, "exclusiveMaximum", math.Inf(1)))
	candidates := numbers
	for _, edge := range []float64{least, most} {
		if !math.IsInf(edge, 0) {
			candidates = append(candidates, edge, edge, edge+1, edge-1)
		}
	}
	var fitting []float64
	for _, n := range candidates {
		if whole {
			n = math.Trunc(n)
		}
		if step := bound(s, "multipleOf", 0); step > 0 {
			n = math.Trunc(n/step) * step
		}
		if n >= least && n <= most && !math.IsInf(n, 0) {
			fitting = append(fitting, n)
		}
	}
	if len(fitting) == 0 {
		return 0 // the validator decides
	}
	return pick(m, fitting)
}
