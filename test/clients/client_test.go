package clients_test

import (
	"fmt"
	"path/filepath"
	"regexp"

	"example.org/bridge/test/clients/stub"
)

// client is one of the real clients, and how to drive it without a terminal.
type client struct {
	title string
	// program is its name, in the shell and for bridge install.
	program string
	wire    stub.Wire
	// quiet are settings that keep it from contacting its vendor and from
	// updating itself.
	quiet []string
	// settings are files that already exist in the user's home folder.
	settings map[string]string
	// model are settings that make it use the model at an address.
	model func(url string) []string
	// shell starts a program through the client's shell tool with the arguments
	// args.
	shell bool
	// args are the arguments that pass it a prompt, in the session of an earlier
	// prompt if given.
	args func(url, prompt, session string) []string
	// tool is one of the client's own tools, with arguments, that runs without
	// permission.
	tool     string
	toolArgs func(*user) stub.Args
	// session finds the session's ID in the client's output.
	session *regexp.Regexp
}

// noKey is sent if a client insists on an API key.
const noKey = "none-is-needed"

var claude = client{
	title:   "claude",
	program: "claude",
	wire:    stub.Anthropic,
	quiet:   []string{"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1", "DISABLE_TELEMETRY=1", "DISABLE_ERROR_REPORTING=1"},
	model: func(url string) []string {
		return []string{"ANTHROPIC_BASE_URL=" + url, "ANTHROPIC_API_KEY=" + noKey}
	},
	args: func(_, prompt, session string) []string {
		args := []string{"-p", prompt, "--output-format", "stream-json", "--verbose", "--allowedTools", "mcp__" + stub.Server}
		if session != "" {
			args = append(args, "--resume", session)
		}
		return args
	},
	tool:     "Read",
	toolArgs: func(u *user) stub.Args { return stub.Args{"file_path": filepath.Join(u.project, "README.md")} },
	session:  regexp.MustCompile(`"session_id":"([^"]+)"`),
}

// codex uses a model that it knows. Such a model calls tools by writing code.
var codex = codexWith("codex", "gpt-6.1-sol")

// codexPlain uses a model that it does not know, and offers it each tool
// separately.
var codexPlain = codexWith("codex with an unknown model", "stub")

func codexWith(title, model string) client {
	return client{
		title:    title,
		program:  "codex",
		wire:     stub.Responses,
		settings: map[string]string{".codex/config.toml": "# mine\ncheck_for_update_on_startup = false\n\n[analytics]\nenabled = false\n"},
		model:    func(string) []string { return nil },
		args: func(url, prompt, session string) []string {
			args := []string{"exec"}
			if session != "" {
				args = append(args, "resume")
			}
			args = append(args,
				"--json", "--skip-git-repo-check",
				"--dangerously-bypass-hook-trust", // a user reviews hooks once, in the terminal
				"-c", "model="+model, "-c", "model_provider=stub",
				"-c", fmt.Sprintf(`model_providers.stub={name="stub", base_url=%q, wire_api="responses"}`, url),
			)
			if session != "" {
				args = append(args, session)
			}
			return append(args, prompt)
		},
		tool:     "exec_command",
		toolArgs: func(*user) stub.Args { return stub.Args{"cmd": "true"} },
		session:  regexp.MustCompile(`"thread_id":"([^"]+)"`),
	}
}

var gemini = client{
	title:   "gemini",
	program: "gemini",
	wire:    stub.Gemini,
	quiet:   []string{"GEMINI_CLI_TRUST_WORKSPACE=true", "GEMINI_TELEMETRY_ENABLED=false"},
	settings: map[string]string{".gemini/settings.json": `{
  // mine
  "general": {"enableAutoUpdate": false, "enableAutoUpdateNotification": false},
  "privacy": {"usageStatisticsEnabled": false},
  "security": {"auth": {"selectedType": "gemini-api-key"}},
  "tools": {"useRipgrep": false}
}
`},
	model: func(url string) []string {
		return []string{"GOOGLE_GEMINI_BASE_URL=" + url, "GEMINI_API_KEY=" + noKey}
	},
	args: func(_, prompt, session string) []string {
		args := []string{"-p", prompt, "-o", "stream-json", "--approval-mode", "yolo"}
		if session != "" {
			args = append(args, "--resume", session)
		}
		return args
	},
	tool:     "list_directory",
	toolArgs: func(u *user) stub.Args { return stub.Args{"dir_path": u.project} },
	session:  regexp.MustCompile(`"session_id":"([^"]+)"`),
}

// clients are all of them.
var clients = []client{claude, codex, codexPlain, gemini}
