package redact_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// tokenSets are the character sets that the patterns in testdata/formats.txt
// name.
var tokenSets = map[string]string{
	"a": lowers + uppers + decimals, "l": lowers + decimals, "u": uppers + decimals, "h": hexDigits, "H": upper(hexDigits), "d": decimals,
	"b": lowers + uppers + decimals + "-_", "B": lowers + uppers + decimals + "+/", "c": uppers + "234567", "x": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}

// token fills a pattern, and returns it with its random pieces.
func (g generator) token(pattern string) (s string, pieces []string) {
	var b strings.Builder
	for {
		head, rest, ok := strings.Cut(pattern, "{")
		b.WriteString(head)
		if !ok {
			return b.String(), pieces
		}
		spec, after, _ := strings.Cut(rest, "}")
		piece := g.tokenPiece(spec)
		pieces, pattern = append(pieces, piece), after
		b.WriteString(piece)
	}
}

func (g generator) tokenPiece(spec string) string {
	switch spec {
	case "uuid":
		return g.uuid()
	case "jwt":
		return g.jwt()
	}
	set, n, _ := strings.Cut(spec, ":")
	k, err := strconv.Atoi(n)
	if err != nil || tokenSets[set] == "" {
		panic("testdata/formats.txt: " + spec)
	}
	return g.chars(tokenSets[set], k)
}

// contexts are texts with a token as people and programs write them: with the
// name of its variable, of its service, or with neither. In the templates V
// stands for the token, E and e for the variable, J for the variable in camel
// case, s for the service.
var contexts = map[string]string{
	".env":     "PORT=8080\nDEBUG=false\n<E>=<V>\nREGION=eu-central-1\n",
	"YAML":     "<s>:\n  enabled: true\n  <e>: <V>\n  timeout: 30s\n",
	"JSON":     "{\n  \"name\": \"<s>\",\n  \"<J>\": <Q>,\n  \"retries\": 3\n}\n",
	"export":   "cd ~/src\nexport <E>='<V>'\nmake deploy\n",
	"header":   "GET /v1/me HTTP/1.1\r\nHost: api.<s>.com\r\nAuthorization: Bearer <V>\r\nAccept: */*\r\n\r\n",
	"query":    "curl 'https://api.<s>.com/v1/items?limit=10&api_key=<V>&page=2'",
	"Markdown": "For staging use the <s> key `<V>`, it expires in May.",
	"log":      "2026-11-03T10:22:31Z WARN <s> request failed status=401 token=<V> attempt=2",
	"diff":     "@@ -3,4 +3,4 @@ func main() {\n-\tclient := <s>.New(os.Getenv(\"<E>\"))\n+\tclient := <s>.New(\"<V>\")\n \tdefer client.Close()\n",
	"Python":   "from <s> import Client\n\n<e> = \"<V>\"\nclient = Client(timeout=30)\n",
}

// inContext inserts a token of a service into a template of contexts.
func inContext(template, service, variable, token string) string {
	quoted, _ := json.Marshal(token)
	words := strings.Split(strings.ToLower(variable), "_")
	for i := range words[1:] {
		words[i+1] = upper(words[i+1][:1]) + words[i+1][1:]
	}
	return strings.NewReplacer("<V>", token, "<Q>", string(quoted), "<E>", variable, "<e>", strings.ToLower(variable), "<J>", strings.Join(words, ""), "<s>", service).Replace(template)
}

// minRemnant is how many consecutive characters of a token count as a remnant.
const minRemnant = 8

// holdsRemnant reports whether s contains a piece of a token.
func holdsRemnant(s string, pieces []string) bool {
	for _, p := range pieces {
		for i := 0; i+minRemnant <= len(p); i++ {
			if strings.Contains(s, p[i:i+minRemnant]) {
				return true
			}
		}
	}
	return false
}

// TestEvalFormats puts tokens of published formats and of formats without a name
// into ten contexts. 97 in 100 must be hidden completely.
func TestEvalFormats(t *testing.T) {
	rounds, seed := 1, uint64(1)
	if *evaluate {
		rounds, seed = 5, evaluationSeed(t)
	}
	t.Logf("seed %d", seed)
	g := seeded(seed)
	left, total := map[string]int{}, 0
	sum := 0
	for _, line := range readLines(t, "formats.txt") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.SplitN(line, "|", 3)
		for range rounds {
			token, pieces := g.token(f[2])
			for _, name := range sortedKeys(contexts) {
				text := inContext(contexts[name], f[0], f[1], token)
				total++
				if out := redactString(text); holdsRemnant(out, pieces) {
					left[name]++
					if sum++; sum <= *evalShow {
						t.Logf("%s: %q became %q", name, text, out)
					}
				}
			}
		}
	}
	for _, name := range sortedKeys(contexts) {
		t.Logf("%-9s %d of %d left", name, left[name], total/len(contexts))
	}
	t.Logf("formats in contexts: nothing left of %d of %d (%.2f %%)", total-sum, total, 100*float64(total-sum)/float64(total))
	if sum*100 > 3*total {
		t.Error("of more than 3 of 100 tokens something is left")
	}
}
