// Package local determines whether a host is this machine. Connections within the machine
// need no encryption, and servers that only this machine can reach need no keys.
package local

import (
	"net"
	"strings"
)

// Host reports whether a host name or IP address belongs to the loopback interface.
func Host(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
