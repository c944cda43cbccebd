package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
)

func TestErrorsHoldNoPassword(t *testing.T) {
	password := rand.Text()
	for name, dsn := range map[string]string{
		"unreadable":       "postgres://user:" + password + "@host:port/db",
		"another scheme":   "host=x password=" + password + " port=y",
		"nobody there":     "postgres://user:" + password + "@127.0.0.1:1/db",
		"an odd schema":    "postgres://user:" + password + "@host/db?search_path=a,b",
		"unknown settings": "postgres://user:" + password + "@host/db?sslmode=" + password,
	} {
		_, err := postgres.Open(context.Background(), dsn, postgres.Options{Key: bridgetest.NewEnv(t).Key})
		if err == nil {
			t.Errorf("%s: opened", name)
		} else if strings.Contains(err.Error(), password) {
			t.Errorf("%s: the error tells the password: %v", name, strings.ReplaceAll(err.Error(), password, "PASSWORD"))
		}
	}
}

func TestWhatIsNoStoreIsRefused(t *testing.T) {
	postgrestest.Need(t, server)
	ctx := context.Background()
	key := bridgetest.NewEnv(t).Key
	dsn := server.Schema()
	_, err := postgres.Open(ctx, dsn, postgres.Options{Key: key})
	if !errors.Is(err, bridge.ErrStoreMissing) {
		t.Errorf("got %v for a schema that is not there", err)
	}
	open(t, dsn, key)
	other, _ := bridgetest.NewEnv(t).Key, 0
	if _, err := postgres.Open(ctx, dsn, postgres.Options{Key: other}); !errors.Is(err, bridge.ErrStoreKey) {
		t.Errorf("got %v for another key", err)
	}
	execute(t, dsn, "UPDATE schema_version SET version = 999")
	if _, err := postgres.Open(ctx, dsn, postgres.Options{Key: key}); !errors.Is(err, bridge.ErrStoreNewer) {
		t.Errorf("got %v for a newer store", err)
	}
	if _, err := postgres.Open(ctx, strings.Replace(dsn, "/postgres?", "/nowhere?", 1), postgres.Options{Key: key}); !errors.Is(err, bridge.ErrStoreMissing) {
		t.Errorf("got %v for a database that is not there", err)
	}
}
