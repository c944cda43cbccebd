package privatefile

import (
	"errors"
	"io/fs"
)

// ErrOpenToOthers reports a file or folder that other users could read or
// change, or that belongs to another user.
var ErrOpenToOthers = errors.New("not private")

// Permissions that Check may forbid.
const (
	// Closed forbids others everything.
	Closed fs.FileMode = 0o077
	// Unchangeable forbids others to write.
	Unchangeable fs.FileMode = 0o022
)
