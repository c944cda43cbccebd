package postgres_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/redact"
)

// TestSecretsAreNotOnTheServer looks for secrets in all files of a server that logs
// every statement with its parameters: tables, WAL and server log.
func TestSecretsAreNotOnTheServer(t *testing.T) {
	racetest.Skip(t)
	postgrestest.Need(t, server)
	ctx := context.Background()
	own, err := postgrestest.Start("fsync=off", "log_statement=all", "log_min_duration_statement=0", "log_parameter_max_length=-1",
		"log_parameter_max_length_on_error=-1", "log_error_verbosity=verbose")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := own.Close(); err != nil {
			t.Error(err)
		}
	}()
	engine, err := redact.New(redact.Options{})
	if err != nil {
		t.Fatal(err)
	}
	key := bridgetest.NewEnv(t).Key
	store := open(t, own.Schema(), key)
	s := bridge.New(bridge.Config{Store: store, Key: key, Redactor: engine})
	canary := "AKIA" + rand.Text()[:16]
	control := "control-" + rand.Text()
	made, err := s.Create(ctx, bridge.CreateRequest{MyRole: "backend " + canary, PartnerRole: "frontend"})
	if err != nil {
		t.Fatal(err)
	}
	joined, err := s.Join(ctx, made.JoinCode)
	if err != nil {
		t.Fatal(err)
	}
	a := bridge.Credentials{Conversation: made.ID, Session: bridge.SessionA, Token: made.TokenA}
	invited, err := s.Invite(ctx, a, "third "+canary)
	if err != nil {
		t.Fatal(err)
	}
	request := bridge.SendRequest{Text: control + " and " + canary, To: []bridge.SessionID{"b"}, Files: []string{"dir/" + canary}, IdempotencyKey: "once"}
	if _, err := s.Send(ctx, a, request); err != nil {
		t.Fatal(err)
	}
	// Refused texts must not be stored either.
	unknown := "canary-" + rand.Text()
	wrong := a
	wrong.Token = made.TokenB
	for what, call := range map[string]func() error{
		"a swapped token": func() error { _, err := s.Send(ctx, wrong, request); return err },
		"no conversation": func() error {
			_, err := s.Send(ctx, bridge.Credentials{Conversation: unknown, Session: bridge.SessionID(unknown), Token: unknown}, request)
			return err
		},
		"no action": func() error {
			_, err := s.Send(ctx, a, bridge.SendRequest{Text: "x", Action: bridge.ActionType(unknown)})
			return err
		},
		"no status":    func() error { _, err := s.UpdateStatus(ctx, a, bridge.Status(unknown)); return err },
		"no join code": func() error { _, err := s.Join(ctx, unknown); return err },
	} {
		if err := call(); err == nil || strings.Contains(err.Error(), unknown) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := s.Send(ctx, a, bridge.SendRequest{Text: "x", To: request.To, IdempotencyKey: unknown}); err != nil {
		t.Error(err)
	}
	secrets := map[string][]byte{
		"an access key":     []byte(canary),
		"what was refused":  []byte(unknown),
		"a token":           []byte(made.TokenA),
		"a partner's token": []byte(joined.Token),
		"a join code":       []byte(made.JoinCode),
		"an open join code": []byte(invited.JoinCode),
		"a token, raw":      fromHex(t, made.TokenA),
		"the key of tokens": key.Derive("token"),
		"the key of codes":  key.Derive("join code"),
		"the key of logs":   key.Derive("audit"),
	}
	err = key.Keep(func(secret []byte) error {
		secrets["the master key"] = bytes.Clone(secret)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, own.DSN(), "CHECKPOINT; SELECT pg_switch_wal()")
	if err := own.Kill(); err != nil {
		t.Fatal(err)
	}
	found := searchFiles(t, secrets, control, own.Data(), own.Log())
	for name := range secrets {
		if where := found[name]; where != "" {
			t.Errorf("%s is in %s", name, where)
		}
	}
	for _, where := range []string{"pg_wal", "base", "log"} {
		if !strings.Contains(found[control], where) {
			t.Errorf("the text beside the secrets was found in %q only, not in %s: the search does not work", found[control], where)
		}
	}
}

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// searchFiles returns the names of the texts found and the files they are in, and where
// the control text was found.
func searchFiles(t *testing.T, texts map[string][]byte, control string, roots ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for name, text := range texts {
				for _, form := range [][]byte{text, []byte(hex.EncodeToString(text)), []byte(base64.StdEncoding.EncodeToString(text))} {
					if bytes.Contains(content, form) {
						found[name] += " " + path
					}
				}
			}
			if bytes.Contains(content, []byte(control)) {
				found[control] += " " + path
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}
