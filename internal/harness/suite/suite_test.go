package suite_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/harness/suite"
)

var environment = map[string]string{"KIND": "echo", "SIZE": "7", "EMPTY": "", "HOSTILE": "x\nglobal: {fail_fast: true}"}

func lookup(name string) (string, bool) {
	value, ok := environment[name]
	return value, ok
}

func parse(text, env string) (*suite.Suite, error) {
	return suite.Parse("s.yaml", []byte(text), env, lookup)
}

const head = "server:\n  command: server\ntest_suites:\n  - name: main\n    test_cases:\n"

// TestFaults checks that each fault of a suite is reported with its line and advice.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no YAML", "server: [", `s.yaml:1: `},
		{"empty", "", `must be one YAML document`},
		{"unknown key", "server:\n  command: a\n  comand: b\n", `s.yaml:3: there is no key "comand" here`},
		{"unknown key below", head + "      - name: a\n        tol: x\n", `s.yaml:7: there is no key "tol" here`},
		{"wrong type", "server:\n  command: a\nglobal:\n  fail_fast: 3.5\n", `s.yaml:4: `},
		{"unset", "server:\n  command: ${NOBODY_SET_THIS}\n", `s.yaml:2: the variable NOBODY_SET_THIS is not set`},
		{"empty variable", "server:\n  command: ${EMPTY}\n", `s.yaml:2: the variable EMPTY is not set`},
		{"unset in a list", "server:\n  command: a\n  args:\n    - one\n    - two ${NOBODY}\n", `s.yaml:5: the variable NOBODY`},
		{"refused", "server:\n  command: a\n  health_check:\n    enabled: true\n", `s.yaml:3: server.health_check is not supported: each run`},
		{"refused section", "monitoring:\n  alerts: {}\n", `s.yaml:2: monitoring.alerts is not supported`},
		{"refused channel", "reporting:\n  distribution:\n    email: {daily_summary: true}\n", `s.yaml:3: reporting.distribution.email.daily_summary is not supported`},
		{"vault", "security:\n  data_protection: {}\n", `s.yaml:2: security.data_protection is not supported`},
		{"nobody gets mail", "reporting:\n  distribution:\n    email: {enabled: true, smtp_server: mail.example.org}\n", `s.yaml:3: there are no recipients`},
		{"no address", "reporting:\n  distribution:\n    email: {enabled: true, smtp_server: mail.example.org, recipients: [team]}\n", `s.yaml:3: a sender or recipient is not a mail address`},
		{"open webhook", "reporting:\n  distribution:\n    slack:\n      enabled: true\n      webhook_url: http://example.org/x\n", `s.yaml:5: a webhook must have https://`},
		{"interval", "monitoring:\n  interval_seconds: 0.1\n", `s.yaml:2: interval_seconds must be`},
		{"port", "monitoring:\n  metrics_port: 99999\n", `s.yaml:2: a port must be`},
		{"no roles", "security:\n  rbac: {enabled: true}\n", `s.yaml:2: enabled needs config_file`},
		{"no server", "test_suites: []\n", `a server over stdio needs command`},
		{"both ways", "server:\n  command: a\n  transport: stdio\n  url: http://x/mcp\n", `s.yaml:2: a server over stdio needs command, and must not have url`},
		{"websocket", "server:\n  command: a\n  transport: websocket\n", `s.yaml:3: transport must be stdio or http`},
		{"revision", "server:\n  command: a\n  protocol: '2025'\n", `s.yaml:3: protocol must be one of`},
		{"no cases", "server:\n  command: a\ntest_suites:\n  - name: x\n    test_cases: []\n", `s.yaml:4: there are no test_cases`},
		{"same name", head + "      - {name: a, tool: x}\n      - {name: a, tool: x}\n", `s.yaml:7: each case needs a unique name`},
		{"nothing to do", head + "      - name: a\n", `s.yaml:6: write tool`},
		{"pattern", head + "      - name: a\n        tool: x\n        expected:\n          patterns: ['ok', '(']\n", `s.yaml:9: this is not a regular expression`},
		{"path", head + "      - name: a\n        tool: x\n        expected:\n          json:\n            - path: sum\n", `s.yaml:10: this is not a JSONPath`},
		{"depends on nobody", head + "      - name: a\n        tool: x\n        depends_on: [b]\n", `s.yaml:8: there is no case "main/b"`},
		{"depends on itself", head + "      - {name: a, tool: x, depends_on: [b]}\n      - {name: b, tool: x, depends_on: [a]}\n", `depends on itself`},
		{"large matrix", head + "      - name: a\n        tool: x\n        matrix: {a: [" + strings.Repeat("1,", 1001) + "1]}\n", `s.yaml:8: a matrix may give at most 1000`},
		{"anchor", "server: &s\n  command: a\n", `s.yaml:1: anchors, aliases`},
		{"nesting", "a: " + strings.Repeat("[", 100), `nested more than`},
		{"size", strings.Repeat("# x\n", 300_000), `larger than`},
		{"environment", "server: {command: a}\nglobal: {environment: nowhere}\n", `there is no environment "nowhere"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(c.text, "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestSecretsStay checks that an error never quotes the text of a suite around the fault.
func TestSecretsStay(t *testing.T) {
	secret := fmt.Sprintf("sk-%x", 0x1234567890abcdef)
	for _, text := range []string{
		"server:\n  env: {TOKEN: " + secret + "}\n  unknown: 1\n", "server:\n  command: [" + secret, "server:\n  command: a\n  env: " + secret + "\n",
	} {
		if _, err := parse(text, ""); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}

// TestVariables checks that variables are always values and never structure, and that
// unquoted ones have a type.
func TestVariables(t *testing.T) {
	s, err := parse(`server:
  command: "${KIND}-server"
  args: ["${HOSTILE}", '$${KIND}', "${NOBODY:-a b}", "${SIZE}"]
global:
  max_global_concurrency: ${SIZE}
test_suites:
  - name: main
    test_cases:
      - name: a
        tool: x
`, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{environment["HOSTILE"], "${KIND}", "a b", "7"}, s.Server.Args); diff != "" {
		t.Error(diff)
	}
	if s.Server.Command != "echo-server" || s.Global.MaxConcurrency != 7 || s.Global.FailFast {
		t.Errorf("%+v", s)
	}
}

const planned = `server: {command: a}
global: {max_global_concurrency: 2}
environments:
  slow: {max_global_concurrency: 1, fail_fast: true}
test_suites:
  - name: first
    tags: [smoke]
    test_cases:
      - {name: create, tool: x}
      - {name: sizes, tool: x, tags: [big], depends_on: [create], matrix: {size: [1, 2], kind: [a]}}
      - {name: off, tool: x, enabled: false}
  - name: second
    test_cases:
      - {name: use, tool: x, depends_on: [first/create]}
`

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name string
		sel  suite.Selection
		want []string
	}{
		{"all", suite.Selection{}, []string{"first/create", "first/sizes[kind=a,size=1]", "first/sizes[kind=a,size=2]", "second/use"}},
		{"tag of a case, with what it needs", suite.Selection{Tags: []string{"big"}}, []string{"first/create", "first/sizes[kind=a,size=1]", "first/sizes[kind=a,size=2]"}},
		{"tag of a suite", suite.Selection{Tags: []string{"smoke"}, SkipTags: []string{"big"}}, []string{"first/create"}},
		{"name", suite.Selection{Names: []string{"second/"}}, []string{"first/create", "second/use"}},
		{"nothing", suite.Selection{Names: []string{"nobody"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := parse(planned, "")
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, p := range s.Plan(c.sel) {
				ids = append(ids, p.ID)
			}
			if diff := cmp.Diff(c.want, ids); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEnvironments(t *testing.T) {
	s, err := parse(planned, "slow")
	if err != nil {
		t.Fatal(err)
	}
	if s.Global.MaxConcurrency != 1 || !s.Global.FailFast {
		t.Errorf("%+v", s.Global)
	}
}

func TestFill(t *testing.T) {
	values := map[string]any{"matrix.n": uint64(3), "id": map[string]any{"a": 1.5}, "name": "x"}
	got, err := suite.Fill(map[string]any{"n": "{{matrix.n}}", "list": []any{"{{ name }}!", true}, "id": "{{id}}", "in": "<{{id}}>"}, values)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"n": uint64(3), "list": []any{"x!", true}, "id": values["id"], "in": `<{"a":1.5}>`}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Error(diff)
	}
	if _, err := suite.Fill("a {{nobody}}", values); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Error(err)
	}
}

// FuzzParse checks that no file causes a panic or is accepted without a server.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{planned, head, "a: &x [*x]", "<<: {a: 1}", "server: !!binary x", "? [a]\n: b", "- - - -", "%YAML 9\n---\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse(text, "")
		if err == nil && s.Server.Command == "" && s.Server.URL == "" {
			t.Errorf("%q was taken", text)
		}
	})
}
