package redact_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// wif returns a private key in Bitcoin's wallet import format.
func (g generator) wif() string {
	b := append([]byte{0x80}, []byte(g.chars(lowers+uppers+decimals, 32))...)
	b = append(b, 1)
	sum := sha256.Sum256(b)
	sum = sha256.Sum256(sum[:])
	n, digits := new(big.Int).SetBytes(append(b, sum[:4]...)), ""
	for n.Sign() > 0 {
		var r big.Int
		n.DivMod(n, big.NewInt(58), &r)
		digits = string("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[r.Int64()]) + digits
	}
	return digits
}

// keyPair returns an Ed25519 key pair as a list of numbers.
func (g generator) keyPair() string {
	key := ed25519.NewKeyFromSeed([]byte(g.chars(lowers+uppers+decimals, 32)))
	list := make([]int, len(key))
	for i, b := range key {
		list[i] = int(b)
	}
	b, _ := json.Marshal(list)
	return string(b)
}

// marked are tokens whose signature is not at the beginning, or which can be
// verified.
func (g generator) marked() map[string]string {
	any64 := lowers + uppers + decimals
	static := ""
	for range 16 {
		static += g.hex(32) + "\n"
	}
	return map[string]string{
		"zhipu": g.hex(32) + "." + g.alnum(15) + "7", "airtable": "pat" + g.alnum(14) + "." + g.hex(64), "asana": "1/" + g.chars("123456789", 16) + ":" + g.hex(32), "asana workspace": "2/" + g.chars("123456789", 16) + "/" + g.chars("123456789", 16) + ":" + g.hex(32),
		"new relic": g.hex(36) + "NRAL", "convex": "prod:happy-animal-123|" + encoded(`{"v2":"`+g.alnum(32)+`"}`), "bitwarden": "0." + g.uuid() + "." + g.alnum(30) + ":" + g.base64s(16),
		"azure storage": g.alnum(76) + "+ASt" + g.alnum(5) + "A==", "azure cosmos": g.alnum(76) + "ACDb" + g.alnum(5) + "Q==", "azure search": g.alnum(42) + "AzSe" + "B" + g.alnum(5), "azure functions": g.alnum(44) + "AzFu" + g.alnum(5) + "A==",
		"azure sql": g.alnum(33) + "+SQL" + "B" + g.alnum(5) + "=", "azure ml": g.alnum(76) + "/AM7" + g.alnum(5) + "A==", "azure annotated": g.alnum(52) + "JQQJ9D" + g.alnum(28) + "==", "azure hash": g.alnum(52) + "JQQJ9H" + g.alnum(26),
		"azure devops": g.alnum(76) + "AZDO" + g.alnum(4), "azure ai": g.alnum(52) + "JQQJ99" + g.alnum(26), "service bus": g.alnum(33) + "+ASb" + g.alnum(5) + "E=",
		"wif": g.wif(), "extended key": "xp" + "rv" + g.chars(strings.NewReplacer("0", "", "O", "", "I", "", "l", "").Replace(any64), 107), "nostr": "nse" + "c1" + g.chars(lowers+decimals, 58),
		"minisign": "RWR" + "TY0Iy" + g.base64s(150)[:200], "openvpn": "-----BEGIN OpenVPN Static " + "key V1-----\n" + static + "-----END OpenVPN Static key V1-----",
		"teams":  "https://acme.webhook.office.com/webhookb2/" + g.uuid() + "@" + g.uuid() + "/IncomingWebhook/" + g.hex(32) + "/" + g.uuid(),
		"gemini": "AQ" + ".Ab8RN6" + g.base64url(33), "bedrock": "bedrock" + "-api-key-" + g.base64s(96),
	}
}

// TestRedactMarkedTokens checks that they are hidden without a name next to them.
func TestRedactMarkedTokens(t *testing.T) {
	var e redact.Engine
	for seed := range uint64(20) {
		tokens := seeded(seed).marked()
		for _, name := range sortedKeys(tokens) {
			token := tokens[name]
			for _, c := range [][2]string{{"see ", " there"}, {"\"", "\","}, {"x=", "\n"}, {"", ""}} {
				in := c[0] + token + c[1]
				out, kinds := e.Redact(in)
				secret := token[strings.LastIndex(token, "webhookb2/")+1:]
				if !strings.HasPrefix(out, c[0]) || !strings.HasSuffix(out, c[1]) || len(kinds) != 1 || strings.Contains(out, secret[len(secret)-12:]) {
					t.Errorf("seed %d, %s: Redact(%q) = %q %v", seed, name, in, out, kinds)
				}
			}
		}
	}
	pair := seeded(1).keyPair()
	if out, _ := e.Redact("key file: " + pair); out != "key file: [PRIVATE_KEY_REDACTED]" {
		t.Errorf("a key pair became %q", out)
	}
	if in := "bytes: " + pair[:len(pair)-4] + "1,2]"; redactString(in) != in {
		t.Errorf("a list of bytes became %q", redactString(in))
	}
}

func redactString(s string) string {
	var e redact.Engine
	out, _ := e.Redact(s)
	return out
}

// TestRedactKinds checks that a token gets the kind of its longest prefix.
func TestRedactKinds(t *testing.T) {
	g := newGenerator()
	tests := []struct{ token, want string }{
		{"s" + "k-ant-api03-" + g.base64url(69) + "AA", "ANTHROPIC_KEY"},
		{"s" + "k-proj-" + g.base64url(60), "OPENAI_KEY"},
		{"s" + "k-or-v1-" + g.hex(64), "API_KEY"},
	}
	for _, tt := range tests {
		for _, before := range []string{"", "API_KEY=", "the key is ", "x-api-key: "} {
			if out := redactString(before + tt.token); out != before+tt.want+"_REDACTED" {
				t.Errorf("%q: %q", before+tt.token, out)
			}
		}
	}
}

// TestRedactGluedValues checks that a value attached to words is hidden, and that
// the words are not.
func TestRedactGluedValues(t *testing.T) {
	g := newGenerator()
	value, hash := g.alnum(15)+"7xQ2", g.hex(40)
	tests := []struct{ in, want string }{
		{"use acme-token-" + value + " now", "use acme-token-TOKEN_REDACTED now"},
		{"use acme.token." + value + " now", "use acme.token.TOKEN_REDACTED now"},
		{"image auth-service-" + hash, "image auth-service-" + hash},
		{"branch feature/auth-token-" + hash, "branch feature/auth-token-" + hash},
	}
	for _, tt := range tests {
		if got := redactString(tt.in); got != tt.want {
			t.Errorf("Redact(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// formatContexts are texts that contain a token, V, without a name that indicates
// it.
var formatContexts = []string{"V", "see V there", "\"V\"", "X=V\n", "{\"v\": \"V\", \"n\": 1}", "v: V\n", "https://x.example.org/a?v=V&n=2", "tool --v V --n 2", "2026-05-01T12:00:00Z INFO got V in 3ms", "| V | 12 |", "`V`", "<v>V</v>", "V, and V"}

// TestRedactFormatsInContexts checks that an example of every format is hidden as
// a whole in every context.
func TestRedactFormatsInContexts(t *testing.T) {
	g := newGenerator()
	bad, total := 0, 0
	for _, row := range redact.Formats() {
		for _, c := range formatContexts {
			token := row.Prefix + g.body(row)
			in := strings.ReplaceAll(c, "V", token)
			total++
			parts := strings.Split(redactString(in), "_REDACTED")
			if rest := strings.Join(parts, ""); len(parts) < 2 || strings.Contains(rest, token[len(token)-8:]) {
				if bad++; bad <= max(5, *evalShow) {
					t.Logf("%q became %q", in, redactString(in))
				}
			}
		}
	}
	t.Logf("formats in contexts: %d of %d left", bad, total)
	if bad*100 > 3*total {
		t.Error("more than 3 of 100 are left")
	}
}
