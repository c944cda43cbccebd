package doorbell

import (
	"os"
	"path/filepath"
	"strconv"
)

// maxAddress is the maximum length of the path in a sockaddr_un on Linux,
// without the final NUL.
const maxAddress = 107

// shortAddress returns a path to the socket that fits into a socket address. A
// long path is replaced by one through the open folder's entry in /proc; call
// release after use.
func shortAddress(folder, name string) (address string, release func(), err error) {
	path := filepath.Join(folder, name)
	if len(path) <= maxAddress {
		return path, func() {}, nil
	}
	dir, err := os.Open(folder)
	if err != nil {
		return "", nil, err
	}
	address = filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), name)
	return address, func() { _ = dir.Close() }, nil
}
