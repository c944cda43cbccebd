package run

import (
	"encoding/json"
	"strings"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
	"example.org/bridge/internal/lazyregexp"
)

// hider holds the secrets that a suite passes to its server. No answer may repeat them, and
// no report shows them.
type hider struct{ secrets []string }

var secretName = lazyregexp.New(`(?i)key|token|secret|passw|credential|authorization|cookie`)

// shortestSecret is the minimum length of a secret, so that values such as "1" or "true" do
// not count as one.
const shortestSecret = 8

func newHider(s suite.Server) (h hider) {
	for _, values := range []map[string]string{s.Env, s.Headers} {
		for name, value := range values {
			value = strings.TrimPrefix(value, "Bearer ")
			if secretName().MatchString(name) && len(value) >= shortestSecret {
				h.secrets = append(h.secrets, value)
			}
		}
	}
	return h
}

// forms returns a secret as it appears in a text and in a JSON string.
func forms(secret string) []string {
	quoted, _ := json.Marshal(secret)
	return []string{secret, strings.Trim(string(quoted), `"`)}
}

// leaks reports whether an answer contains a secret.
func (h hider) leaks(r wire.Reply) []finding.Finding {
	text := string(r.Result)
	if r.Error != nil {
		text = r.Error.Message + string(r.Error.Data)
	}
	for _, secret := range h.secrets {
		for _, form := range forms(secret) {
			if strings.Contains(text, form) {
				return []finding.Finding{{Kind: finding.LeakedSecret, Text: "the answer repeats a secret of server.env or server.headers"}}
			}
		}
	}
	return nil
}

// HideSecrets removes the secrets that a suite passes to its server from findings.
func HideSecrets(s *suite.Suite, found []finding.Finding) []finding.Finding {
	return newHider(s.Server).findings(found)
}

func (h hider) text(s string) string {
	for _, secret := range h.secrets {
		for _, form := range forms(secret) {
			s = strings.ReplaceAll(s, form, "(secret of the suite)")
		}
	}
	return s
}

func (h hider) raw(data json.RawMessage) json.RawMessage {
	if data == nil {
		return nil
	}
	return json.RawMessage(h.text(string(data)))
}

func (h hider) findings(found []finding.Finding) []finding.Finding {
	for i := range found {
		found[i].Text, found[i].Where = h.text(found[i].Text), h.text(found[i].Where)
	}
	return found
}

func (h hider) exchanges(all []wire.Exchange) []wire.Exchange {
	for i := range all {
		all[i].Request, all[i].Answer = h.text(all[i].Request), h.text(all[i].Answer)
	}
	return all
}
