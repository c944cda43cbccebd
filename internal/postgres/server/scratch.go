package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/url"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridge"
)

// scratchPrefix begins the names of temporary schemas.
const scratchPrefix = "bridge_scratch_"

// Scratch returns the connection string of a new, not yet existing schema in a
// database, and a function that removes the schema with everything in it.
func Scratch(dsn string) (scratch string, drop func(context.Context) error, err error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", nil, bridge.Invalid("the connection string", "cannot be read: write it as postgres://USER@HOST/DATABASE")
	}
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	schema := scratchPrefix + hex.EncodeToString(random)
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	config, err := Parse(u.String())
	if err != nil {
		return "", nil, err
	}
	drop = func(ctx context.Context) error {
		c, err := pgx.ConnectConfig(ctx, config.Pool.ConnConfig)
		if err != nil {
			return Translate(err)
		}
		_, err = c.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
		return errors.Join(Translate(err), c.Close(ctx))
	}
	return u.String(), drop, nil
}
