package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"

	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/fleet"
	"example.org/bridge/internal/gateway/remote"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite/storefile"
)

// connection is the gateway that this machine uses instead of a store.
type connection struct {
	remote.Join
	read bool
	err  error
}

// connectionFile contains the join string. It is in the folder that is hidden from
// commands.
func connectionFile() string { return filepath.Join(xdg.StateHome, "bridge", "gateway") }

// connected returns the gateway to use; ok is false if there is none. A store named by
// --db, BRIDGE_DB or the configuration file is used instead.
func (a *app) connected() (join remote.Join, ok bool, err error) {
	if a.db != "" || noHome("XDG_STATE_HOME") {
		return remote.Join{}, false, nil
	}
	c := &a.connection
	if !c.read {
		c.read = true
		c.Join, c.err = readConnection()
	}
	return c.Join, c.err == nil && c.Address != "", c.err
}

// isConnected reports whether a gateway is used.
func (a *app) isConnected() bool {
	_, ok, _ := a.connected()
	return ok
}

// readConnection reads the file. If it does not exist, the address is empty.
func readConnection() (remote.Join, error) {
	path := connectionFile()
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return remote.Join{}, nil
	}
	text, err := readSecretFile(path)
	if err != nil {
		return remote.Join{}, err
	}
	join, err := remote.ParseJoin(string(text))
	if err != nil {
		return join, usagef("%s is damaged: run `bridge connect` again, or `bridge disconnect`", path)
	}
	return join, nil
}

// keepConnection writes the file atomically, readable for the user only.
func keepConnection(join remote.Join) error {
	path := connectionFile()
	if err := storefile.Prepare(path); err != nil {
		return err
	}
	if err := storefile.CheckPrivate(filepath.Dir(path)); err != nil {
		return err
	}
	return storefile.Unwritable(privatefile.Write{Durable: true}.File(path, []byte(join.String()+"\n")))
}

// placeBehind returns the path that takes the place of a store's path if the store is
// behind a gateway. The file is never created; its folder keeps the state of clients'
// sessions. All gateways of a store have the same pin, and therefore the same folder.
func placeBehind(join remote.Join) string {
	return filepath.Join(xdg.StateHome, "bridge", "gateway-"+join.Pin[:16], "bridge.db")
}

// needsStore returns an error if the store is behind a gateway.
func (a *app) needsStore() error {
	join, ok, err := a.connected()
	if !ok {
		return err
	}
	return usagef("the store is behind the gateway %s, and this machine can only see its own conversations: run this where the store is, or name a store of this machine with --db", join.Address)
}

// dial returns a connection to a gateway.
func (a *app) dial(join remote.Join) (*remote.Conn, error) {
	engine, err := a.redactor()
	if err != nil {
		return nil, err
	}
	return remote.New(remote.Options{Join: join, Redactor: engine, Log: a.log()}), nil
}

// besideAgent is the interface for programs that run alongside an agent:
// bridge.Service, or a connection.
type besideAgent interface {
	agents.HookBridge
	fleet.Mailbox
	fleet.Heartbeats
	claimJudge
	SessionOf(ctx context.Context, conversation, token string) (bridge.SessionID, error)
}

// claimJudge decides whether an agent may change files.
type claimJudge interface {
	JudgeChange(ctx context.Context, e claims.Editor, paths []string) (claims.Judgement, error)
	RecordChange(ctx context.Context, e claims.Editor, paths []string) error
}

// withBeside opens the existing store, or the connection, and calls fn with it.
func (a *app) withBeside(ctx context.Context, fn func(besideAgent) error) error {
	join, ok, err := a.connected()
	if err != nil {
		return err
	}
	if !ok {
		return a.withServices(ctx, false, func(s services) error { return fn(s) })
	}
	conn, err := a.dial(join)
	if err != nil {
		return err
	}
	defer conn.Close()
	return fn(conn)
}
