package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"

	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/doctor"
)

// installer returns an installer that knows where the clients' configuration is.
func (a *app) installer() (agents.Installer, error) {
	place, err := a.place()
	return agents.Installer{Place: place, State: filepath.Join(xdg.StateHome, "bridge")}, err
}

func (a *app) place() (agents.Place, error) {
	if fault := homeFault(); fault != "" {
		return agents.Place{}, usagef("%s: set HOME", fault)
	}
	home, err := os.UserHomeDir()
	if err == nil {
		_, err = os.Stat(home)
	}
	if err != nil {
		return agents.Place{}, usagef("the home folder cannot be used: %s: set HOME to your own", reason(err))
	}
	dir, err := os.Getwd()
	if err != nil {
		return agents.Place{}, usagef("the current folder cannot be used: change to another")
	}
	return agents.Place{Home: home, Dir: dir, Getenv: a.env}, nil
}

// program returns the path under which a client should start this program. It is the
// path that was called: if that is a link that a package manager keeps pointing to the
// newest version, the link is better than its present target.
func (a *app) program() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if called, err := exec.LookPath(os.Args[0]); err == nil { //nolint:forbidigo // only written down: how this program was called
		if called, err = filepath.Abs(called); err == nil && doctor.SameFile(called, self) {
			self = called
		}
	}
	if strings.Contains(self, string(filepath.Separator)+"go-build") {
		return "", usagef("this program was started by `go run` and will be deleted: build it, and install the built program")
	}
	return self, nil
}
