//go:build !linux && !darwin

package storefile

import "errors"

// FreeSpace returns how many bytes this user can still store in dir. The error is
// errors.ErrUnsupported if the platform does not tell.
func FreeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }
