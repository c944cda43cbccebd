package cli_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
)

// randomText returns n random characters of an alphabet. The tests generate their
// secrets, so that the repository contains none.
func randomText(n int, alphabet string) string {
	random := make([]byte, n)
	_, _ = rand.Read(random)
	for i, b := range random {
		random[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(random)
}

const (
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// TestCanaries plants secrets wherever an agent can put text, runs every command that
// shows it to the operator, and then searches for the secrets everywhere.
func TestCanaries(t *testing.T) {
	i := install(t, "BRIDGE_LOG_LEVEL=debug")
	var logA, logB bytes.Buffer
	a := i.mustConnectLogged(t, &logA)
	created := a.mustCall(t, "create_conversation", map[string]any{
		"my_role": "backend, password=" + "Rolepass9x7", "partner_role": "frontend",
	})
	canaries := map[string]string{
		"role":           "Rolepass9x7",
		"token of a":     created["session_a_token"].(string),
		"token of b":     created["session_b_token"].(string),
		"join code":      created["join_code"].(string),
		"AWS key":        "AKIA" + randomText(16, upper),
		"GitHub token":   "ghp_" + randomText(36, letters),
		"OpenAI key":     "sk-" + randomText(48, letters),
		"password":       "Xy7" + randomText(12, letters),
		"file name":      "Zq9" + randomText(12, letters),
		"idempotency":    "Kk3" + randomText(20, letters),
		"private key":    randomText(64, letters),
		"bearer":         randomText(40, letters),
		"wrong token":    strings.Repeat("0123456789abcdef", 3) + hex.EncodeToString([]byte(randomText(8, letters))),
		"wrong argument": "Wa" + randomText(60, letters),
	}
	message := fmt.Sprintf(`The key is %s and the token %s, OpenAI %s, password: %s
-----BEGIN RSA PRIVATE KEY-----
%s
-----END RSA PRIVATE KEY-----
Authorization: Bearer %s
My bridge tokens: %s %s`, canaries["AWS key"], canaries["GitHub token"], canaries["OpenAI key"], canaries["password"],
		canaries["private key"], canaries["bearer"], canaries["token of a"], canaries["token of b"])
	a.mustCall(t, "send_to_partner", map[string]any{
		"message":         message,
		"files_involved":  []string{"config?password=" + canaries["file name"]},
		"idempotency_key": canaries["idempotency"],
	})
	refused := map[string]map[string]any{
		"send_to_partner":      {"message": "x", "token": canaries["wrong token"], "session_id": "a", "conversation_id": created["conversation_id"]},
		"check_messages":       {"conversation_id": canaries["wrong argument"], "session_id": canaries["wrong argument"], "token": canaries["wrong argument"]},
		"get_history":          {canaries["wrong argument"]: 1, "limit": canaries["wrong argument"]},
		"create_conversation":  {canaries["AWS key"]: 1, "my_role": "backend"},
		"check_partner_status": {"token": []string{canaries["wrong argument"]}},
	}
	for tool, args := range refused {
		if _, failed, err := a.call(t.Context(), tool, args); err != nil || !failed {
			t.Errorf("%s was not refused: %v", tool, err)
		}
	}
	b := i.mustConnectLogged(t, &logB)
	b.mustCall(t, "join_conversation", map[string]any{"join_code": created["join_code"]})
	b.mustCall(t, "check_messages", nil)
	search(t, i.dir, canaries) // the write-ahead log exists while they run

	var shown strings.Builder
	for _, args := range [][]string{{"list"}, {"show", created["conversation_id"].(string)}, {"audit"}, {"audit", "--json"}, {"doctor"}} {
		shown.WriteString(i.run(t, args...))
	}
	_, _ = a.Close(), b.Close() // stderr is complete then
	for name, secret := range canaries {
		for where, text := range map[string]string{"a's log": logA.String(), "b's log": logB.String(), "what the operator sees": shown.String()} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in %s", name, where)
			}
		}
	}
	search(t, i.dir, canaries)
}

// search looks for secrets, in clear and encoded, in every file below dir.
func search(t *testing.T, dir string, secrets map[string]string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // a doorbell may go while we look
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil //nolint:nilerr // it may be gone
		}
		for name, secret := range secrets {
			for _, form := range []string{secret, strings.ToUpper(secret), base64.StdEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret))} {
				if bytes.Contains(content, []byte(form)) {
					t.Errorf("%s is in %s", name, filepath.Base(path))
				}
			}
		}
		if raw, err := hex.DecodeString(secrets["token of a"]); err == nil && len(raw) > 0 && bytes.Contains(content, raw) {
			t.Errorf("the bytes of a token are in %s", filepath.Base(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mustConnectLogged is mustConnect with the process's log written to log.
func (i *installation) mustConnectLogged(t *testing.T, log *bytes.Buffer) *client {
	t.Helper()
	c := i.command("serve")
	c.Stderr = log
	return mustStart(t, c, bridge.Credentials{})
}
