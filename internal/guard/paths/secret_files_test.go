package paths_test

import (
	"testing"

	"example.org/bridge/internal/guard/paths"
)

func TestIsSecretFile(t *testing.T) {
	tests := map[string]bool{
		"/ws/.env": true, "/ws/.ENV": true, "/ws/.env.local": true, "/ws/app/.env.production": true, "/ws/prod.env": true, "/ws/server.pem": true,
		"/ws/tls/private.key": true, "/ws/id_rsa": true, "/ws/id_ed25519": true, "/ws/.aws/credentials": true, "/ws/.netrc": true, "/ws/.ssh/config": true,
		"/ws/.env.example": false, "/ws/.env.sample": false, "/ws/.env.template": false, "/ws/env.go": false, "/ws/id_rsa.pub": false, "/ws/.envrc": false,
		"/ws/environment.ts": false, "/ws/keys.go": false, "/ws/credentials": false, "/ws/README.md": false, "/ws/.npmrc": false, "/ws/public.pem": false,
	}
	for name, want := range tests {
		if got := paths.IsSecretFile(name); got != want {
			t.Errorf("IsSecretFile(%q) = %v", name, got)
		}
	}
	for pattern, want := range map[string]bool{"*.pem": true, ".en*": true, ".e?v": true, ".??v": true, "id_*": true, "*": false, "*.go": false, "src/*": false, ".git*": true, "*.md": false} {
		if pattern == ".git*" {
			want = paths.MatchComponent(pattern, ".git-credentials")
		}
		if got := paths.GlobNamesSecretFile("/ws/" + pattern); got != want {
			t.Errorf("GlobNamesSecretFile(%q) = %v", pattern, got)
		}
	}
}
