package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/adrg/xdg"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/archive"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/doorbell"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/redact"
	"example.org/bridge/internal/resources"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// redactor returns the redaction engine with the operator's own rules.
func (a *app) redactor() (*redact.Engine, error) {
	engine, err := redact.New(redact.Options{Rules: a.file.rules, Exceptions: a.file.exceptions})
	if err != nil {
		return nil, usagef("%s: %v", a.file.path, err)
	}
	return engine, nil
}

// services are the domain service, the command guard and the other services on one
// store.
type services struct {
	*bridge.Service
	*commandService
	*taskService
	*claimService
	*fileService
	*stepService
	*resourceService
	keys   *access.Service
	old    *archive.Archives // for the audit log
	master auth.Key          // for the store
}

type (
	commandService = commands.Service
	taskService    = tasks.Service
	claimService   = claims.Service
	fileService    = files.Service
	stepService    = steps.Service

	resourceService = resources.Service
)

// plantable is the part of a store in which tests plant faults.
type plantable interface {
	bridge.Store
	tasks.Store
	claims.Store
	files.Store
}

// withService is withServices for callers that need only the domain service.
func (a *app) withService(ctx context.Context, create bool, fn func(*bridge.Service) error) error {
	return a.withServices(ctx, create, func(s services) error { return fn(s.Service) })
}

// wholeStore is the interface of a complete store.
type wholeStore interface {
	bridge.Store
	commands.Store
	tasks.Store
	claims.Store
	files.Store
	steps.Store
	access.Store
}

// openedStore is an open store and what belongs to its kind.
type openedStore struct {
	wholeStore
	bells bridge.Notifier
	now   func() time.Time
	close func() error
}

// withServices opens the store, creating it first if create is set, and closes it after
// fn.
func (a *app) withServices(ctx context.Context, create bool, fn func(services) error) (err error) {
	if err := a.needsStore(); err != nil {
		return err
	}
	path, err := a.storePath()
	if err != nil {
		return err
	}
	engine, err := a.redactor()
	if err != nil {
		return err
	}
	key, store, err := a.openStore(ctx, path, create)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	planted := plant(store, path)
	core := bridge.New(bridge.Config{
		Store:     planted,
		Key:       key,
		Redactor:  engine,
		Doorbells: store.bells,
		Caller:    caller(),
		Now:       store.now,
	})
	guarded := a.commandConfig(path)
	guarded.Bridge, guarded.Store, guarded.Key, guarded.Decide = core, store, key, policy.Decide
	s := services{
		Service: core, commandService: commands.New(guarded), taskService: tasks.New(core, planted), claimService: claims.New(core, planted),
		fileService: files.New(core, planted), stepService: steps.New(core, store), keys: access.New(core, store, key),
		old: archive.New(store, key), master: key,
	}
	s.resourceService = resources.New(core, s.taskService, s.claimService, s.fileService, s.stepService)
	return fn(s)
}

// openOrMake opens the configured store, creating it first if it does not exist.
func (a *app) openOrMake(ctx context.Context) (openedStore, error) {
	path, err := a.storePath()
	if err != nil {
		return openedStore{}, err
	}
	_, store, err := a.openStore(ctx, path, true)
	return store, err
}

// openStore opens the store, with its key.
func (a *app) openStore(ctx context.Context, path string, create bool) (key auth.Key, store openedStore, err error) {
	if a.onServer() {
		if key, err = a.serverKey(path); err == nil {
			store, err = a.openServer(ctx, key)
		}
		return key, store, err
	}
	if key, err = storeKey(path, create); err == nil {
		store, err = a.openFile(ctx, path, key, create)
	}
	return key, store, err
}

// openFile opens a store in a file.
func (a *app) openFile(ctx context.Context, path string, key auth.Key, create bool) (openedStore, error) {
	store, err := sqlite.Open(ctx, path, sqlite.Options{Key: key, Create: create, Limits: a.limits(), Waiting: a.sayWaiting, Filling: a.sayFilling})
	if err != nil {
		return openedStore{}, err
	}
	return openedStore{store, doorbell.New(doorbell.Beside(path)), a.now, store.Close}, nil
}

// caller returns a name for the client that started this process, or for this process
// if the client is not known to have a single session. Limits count what it creates
// under this name.
func caller() string {
	p := clientProcess()
	if p == (binding.Process{}) {
		p = binding.Self()
	}
	if p == (binding.Process{}) {
		return strconv.Itoa(os.Getpid())
	}
	return strconv.Itoa(p.PID) + "-" + p.Started
}

// commandConfig names what commands must never see: the bridge's own folders, wherever
// they are, and the secrets of the home folder.
func (a *app) commandConfig(store string) commands.Config {
	home, err := os.UserHomeDir()
	if err != nil {
		return commands.Config{} // under which no command is allowed
	}
	dirs := append(append(stateDirs(home), storePaths(store)...), filepath.Join(xdg.StateHome, "bridge"), filepath.Join(xdg.ConfigHome, "bridge"))
	if a.file.found {
		dirs = append(dirs, a.file.path)
	}
	if file := a.keyFile(store); file != keyfile.Beside(store) {
		dirs = append(dirs, file)
	}
	return commands.Config{Home: home, StateDirs: dirs, Snapshots: snapshotsBeside(store)}
}

// storePaths returns the files and folders of a store. The folder that contains the
// store may also hold other things, for example if it is a home folder, so it is not
// hidden as a whole. But if commands can read that folder by default it is, so that
// files that the store will create later are hidden too.
func storePaths(store string) []string {
	dir := filepath.Dir(store)
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target
	}
	for _, root := range paths.DefaultReadRoots() {
		if paths.Within(filepath.ToSlash(dir), root) {
			return []string{dir}
		}
	}
	own := []string{
		store, keyfile.Beside(store), doorbell.Beside(store), binding.Beside(store).Path(), snapshotsBeside(store),
	}
	for _, suffix := range []string{"-wal", "-shm", "-journal", "-queue", "-turn", "-reserve"} {
		own = append(own, store+suffix)
	}
	return own
}

// snapshotsBeside returns the folder for snapshots of workspaces.
func snapshotsBeside(store string) string { return filepath.Join(filepath.Dir(store), "snapshots") }

// storeKey returns the key of the store at path. It creates a key only for a new store,
// because an existing store needs its original key. It looks for the store before the
// key, because a process that creates both creates the key first.
func storeKey(path string, create bool) (auth.Key, error) {
	if create {
		if err := storefile.CheckAbove(path); err != nil {
			return auth.Key{}, err
		}
		if err := storefile.Prepare(path); err != nil {
			return auth.Key{}, fmt.Errorf("create the folder of the store: %w", err)
		}
	}
	exists, err := storeExists(path)
	if err != nil {
		return auth.Key{}, err
	}
	if !exists && !create {
		return auth.Key{}, fmt.Errorf("%w: %s", bridge.ErrStoreMissing, path)
	}
	file := keyfile.Beside(path)
	if err := storefile.CheckPrivate(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return auth.Key{}, err
	}
	if !exists {
		key, err := keyfile.LoadOrCreate(file)
		return key, storefile.Unwritable(err)
	}
	key, err := keyfile.Load(file)
	if errors.Is(err, keyfile.ErrNoKey) {
		return auth.Key{}, errors.Join(sqlite.Identify(path), err)
	}
	return key, storefile.Unwritable(err)
}

// storeExists reports whether the file at path exists, and returns an error if it
// cannot be a store.
func storeExists(path string) (bool, error) {
	if err := storefile.CheckAbove(path); err != nil {
		return false, err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// A folder that others may change is no safe place for a new key either.
		if err := storefile.CheckPrivate(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		return false, sqlite.LeftOverLog(path)
	case errors.Is(err, fs.ErrPermission):
		return false, storefile.LockedFolder(filepath.Dir(path))
	case err != nil:
		return false, fmt.Errorf("look for the store: %w", err)
	case info.IsDir():
		return false, usagef("the store must be a file, but %s is a folder: name a file in it", path)
	case info.Size() == 0 && info.Mode().IsRegular():
		return false, fmt.Errorf("%w: %s", bridge.ErrStoreEmpty, path)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%w: %s is not an ordinary file", bridge.ErrStoreForeign, path)
	}
	return true, nil
}

// sayWaiting logs which process holds the store.
func (a *app) sayWaiting(h bridge.Holder) {
	a.log().Warn("waiting for the store", "held_by", cleantext.CleanLine(h.String()))
}

// sayFilling logs that the store is nearly full.
func (a *app) sayFilling(f bridge.Fill) {
	a.log().Warn("the store is nearly full: run `bridge cleanup`, or allow more with `bridge limits set --max-"+f.What+"`",
		"what", f.What, "used", f.Used, "most", f.Most, "percent", f.Percent())
}
