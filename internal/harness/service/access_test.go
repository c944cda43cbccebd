package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/harness/service"
)

// TestLoadAccess checks that faults in a file of roles are reported, without any part of a
// key.
func TestLoadAccess(t *testing.T) {
	const roles = "roles: [{name: r, permissions: ['test:view']}]\n"
	hash := "sha256:" + strings.Repeat("0a", 32)
	for name, tt := range map[string]struct{ text, want string }{
		"sound":              {roles + "users: [{username: u, role: r, api_key_hash: '" + hash + "'}]", ""},
		"no users":           {roles, "nobody could use"},
		"unknown key":        {roles + "user: []", `:2: unknown field "user"`},
		"no YAML":            {"roles: [", ":1: "},
		"unknown permission": {"roles: [{name: r, permissions: ['test:fly']}]", `unknown permission "test:fly"`},
		"no wild card alone": {"roles: [{name: r, permissions: ['*']}]", "unknown permission"},
		"role twice":         {"roles: [{name: r}, {name: r}]", "unique name"},
		"no such role":       {roles + "users: [{username: u, role: x, api_key_hash: '" + hash + "'}]", "which does not exist"},
		"user twice":         {roles + "users: [{username: u, role: r, api_key_hash: '" + hash + "'}, {username: u, role: r, api_key_hash: '" + hash + "'}]", "unique username"},
		"odd name":           {roles + "users: [{username: \"a b\", role: r, api_key_hash: '" + hash + "'}]", "unique username"},
		"a key, no hash":     {roles + "users: [{username: u, role: r, api_key_hash: my-secret-key}]", "64 hexadecimal digits"},
		"hash of nothing":    {roles + "users: [{username: u, role: r, api_key_hash: 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}]", "empty key"},
	} {
		path := filepath.Join(t.TempDir(), "rbac.yaml")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := service.LoadAccess(path)
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "my-secret-key")) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if _, err := service.LoadAccess(filepath.Join(t.TempDir(), "missing.yaml")); err == nil {
		t.Error("a missing file is read")
	}
}
