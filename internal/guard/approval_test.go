package guard_test

import (
	"testing"
	"time"

	"example.org/bridge/internal/guard"
)

func request() guard.ApprovalRequest {
	return guard.ApprovalRequest{
		Conversation: "conv_0123456789abcdef", Session: "a", Command: "ls -la", Mode: guard.ModeSafe,
		Plan:      &guard.Plan{Steps: []guard.Step{{When: guard.Always, Stages: []guard.Stage{{Path: "/usr/bin/ls", Argv: []string{"ls", "-la"}}}}}},
		Workspace: "/home/user/projects/myapp", Device: 1, Inode: 2, Sandbox: "bubblewrap", Timeout: 30 * time.Second, Nonce: []byte("nonce"),
	}
}

// TestDigest checks that every field is part of the digest.
func TestDigest(t *testing.T) {
	base := request().Digest()
	if request().Digest() != base {
		t.Fatal("equal requests have different digests")
	}
	argv := func(r *guard.ApprovalRequest) []string { return r.Plan.Steps[0].Stages[0].Argv }
	changes := map[string]func(*guard.ApprovalRequest){
		"conversation":   func(r *guard.ApprovalRequest) { r.Conversation = "conv_0123456789abcdee" },
		"session":        func(r *guard.ApprovalRequest) { r.Session = "b" },
		"command":        func(r *guard.ApprovalRequest) { r.Command = "ls  -la" },
		"mode":           func(r *guard.ApprovalRequest) { r.Mode = guard.ModeRestricted },
		"argument":       func(r *guard.ApprovalRequest) { argv(r)[1] = "-l" },
		"joined":         func(r *guard.ApprovalRequest) { r.Plan.Steps[0].Stages[0].Argv = []string{"ls -la"} },
		"program":        func(r *guard.ApprovalRequest) { r.Plan.Steps[0].Stages[0].Path = "/tmp/ls" },
		"folder":         func(r *guard.ApprovalRequest) { r.Plan.Steps[0].Stages[0].Dir = "/home/user/projects/myapp/sub" },
		"environment":    func(r *guard.ApprovalRequest) { r.Plan.Steps[0].Stages[0].Env = []string{"CI=1"} },
		"builtin":        func(r *guard.ApprovalRequest) { r.Plan.Steps[0].Stages[0].Builtin = true },
		"connector":      func(r *guard.ApprovalRequest) { r.Plan.Steps[0].When = guard.OnFailure },
		"redirect":       func(r *guard.ApprovalRequest) { r.Plan.Steps[0].Stages[0].Redirects = []guard.Redirect{{FD: 2, To: 1}} },
		"shell":          func(r *guard.ApprovalRequest) { r.Plan = &guard.Plan{Shell: []string{"/bin/bash", "-c", "ls -la"}} },
		"no plan":        func(r *guard.ApprovalRequest) { r.Plan = nil },
		"workspace":      func(r *guard.ApprovalRequest) { r.Workspace = "/home/user/projects/myap" },
		"device":         func(r *guard.ApprovalRequest) { r.Device = 3 },
		"inode":          func(r *guard.ApprovalRequest) { r.Inode = 3 },
		"sandbox":        func(r *guard.ApprovalRequest) { r.Sandbox = "none" },
		"network":        func(r *guard.ApprovalRequest) { r.Network = true },
		"access":         func(r *guard.ApprovalRequest) { r.Access = []string{"domain example.org"} },
		"more access":    func(r *guard.ApprovalRequest) { r.Access = []string{"domain example.org", "env files"} },
		"access joined":  func(r *guard.ApprovalRequest) { r.Access = []string{"domain example.orgenv files"} },
		"timeout":        func(r *guard.ApprovalRequest) { r.Timeout = time.Minute },
		"nonce":          func(r *guard.ApprovalRequest) { r.Nonce = []byte("other") },
		"fields shifted": func(r *guard.ApprovalRequest) { r.Conversation, r.Session = r.Conversation+"a", "" },
	}
	seen := map[[32]byte]string{base: "nothing"}
	for name, change := range changes {
		r := request()
		change(&r)
		digest := r.Digest()
		if other, ok := seen[digest]; ok {
			t.Errorf("changing %s gives the digest of changing %s", name, other)
		}
		seen[digest] = name
	}
}

func TestModeWithin(t *testing.T) {
	for _, tt := range []struct {
		mode, ceiling guard.Mode
		want          bool
	}{
		{guard.ModeSafe, guard.ModeSafe, true},
		{guard.ModeSafe, guard.ModeYolo, true},
		{guard.ModeRestricted, guard.ModeSafe, false},
		{guard.ModeYolo, guard.ModeRestricted, false},
		{"", guard.ModeYolo, false},
		{guard.ModeSafe, "", false},
		{"root", "root", false},
	} {
		if got := tt.mode.Within(tt.ceiling); got != tt.want {
			t.Errorf("%q within %q = %v", tt.mode, tt.ceiling, got)
		}
	}
}
