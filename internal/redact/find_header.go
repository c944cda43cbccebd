package redact

import (
	"bytes"
	"strings"
)

// schemes are the words that may be between Authorization and its value.
var schemes = []string{"bearer", "basic", "token", "bot", "apikey", "api-key", "digest", "negotiate", "key", "snyk", "ssws", "genie", "genieKey", "oauth", "session", "jwt", "client", "aws4", "discogs", "splunk", "sso-key", "pve", "x-token", "zoho-oauthtoken"}

// schemeAt returns the end of an authorisation scheme and its blank at i, or 0.
func (f *finder) schemeAt(i int) (end int, scheme string) {
	text := f.text
	j := i
	for j < len(text) && j-i < 20 && (isAlnum(text[j]) || text[j] == '-') {
		j++
	}
	if j == i || j >= len(text) || text[j] != ' ' {
		return 0, ""
	}
	for _, s := range schemes {
		if len(s) == j-i && hasFold(text, i, s) {
			return skipBlank(text, j), s
		}
	}
	return 0, ""
}

// bearerAt hides the value after the word Bearer and a blank.
func (f *finder) bearerAt(n name) int {
	text := f.text
	start := skipBlank(text, n.end)
	if start == n.end || start >= len(text) {
		return 0
	}
	end := f.runEnd(tokenBody, start)
	s := strings.TrimRight(text[start:end], ".-")
	if len(s) < 8 || isPlaceholder(s) || strings.IndexByte(strings.TrimRight(s, "="), '=') >= 0 || wordy(s) && (len(s) < 16 || !containsDigit(s)) && strings.Count(s, ".") != 2 {
		return 0
	}
	stop := max(start+len(s), f.tokenAt(start))
	f.add(start, stop, kindBearer, rankName)
	return stop
}

// basicAt hides the value after the word Basic and a blank, if it is the base64
// of user:password.
func (f *finder) basicAt(start, end int) int {
	if end-start != len("basic") || !hasFold(f.text, start, "basic ") {
		return 0
	}
	i := end + 1
	stop := f.paddedEnd(i)
	if stop-i < 8 {
		return 0
	}
	if b, ok := decode64(f.text[i:stop]); !ok || !isText(b) || bytes.IndexByte(b, ':') < 1 {
		return 0
	}
	f.add(i, stop, kindCredential, rankName)
	return stop
}
