package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/adrg/xdg"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/server"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite/storefile"
)

// onServer reports whether the store is in a PostgreSQL database.
func (a *app) onServer() bool { return server.IsURL(a.db) }

// storeName returns the store's name for people and programs, without a password.
func (a *app) storeName() (string, error) {
	if !a.onServer() {
		return a.storePath()
	}
	config, err := server.Parse(a.db)
	return config.String(), err
}

// placeOf returns the path that takes the place of a store's path if the store is on a
// server. The file is never created; its folder on this machine holds the store's key
// and the state of clients' sessions. Each database and schema has its own.
func placeOf(dsn string) (string, error) {
	config, err := server.Parse(dsn)
	if err != nil {
		return "", err
	}
	if noHome("XDG_STATE_HOME") {
		return "", usagef("%s, but the key of the store is stored there: set HOME", homeFault())
	}
	sum := sha256.Sum256([]byte(config.Address() + "\x00" + config.Database + "\x00" + config.Schema))
	return filepath.Join(xdg.StateHome, "bridge", "postgres-"+hex.EncodeToString(sum[:6]), "bridge.db"), nil
}

// needsFile returns an error for a command that works on the file of a store if the
// store has none.
func (a *app) needsFile(command, instead string) error {
	if err := a.needsStore(); err != nil {
		return err
	}
	if a.onServer() {
		return usagef("`bridge %s` is for a store in a file, but this one is in PostgreSQL: %s", command, instead)
	}
	return nil
}

// keyFileVariable names the key of a store on a server if something other than bridge
// manages it, such as a Kubernetes volume. The key of a store in a file is next to the
// file.
const keyFileVariable = "BRIDGE_KEY_FILE"

// keyFile returns the path of the key file of the store at place.
func (a *app) keyFile(place string) string {
	if named := a.env(keyFileVariable); named != "" && a.onServer() {
		return named
	}
	return keyfile.Beside(place)
}

// namedKey reads the key from the file that the environment names, if it names one. The
// file may belong to root, and may be a link, if only root and the user can change
// either.
func (a *app) namedKey() (key auth.Key, named bool, err error) {
	file := a.env(keyFileVariable)
	if file == "" {
		return key, false, nil
	}
	if !filepath.IsAbs(file) {
		return key, true, usagef("%s must be an absolute path: each client starts bridge in another folder", keyFileVariable)
	}
	switch err := privatefile.CheckSecret(file); {
	case errors.Is(err, fs.ErrNotExist): // not read, because a file that appears now was not checked
		return key, true, fmt.Errorf("%w: %s", keyfile.ErrNoKey, file)
	case err != nil:
		return key, true, fmt.Errorf("%s: %w", keyFileVariable, err)
	}
	key, err = keyfile.Load(file)
	return key, true, err
}

// keyPlace returns keyFile for storing the key there. The file may exist, but must not
// be accessible to others.
func (a *app) keyPlace(place string) (file string, err error) {
	file = a.keyFile(place)
	if a.onServer() {
		_, named, err := a.namedKey()
		if errors.Is(err, keyfile.ErrNoKey) {
			err = nil
		}
		if named {
			return file, err
		}
	}
	if err := storefile.CheckPrivate(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	return file, nil
}

// serverKey reads the key of a store on a server. Only `bridge store init` makes a key,
// because processes on other machines need the same one.
func (a *app) serverKey(place string) (auth.Key, error) {
	if key, named, err := a.namedKey(); named {
		return key, storefile.Unwritable(err)
	}
	file := keyfile.Beside(place)
	if err := storefile.CheckPrivate(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return auth.Key{}, err
	}
	key, err := keyfile.Load(file)
	if errors.Is(err, keyfile.ErrNoKey) {
		return key, fmt.Errorf("%w; `bridge store init` makes the first one", err)
	}
	return key, storefile.Unwritable(err)
}

// keyBeside reads the key that this machine has for a store on a server, and creates
// one if there is none.
func (a *app) keyBeside(place string) (key auth.Key, err error) {
	if err := makeFolders(a, place); err != nil {
		return key, err
	}
	file := keyfile.Beside(place)
	if err := storefile.CheckPrivate(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	return keyfile.LoadOrCreate(file)
}

// openServer opens a store in a PostgreSQL database, which must exist.
func (a *app) openServer(ctx context.Context, key auth.Key) (openedStore, error) {
	store, err := postgres.Open(ctx, a.db, postgres.Options{Key: key, Filling: a.sayFilling})
	if err != nil {
		return openedStore{}, err
	}
	clock, err := store.Clock(ctx)
	if err != nil {
		return openedStore{}, errors.Join(err, store.Close())
	}
	if unsure := clock.Unsure(); unsure > server.MaxUnsure {
		a.log().Warn("the server's clock cannot be determined exactly, because the server answers slowly", "unsure", unsure.Round(time.Millisecond))
	}
	bells := store.Bells()
	closeAll := func() error { return errors.Join(bells.Close(), clock.Close(), store.Close()) }
	return openedStore{store, bells, clock.Now, closeAll}, nil
}

// initServer makes or migrates a store on a server, creates the key if there is none,
// and gives a role access.
func (a *app) initServer(ctx context.Context, role string) (place string, err error) {
	if place, err = a.storePath(); err != nil {
		return "", err
	}
	key, named, err := a.namedKey()
	if !named {
		key, err = a.keyBeside(place)
	}
	if err != nil {
		return "", storefile.Unwritable(err)
	}
	store, err := postgres.Open(ctx, a.db, postgres.Options{Key: key, Create: true, Limits: a.limits()})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if role == "" {
		return place, nil
	}
	if err := store.Grant(ctx, role); err != nil {
		return "", fmt.Errorf("grant %s what a process needs: %w", cleantext.CleanLine(role), err)
	}
	return place, nil
}
