// Package local tells whether a host is this machine. What crosses no wire needs no
// encryption, and what listens for this machine alone needs no keys.
package local

import (
	"net"
	"strings"
)

// Host reports whether a name or an IP address is that of the loopback interface.
func Host(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
