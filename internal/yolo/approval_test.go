package yolo_test

import (
	"testing"
	"time"

	"example.org/bridge/internal/yolo"
)

func request() yolo.ApprovalRequest {
	return yolo.ApprovalRequest{
		Conversation: "conv_0123456789abcdef", Session: "a", Command: "ls -la", Mode: yolo.ModeSafe,
		Plan:      &yolo.Plan{Steps: []yolo.Step{{When: yolo.Always, Stages: []yolo.Stage{{Path: "/usr/bin/ls", Argv: []string{"ls", "-la"}}}}}},
		Workspace: "/home/user/projects/myapp", Device: 1, Inode: 2, Sandbox: "bubblewrap", Timeout: 30 * time.Second, Nonce: []byte("nonce"),
	}
}

// TestDigest holds that every field is in the digest: a changed one is another approval.
func TestDigest(t *testing.T) {
	base := request().Digest()
	if request().Digest() != base {
		t.Fatal("equal requests have different digests")
	}
	argv := func(r *yolo.ApprovalRequest) []string { return r.Plan.Steps[0].Stages[0].Argv }
	changes := map[string]func(*yolo.ApprovalRequest){
		"conversation":   func(r *yolo.ApprovalRequest) { r.Conversation = "conv_0123456789abcdee" },
		"session":        func(r *yolo.ApprovalRequest) { r.Session = "b" },
		"command":        func(r *yolo.ApprovalRequest) { r.Command = "ls  -la" },
		"mode":           func(r *yolo.ApprovalRequest) { r.Mode = yolo.ModeRestricted },
		"argument":       func(r *yolo.ApprovalRequest) { argv(r)[1] = "-l" },
		"joined":         func(r *yolo.ApprovalRequest) { r.Plan.Steps[0].Stages[0].Argv = []string{"ls -la"} },
		"program":        func(r *yolo.ApprovalRequest) { r.Plan.Steps[0].Stages[0].Path = "/tmp/ls" },
		"builtin":        func(r *yolo.ApprovalRequest) { r.Plan.Steps[0].Stages[0].Builtin = true },
		"connector":      func(r *yolo.ApprovalRequest) { r.Plan.Steps[0].When = yolo.OnFailure },
		"redirect":       func(r *yolo.ApprovalRequest) { r.Plan.Steps[0].Stages[0].Redirects = []yolo.Redirect{{FD: 2, To: 1}} },
		"shell":          func(r *yolo.ApprovalRequest) { r.Plan = &yolo.Plan{Shell: []string{"/bin/bash", "-c", "ls -la"}} },
		"no plan":        func(r *yolo.ApprovalRequest) { r.Plan = nil },
		"workspace":      func(r *yolo.ApprovalRequest) { r.Workspace = "/home/user/projects/myap" },
		"device":         func(r *yolo.ApprovalRequest) { r.Device = 3 },
		"inode":          func(r *yolo.ApprovalRequest) { r.Inode = 3 },
		"sandbox":        func(r *yolo.ApprovalRequest) { r.Sandbox = "none" },
		"network":        func(r *yolo.ApprovalRequest) { r.Network = true },
		"timeout":        func(r *yolo.ApprovalRequest) { r.Timeout = time.Minute },
		"nonce":          func(r *yolo.ApprovalRequest) { r.Nonce = []byte("other") },
		"fields shifted": func(r *yolo.ApprovalRequest) { r.Conversation, r.Session = r.Conversation+"a", "" },
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

func TestConfirmationCode(t *testing.T) {
	one, two := yolo.ConfirmationCode(request().Digest()), yolo.ConfirmationCode([32]byte{})
	if len(one) != 6 || one == two {
		t.Errorf("codes %q and %q: want six different hex digits", one, two)
	}
}

func TestModeWithin(t *testing.T) {
	for _, tt := range []struct {
		mode, ceiling yolo.Mode
		want          bool
	}{
		{yolo.ModeSafe, yolo.ModeSafe, true},
		{yolo.ModeSafe, yolo.ModeYolo, true},
		{yolo.ModeRestricted, yolo.ModeSafe, false},
		{yolo.ModeYolo, yolo.ModeRestricted, false},
		{"", yolo.ModeYolo, false},
		{yolo.ModeSafe, "", false},
		{"root", "root", false},
	} {
		if got := tt.mode.Within(tt.ceiling); got != tt.want {
			t.Errorf("%q within %q = %v", tt.mode, tt.ceiling, got)
		}
	}
}
