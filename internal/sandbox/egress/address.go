package egress

import (
	"errors"
	"net"
	"net/netip"
	"slices"
)

// special are the address blocks that are not part of the public network, in
// addition to those that net/netip recognises (RFC 6890 and IANA's
// special-purpose address registries). Blocks that embed an IPv4 address are
// included, since the embedded address could be private.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this network
	netip.MustParsePrefix("100.64.0.0/10"),    // carrier-grade NAT, and metadata services
	netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments, and metadata services
	netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),      // reserved, broadcast
	netip.MustParsePrefix("168.63.129.16/32"), // the metadata service of Azure
	netip.MustParsePrefix("::/96"),            // IPv4 inside (deprecated)
	netip.MustParsePrefix("64:ff9b::/96"),     // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"),   // NAT64, local
	netip.MustParsePrefix("100::/64"),         // discarded
	netip.MustParsePrefix("2001::/32"),        // Teredo: IPv4 inside
	netip.MustParsePrefix("2002::/16"),        // 6to4: IPv4 inside
	netip.MustParsePrefix("5f00::/16"),        // segment routing
	netip.MustParsePrefix("fec0::/10"),        // site-local (deprecated)
}

// public reports whether an address belongs to the public network.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

// reachable returns the addresses that a command may reach: public ones that are
// not this machine's own.
func reachable(resolved []netip.Addr) ([]netip.Addr, error) {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var usable []netip.Addr
	for _, a := range resolved {
		a = a.Unmap()
		if public(a) && !slices.ContainsFunc(own, func(o net.Addr) bool { return isAddress(o, a) }) {
			usable = append(usable, a)
		}
	}
	if len(usable) == 0 {
		return nil, errors.New("its name has no public address (private, loopback and this machine's own addresses are refused)")
	}
	return usable, nil
}

func isAddress(own net.Addr, a netip.Addr) bool {
	p, err := netip.ParsePrefix(own.String())
	return err == nil && p.Addr().Unmap() == a
}
