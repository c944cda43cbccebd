package remote

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/lazyregexp"
)

// Join holds what a machine needs to use a gateway: its address, the pin that authenticates
// it, and the key that authenticates the machine. The written form, brg1:HOST:PORT:PIN:KEY,
// is a secret.
type Join struct {
	// Address is a host and a port. An IPv6 address is in brackets.
	Address string
	// Pin is the hash of the public key of the store's authority (operation.PinOf).
	Pin string
	// Key is the access key.
	Key string
}

const joinPrefix = "brg1:"

var pinForm = lazyregexp.New(`^[0-9a-f]{64}$`)

// ErrJoin reports text that is not a join string.
var ErrJoin = errors.New("not a join string: it must be one line, brg1:HOST:PORT:PIN:KEY, as `bridge access add --gateway` prints it")

// ParseJoin reads the written form. The error is ErrJoin and never contains the text.
func ParseJoin(text string) (Join, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), joinPrefix)
	parts := strings.Split(rest, ":")
	if !ok || len(parts) < 4 {
		return Join{}, ErrJoin
	}
	last := len(parts) - 1
	j := Join{Address: strings.Join(parts[:last-1], ":"), Pin: parts[last-1], Key: parts[last]}
	if CheckAddress(j.Address) != nil || !pinForm().MatchString(j.Pin) || access.ID(j.Key) == "" {
		return Join{}, ErrJoin
	}
	return j, nil
}

// String returns the written form, which contains the access key.
func (j Join) String() string { return joinPrefix + j.Address + ":" + j.Pin + ":" + j.Key }

var errAddress = errors.New("must be HOST:PORT, such as bridge.example:8443 or [2001:db8::1]:8443")

// CheckAddress returns an error unless address is a host and a port.
func CheckAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return errAddress
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errAddress
	}
	if at, err := url.Parse("https://" + address); err != nil || at.Host != address || at.User != nil {
		return errAddress
	}
	return nil
}
