package redact_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/redact"
)

// The fake secrets below are assembled at run time, so that secret scanners do
// not report this file.
var (
	fakeHex32  = "3f8a9c1e" + "5b7d2046" + "c8e1f3a5" + "9d0b7264"
	fakeAlnum  = "Zk3uT8mQ" + "p1Xw9LsB" + "v5NcRj2H" + "d7Gf"
	fakeGitHub = "gh" + "p_" + "Zk3uT8mQp1Xw9LsBv5NcRj2Hd7GfYa4E6oKi"
	fakeAWS    = "AK" + "IA" + "Q3EGRZN7BTLWU2XD"
	fakeOpenAI = "s" + "k-" + strings.Repeat("aB3d", 12)
)

func TestRedactOriginalKinds(t *testing.T) {
	pem := "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow" + fakeAlnum + fakeAlnum + "\n-----END RSA " + "PRIVATE KEY-----"
	tests := []struct {
		name, in, want string
		kinds          []string
	}{
		{"aws", "id " + fakeAWS + ".", "id AWS_KEY_REDACTED.", []string{"AWS_KEY"}},
		{"pem", "a\n" + pem + "\nb", "a\nPRIVATE_KEY_REDACTED\nb", []string{"PRIVATE_KEY"}},
		{"bearer", "Authorization: Bearer " + fakeAlnum, "Authorization: Bearer BEARER_TOKEN_REDACTED", []string{"BEARER_TOKEN"}},
		{"password", "password=hunter2", "password=PASSWORD_REDACTED", []string{"PASSWORD"}},
		{"password with &", "password=Tr0ub4dor&3x", "password=PASSWORD_REDACTED", []string{"PASSWORD"}},
		{"password in a query", "?password=Tr0ub4dor3x&user=bob", "?password=PASSWORD_REDACTED&user=bob", []string{"PASSWORD"}},
		{"password before &&", "PASSWORD=Tr0ub4dor3x&&echo hi", "PASSWORD=PASSWORD_REDACTED&&echo hi", []string{"PASSWORD"}},
		{"address of a variable", "f.pass = &emptyPass", "f.pass = &emptyPass", nil},
		{"a named value with a format", "token: " + fakeAWS, "token: AWS_KEY_REDACTED", []string{"AWS_KEY"}},
		{"api key", `api_key: "` + fakeHex32 + `"`, `api_key: "API_KEY_REDACTED"`, []string{"API_KEY"}},
		{"short api key", "api_key=abc123", "api_key=API_KEY_REDACTED", []string{"API_KEY"}},
		{"secret", "client_secret=" + fakeAlnum, "client_secret=SECRET_REDACTED", []string{"SECRET"}},
		{"github", "push with " + fakeGitHub, "push with GITHUB_TOKEN_REDACTED", []string{"GITHUB_TOKEN"}},
		{"openai", fakeOpenAI, "OPENAI_KEY_REDACTED", []string{"OPENAI_KEY"}},
		{"two", "password=hunter2 " + fakeAWS, "password=PASSWORD_REDACTED AWS_KEY_REDACTED", []string{"AWS_KEY", "PASSWORD"}},
	}
	var e redact.Engine
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, kinds := e.Redact(tt.in)
			if got != tt.want {
				t.Errorf("Redact(%q) = %q, want %q", tt.in, got, tt.want)
			}
			if diff := cmp.Diff(tt.kinds, kinds); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
			if again, more := e.Redact(got); again != got || more != nil {
				t.Errorf("a second time: %q %v", again, more)
			}
		})
	}
}

func TestRedactLeavesOrdinaryText(t *testing.T) {
	tests := []string{
		"", "a", "password is correct", "The password is required.", `password=getpass()`, "token: string", "password: string,",
		`password = os.environ["DB_PASSWORD"]`, `token := lexer.Next()`, "--- PASS: TestRedact (0.00s)", "max_tokens: 4096",
		"commit 3f8a9c1e5b7d2046c8e1f3a59d0b72643f8a9c1e", "keyboard: qwerty12345", "secretName: my-tls-secret", "password: ${DB_PASSWORD}",
		"api_key = <your-api-key>", "password=PASSWORD_REDACTED", `{"password": null, "token": "access_token"}`, "the key is in the door",
		"conversation conv_" + fakeHex32[:16] + ", your token is in BRIDGE_TOKEN", "session " + fakeHex32 + " closed", "event evt_" + fakeAlnum + " of stripe",
		"docker pull nginx@sha256:" + fakeHex32 + fakeHex32, "if password != confirmPassword {", "secretKeyRef: { name: db-secret, key: password }", "uses: actions/checkout@" + fakeHex32 + "3f8a9c1e",
		"golang.org/x/sys v0.30.0 h1:QjkSwP/36a20jFYWkSue1YwXzLmsV5Gfq7Eiy72C1uc=",
	}
	var e redact.Engine
	for _, in := range tests {
		if got, kinds := e.Redact(in); got != in || kinds != nil {
			t.Errorf("Redact(%q) = %q %v, want it as it was", in, got, kinds)
		}
	}
}

// TestRedactLists checks that long lists are hidden in a single call, and that a
// second call finds nothing.
func TestRedactLists(t *testing.T) {
	var e redact.Engine
	for _, head := range []string{"stripe ", "tokens: ", "api key ", "password="} {
		in := head + strings.Repeat(fakeHex32+", ", 200)
		out, _ := e.Redact(in)
		if again, _ := e.Redact(out); again != out {
			t.Errorf("%s: a second time changes %q to %q", head, out, again)
		}
		if strings.Contains(out, fakeHex32) {
			t.Errorf("%s: something stays: %.200q", head, out)
		}
	}
	g := newGenerator()
	var b strings.Builder
	b.WriteString("stripe ")
	for range 300 {
		b.WriteString(g.chars(hexDigits, 32) + " ")
	}
	out, _ := e.Redact(b.String())
	if again, _ := e.Redact(out); again != out {
		t.Error("a list of different values is not hidden at once")
	}
}

func TestRedactKeepsJSON(t *testing.T) {
	in, err := json.Marshal(map[string]string{"password": "hunter2\"x", "note": "password=abc123\n"})
	if err != nil {
		t.Fatal(err)
	}
	var e redact.Engine
	got, _ := e.Redact(string(in))
	if !json.Valid([]byte(got)) {
		t.Errorf("Redact(%s) = %s, not JSON", in, got)
	}
}

func TestRedactAfter(t *testing.T) {
	tests := []struct{ name, tail, text, want string }{
		{"token cut in two", "key " + fakeGitHub[:20], fakeGitHub[20:] + " ok", "GITHUB_TOKEN_REDACTED ok"},
		{"name before value", "the password is:", "hunter2x", "PASSWORD_REDACTED"},
		{"key lines after a key", "x\nPRIVATE_KEY_REDACTED\n", fakeAlnum + fakeAlnum + "\n" + fakeAlnum + fakeHex32 + "\nthanks", "PRIVATE_KEY_REDACTED\nthanks"},
		{"rest of a token", "it is SECRET_REDACTED", "9fK2x7Qp and more", "SECRET_REDACTED and more"},
		{"prose after a placeholder", "it is SECRET_REDACTED", "thanks, 2 more", "thanks, 2 more"},
		{"password on the next line", "login: bob\npassword:", "tr0ub4dor", "PASSWORD_REDACTED"},
		{"long text", "key " + fakeGitHub[:20], fakeGitHub[20:] + strings.Repeat(" and so on", 2000), "GITHUB_TOKEN_REDACTED" + strings.Repeat(" and so on", 2000)},
		{"nothing", "hello", "world", "world"},
		{"no tail", "", "password=hunter2", "password=PASSWORD_REDACTED"},
	}
	var e redact.Engine
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := e.RedactAfter(tt.tail, tt.text)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if alone, _ := e.Redact(tt.text); got != alone && !e.Crosses(tt.tail, tt.text) {
				t.Error("Crosses says that the tail makes no difference")
			}
		})
	}
}

func TestNewChecksRules(t *testing.T) {
	ok := redact.Rule{Name: "acme", Pattern: `acme-[0-9]{6}`, Example: "acme-123456", CounterExample: "acme-12"}
	e, err := redact.New(redact.Options{Rules: []redact.Rule{ok}, Exceptions: []string{"acme-000000"}})
	if err != nil {
		t.Fatal(err)
	}
	got, kinds := e.Redact("use acme-123456, not acme-000000")
	if want := "use ACME_REDACTED, not acme-000000"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"ACME"}, kinds); diff != "" {
		t.Error(diff)
	}
	bad := map[string]redact.Rule{
		"no name":                {Pattern: "x", Example: "x"},
		"bad name":               {Name: "a b", Pattern: "x", Example: "x"},
		"bad pattern":            {Name: "a", Pattern: "(", Example: "x"},
		"empty match":            {Name: "a", Pattern: "x*", Example: "x"},
		"no example":             {Name: "a", Pattern: "x"},
		"example visible":        {Name: "a", Pattern: "x", Example: "y"},
		"counter-example hidden": {Name: "a", Pattern: "x", Example: "x", CounterExample: "xx"},
		"own placeholder":        {Name: "a", Pattern: "A_[A-Z]+", Example: "A_B"},
	}
	for name, r := range bad {
		if _, err := redact.New(redact.Options{Rules: []redact.Rule{r}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
