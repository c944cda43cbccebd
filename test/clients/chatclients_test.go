package clients_test

import (
	"fmt"
	"regexp"

	"example.org/bridge/test/clients/stub"
)

// The clients for which only the server is installed. They call their model
// through the chat completions API.

var opencode = client{
	title:   "opencode",
	program: "opencode",
	wire:    stub.OpencodeChat,
	quiet:   []string{"OPENCODE_DISABLE_AUTOUPDATE=1", "OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_DISABLE_LSP_DOWNLOAD=1"},
	settings: map[string]string{".config/opencode/opencode.json": `{
  "model": "stub/stub", "small_model": "stub/stub",
  "provider": {"stub": {"npm": "@ai-sdk/openai-compatible", "name": "stub",
    "options": {"baseURL": "{env:STUB_URL}", "apiKey": "` + noKey + `"}, "models": {"stub": {"name": "stub"}}}}
}
`},
	model: func(url string) []string { return []string{"STUB_URL=" + url + "/v1"} },
	args: func(_, prompt, session string) []string {
		args := []string{"run", "--format", "json", "--auto"}
		if session != "" {
			args = append(args, "--session", session)
		}
		return append(args, prompt)
	},
	session: regexp.MustCompile(`"sessionID":"([^"]+)"`),
}

// qwenQuiet are the settings with which Qwen Code calls its model only for the
// dialogue.
const qwenQuiet = `"privacy": {"usageStatisticsEnabled": false}, "general": {"enableAutoUpdate": false}, "memory": {"enableManagedAutoMemory": false, "enableManagedAutoDream": false}`

var qwen = client{
	title:    "qwen",
	program:  "qwen",
	wire:     stub.QwenChat,
	settings: map[string]string{".qwen/settings.json": "{" + qwenQuiet + "}\n"},
	model: func(url string) []string {
		return []string{"OPENAI_BASE_URL=" + url + "/v1", "OPENAI_API_KEY=" + noKey, "OPENAI_MODEL=stub"}
	},
	args: func(_, prompt, session string) []string {
		args := []string{"-p", prompt, "-o", "stream-json", "--approval-mode", "yolo", "--auth-type", "openai"}
		if session != "" {
			args = append(args, "--resume", session)
		}
		return args
	},
	session: regexp.MustCompile(`"session_id":"([^"]+)"`),
}

var copilot = client{
	title:   "copilot",
	program: "copilot",
	wire:    stub.CopilotChat,
	quiet:   []string{"COPILOT_OFFLINE=true", "COPILOT_AUTO_UPDATE=false"},
	model: func(url string) []string {
		return []string{"COPILOT_PROVIDER_BASE_URL=" + url + "/v1", "COPILOT_PROVIDER_API_KEY=" + noKey, "COPILOT_MODEL=stub"}
	},
	args: func(_, prompt, session string) []string {
		args := []string{"-p", prompt, "--output-format", "json", "--allow-all-tools", "--no-ask-user"}
		if session != "" {
			args = append(args, "--resume="+session)
		}
		return args
	},
	session: regexp.MustCompile(`"sessionId":"([^"]+)"`),
}

var cline = client{
	title:   "cline",
	program: "cline",
	wire:    stub.ClineChat,
	quiet:   []string{"CLINE_TELEMETRY_DISABLED=1"},
	model:   func(string) []string { return nil },
	// The model's address is in a file, which `cline auth` writes.
	args: func(url, prompt, session string) []string {
		auth := fmt.Sprintf("cline auth -p openai -k %s -m stub -b %s/v1", noKey, url)
		run := `exec cline --json "$0"`
		if session != "" {
			run += " --id " + session
		}
		return []string{"-c", auth + " && " + run, prompt}
	},
	shell:   true,
	session: regexp.MustCompile(`"taskId":"([^"]+)"`),
}

// chatClients are those of them that a scripted model can drive.
var chatClients = []client{opencode, qwen, copilot, cline}
