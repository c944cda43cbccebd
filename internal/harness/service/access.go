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

// Permission is something that a user may do.
type Permission string

// Permissions. A role may also have all of one kind, such as test:*.
const (
	TestRun      Permission = "test:run"
	TestView     Permission = "test:view"
	ReportView   Permission = "report:view"
	ConfigView   Permission = "config:view"
	BaselineView Permission = "baseline:view"
)

var permissions = []Permission{TestRun, TestView, ReportView, ConfigView, BaselineView}

// known reports a permission, or all of one kind.
func known(name string) bool {
	kind, wild := strings.CutSuffix(name, ":*")
	return slices.ContainsFunc(permissions, func(p Permission) bool {
		return string(p) == name || wild && strings.HasPrefix(string(p), kind+":")
	})
}

// Access is who may do what. Without users everybody may do everything: that is for a
// service which only this machine can reach.
type Access struct {
	users []user
	roles map[string][]string
}

type user struct {
	name, role string
	key        [sha256.Size]byte // the hash of the key
}

// accessFile is the form of the file.
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

// readYAML reads a file of settings. No error shows a part of it.
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
		return fmt.Errorf("%s is not YAML with the keys that docs/harness.md has", path)
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
			return Access{}, fmt.Errorf("%s: each role needs a name of its own", path)
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
		return Access{}, fmt.Errorf("%s has no users: nobody could ask anything", path)
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

// username is a name that log and figures can hold as it is.
var username = lazyregexp.New(`^[A-Za-z0-9._-]{1,64}$`)

func (a Access) user(name, role, hash string) (u user, err error) {
	if !username().MatchString(name) || slices.ContainsFunc(a.users, func(u user) bool { return u.name == name }) {
		return u, errors.New("each user needs a username of its own, of letters, digits and ._-")
	}
	if _, ok := a.roles[role]; !ok {
		return u, fmt.Errorf("the user %s has the role %q, which there is not", name, role)
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

// Open reports that everybody may do everything.
func (a Access) Open() bool { return len(a.users) == 0 }

// identify finds the user of a key. All are compared, so that the time tells nothing.
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

// refusals counts refused requests, and says which of them go into the audit log: whoever
// guesses keys must not fill it.
type refusals struct {
	mu    sync.Mutex
	total int
	quiet int // since the last that was recorded
	last  time.Time
}

const betweenRefusals = 10 * time.Second

// note counts one. Since is how many there were since the last record, this one included;
// 0 where it is not to be recorded.
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
