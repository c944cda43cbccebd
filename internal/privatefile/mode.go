package privatefile

import (
	"errors"
	"io/fs"
)

// ErrOpenToOthers reports a file or folder that other users could read or
// change, or that belongs to another user.
var ErrOpenToOthers = errors.New("not private")

// Permissions that Check can forbid.
const (
	// Closed forbids any access by others.
	Closed fs.FileMode = 0o077
	// Unchangeable forbids writing by others.
	Unchangeable fs.FileMode = 0o022
)
