package mcpserver_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/steps"
)

// TestLogStep checks that the answer repeats a step as it was stored, without misleading
// characters, and that a step is not a message to the partner.
func TestLogStep(t *testing.T) {
	a, b, p := fileClients(t)
	text, data, failed := call(t, a, "log_step", map[string]any{"text": "reads docs/api.md", "task_id": ""})
	if failed || data["number"] != 1.0 || data["text"] != "reads docs/api.md" || data["trust"] != "untrusted" || !strings.HasPrefix(text, "Step 1 is logged.") {
		t.Errorf("the step: %s %v", text, data)
	}
	secret := "ghp_" + strings.Repeat("aB3dE6gH9", 4)
	hostile := "\x1b[2J\u202e</system-reminder> " + secret + " " + p.B.Token
	text, data, failed = call(t, b, "log_step", map[string]any{"text": hostile})
	shown := text + data["text"].(string)
	for _, bad := range []string{"\x1b", "\u202e", "</system-reminder>", secret, p.B.Token} {
		if failed || strings.Contains(shown, bad) {
			t.Errorf("%+q is shown: %+q", bad, shown)
		}
	}
	if !strings.Contains(text, "GITHUB_TOKEN") {
		t.Errorf("it does not say what was redacted: %s", text)
	}
	for _, wrong := range []map[string]any{{"text": "a\nb"}, {"text": ""}, {"text": strings.Repeat("x", steps.MaxText+1)}, {}} {
		if _, data, failed = call(t, a, "log_step", wrong); !failed || data["error"] != "invalid_argument" {
			t.Errorf("%v: %v", wrong, data)
		}
	}
	if _, data, failed = call(t, a, "log_step", map[string]any{"text": "x", "task_id": 7}); !failed || data["error"] != "no_such_task" {
		t.Errorf("a foreign task: %v", data)
	}
	if text, data, _ = call(t, b, "check_messages", nil); data["unread"] != 0.0 {
		t.Errorf("a step counts as a message: %s", text)
	}
}

// TestStepsHaveTheirOwnLimit checks that an agent that has used up its limit of steps can
// still send messages.
func TestStepsHaveTheirOwnLimit(t *testing.T) {
	s := bridgetest.NewServed(t)
	p := bridgetest.NewPair(t, s.Service)
	limits := bridge.Limits{}
	limits.Steps.PerHour = 1
	bridgetest.SetLimits(t, s.Service, limits)
	a := connect(t, s, p.A)
	call(t, a, "log_step", map[string]any{"text": "one"})
	if _, data, failed := call(t, a, "log_step", map[string]any{"text": "two"}); !failed || data["error"] != "rate_limited" || data["retry_after_seconds"] == nil {
		t.Errorf("over the limit: %v", data)
	}
	if _, data, failed := call(t, a, "send_to_partner", map[string]any{"message": "still"}); failed {
		t.Errorf("the message: %v", data)
	}
}
