package service

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"example.org/bridge/internal/lazyregexp"
)

// Permission is an action that a user may be allowed to do.
type Permission string

// Permissions. A role may also have all permissions of one kind, such as test:*.
const (
	TestRun      Permission = "test:run"
	TestView     Permission = "test:view"
	ReportView   Permission = "report:view"
	ConfigView   Permission = "config:view"
	BaselineView Permission = "baseline:view"
)

var permissions = []Permission{TestRun, TestView, ReportView, ConfigView, BaselineView}

// known reports whether a text is a permission, or all permissions of one kind.
func known(name string) bool {
	kind, wild := strings.CutSuffix(name, ":*")
	return slices.ContainsFunc(permissions, func(p Permission) bool {
		return string(p) == name || wild && strings.HasPrefix(string(p), kind+":")
	})
}

// Access says who may do what. Without users everybody may do everything, which is for a
// service that only this machine can reach.
type Access struct {
	users []user
	roles map[string][]string
}

type user struct {
	name, role string
	key        [sha256.Size]byte // the hash of the key
}

// accessFile is the format of the file.
type accessFile struct {
	Roles []struct {
		Name        string   `yaml:"name"`
		Permissions []string `yaml:"permissions"`
	} `yaml:"roles"`
	Users []struct {
		Username string `yaml:"username"`
		Role     string `yaml:"role"`
		KeyHash  string `yaml:"api_key_hash"`
	} `yaml:"users"`
}

const maxAccessFile = 1 << 20 // bytes

// readYAML reads a settings file. Its errors never quote the file.
func readYAML(path string, into any) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", path, errors.Unwrap(err))
	}
	if info.Size() > maxAccessFile {
		return fmt.Errorf("%s is larger than %d bytes", path, maxAccessFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", path, errors.Unwrap(err))
	}
	err = yaml.UnmarshalWithOptions(data, into, yaml.Strict())
	if fault := yaml.Error(nil); errors.As(err, &fault) {
		if at := fault.GetToken(); at != nil && at.Position != nil {
			return fmt.Errorf("%s:%d: %s", path, at.Position.Line, fault.GetMessage())
		}
		return fmt.Errorf("%s: %s", path, fault.GetMessage())
	}
	if err != nil {
		return fmt.Errorf("%s is not YAML with the keys described in docs/harness.md", path)
	}
	return nil
}

// LoadAccess reads a file of roles and users.
func LoadAccess(path string) (Access, error) {
	var f accessFile
	if err := readYAML(path, &f); err != nil {
		return Access{}, err
	}
	a := Access{roles: map[string][]string{}}
	for _, r := range f.Roles {
		if _, twice := a.roles[r.Name]; r.Name == "" || twice {
			return Access{}, fmt.Errorf("%s: each role needs a unique name", path)
		}
		for _, p := range r.Permissions {
			if !known(p) {
				return Access{}, fmt.Errorf("%s: the role %q has the unknown permission %q: use %s, or test:* and the like", path, r.Name, p, list(permissions))
			}
		}
		a.roles[r.Name] = r.Permissions
	}
	for _, u := range f.Users {
		one, err := a.user(u.Username, u.Role, u.KeyHash)
		if err != nil {
			return Access{}, fmt.Errorf("%s: %w", path, err)
		}
		a.users = append(a.users, one)
	}
	if len(a.users) == 0 {
		return Access{}, fmt.Errorf("%s has no users: nobody could use the service", path)
	}
	return a, nil
}

func list(all []Permission) string {
	var names []string
	for _, p := range all {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// username is a name that can be used in logs and metrics without escaping.
var username = lazyregexp.New(`^[A-Za-z0-9._-]{1,64}$`)

func (a Access) user(name, role, hash string) (u user, err error) {
	if !username().MatchString(name) || slices.ContainsFunc(a.users, func(u user) bool { return u.name == name }) {
		return u, errors.New("each user needs a unique username of letters, digits and ._-")
	}
	if _, ok := a.roles[role]; !ok {
		return u, fmt.Errorf("the user %s has the role %q, which does not exist", name, role)
	}
	digits, ok := strings.CutPrefix(hash, "sha256:")
	key, err := hex.DecodeString(digits)
	if !ok || err != nil || len(key) != sha256.Size {
		return u, fmt.Errorf("the api_key_hash of %s must be sha256: and 64 hexadecimal digits", name)
	}
	if [sha256.Size]byte(key) == sha256.Sum256(nil) {
		return u, fmt.Errorf("the api_key_hash of %s is that of an empty key", name)
	}
	return user{name, role, [sha256.Size]byte(key)}, nil
}

// Open reports whether everybody may do everything.
func (a Access) Open() bool { return len(a.users) == 0 }

// identify returns the user with the given key. It compares all keys, so that the time
// reveals nothing.
func (a Access) identify(key string) (found user, ok bool) {
	hash := sha256.Sum256([]byte(key))
	for _, u := range a.users {
		if subtle.ConstantTimeCompare(hash[:], u.key[:]) == 1 {
			found, ok = u, true
		}
	}
	return found, ok && key != ""
}

// may reports whether a role has a permission.
func (a Access) may(role string, p Permission) bool {
	kind, _, _ := strings.Cut(string(p), ":")
	return slices.ContainsFunc(a.roles[role], func(has string) bool { return has == string(p) || has == kind+":*" })
}

// refusals counts refused requests, and limits how many of them are recorded in the audit
// log, so that guessing keys cannot fill it.
type refusals struct {
	mu    sync.Mutex
	total int
	quiet int // since the last recorded one
	last  time.Time
}

const betweenRefusals = 10 * time.Second

// note counts a refusal. Since is the number of refusals since the last recorded one,
// including this one, or 0 if this one is not to be recorded.
func (r *refusals) note(now time.Time) (since int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total++
	r.quiet++
	if !r.last.IsZero() && now.Sub(r.last) < betweenRefusals {
		return 0
	}
	since, r.quiet, r.last = r.quiet, 0, now
	return since
}

func (r *refusals) all() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}
