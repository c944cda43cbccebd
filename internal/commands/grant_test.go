package commands_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/sandbox"
)

// TestWorkspaceByALink checks that a grant and a mode apply to the folder that a link
// points to, and that a link inside a grant's folder cannot be used to leave it.
func TestWorkspaceByALink(t *testing.T) {
	env := bridgetest.NewEnv(t)
	core := env.Service(t)
	s := env.Commands(t, core, bridgetest.FakeSandbox(func(context.Context, sandbox.List, sandbox.Options) (sandbox.Result, error) {
		return sandbox.Result{}, nil
	}))
	p := bridgetest.NewPair(t, core)
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	granted, outside := filepath.Join(base, "granted"), filepath.Join(base, "outside")
	made := errors.Join(
		os.MkdirAll(filepath.Join(granted, "part"), 0o700), os.MkdirAll(filepath.Join(outside, "part"), 0o700),
		os.Symlink(granted, filepath.Join(base, "link")), os.Symlink(outside, filepath.Join(granted, "out")),
	)
	if made != nil {
		t.Fatal(made)
	}
	g, err := s.PrepareGrant(t.Context(), commands.GrantRequest{Conversation: p.A.Conversation, Mode: "safe", Workspace: filepath.Join(base, "link")})
	if err != nil || g.Workspace != granted {
		t.Fatalf("the grant is for %q, %v, want %q", g.Workspace, err, granted)
	}
	if err := s.OpenGrant(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	for workspace, inside := range map[string]bool{
		filepath.Join(base, "link", "part"):   true,
		filepath.Join(granted, "part"):        true,
		filepath.Join(granted, "out"):         false,
		filepath.Join(granted, "out", "part"): false,
	} {
		_, err := s.EnableYolo(t.Context(), p.A, commands.ModeRequest{Mode: "safe", Workspace: workspace})
		if inside && err != nil {
			t.Errorf("%s is refused: %v", workspace, err)
		}
		var invalid *bridge.InvalidError
		if refused := new(commands.RefusedError); !inside && !errors.As(err, &refused) && !errors.As(err, &invalid) {
			t.Errorf("%s, which leads out of it: %v", workspace, err)
		}
	}
}
