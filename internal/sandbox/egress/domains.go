// Package egress is a proxy through which a command without a network reaches a
// few domains, and nothing else. It speaks the CONNECT method of HTTP (RFC 9110,
// section 9.3.6), resolves the names itself, and connects to public addresses
// only.
package egress

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Limits of a list of domains.
const (
	MaxDomains   = 50
	maxName      = 253 // RFC 1035, section 2.3.4, without the last dot
	maxLabel     = 63
	defaultPort  = 443
	wildcardMark = "*."
)

// Domains are the names that may be reached, in the form that [ParseDomains]
// returns: "example.org", "*.example.org" for all names below it, or either with
// ":port". The default port is 443.
type Domains []string

// ParseDomains checks a list and returns it in lower case, sorted and without
// duplicates, or nil if it is empty. Addresses are refused, because a human can
// read and judge only names.
func ParseDomains(entries []string) (Domains, error) {
	if len(entries) > MaxDomains {
		return nil, fmt.Errorf("there are %d domains, at most %d are allowed", len(entries), MaxDomains)
	}
	var list Domains
	for i, entry := range entries {
		d, err := parseDomain(entry)
		if err != nil {
			return nil, fmt.Errorf("domain %d: %w", i+1, err)
		}
		list = append(list, d)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

func parseDomain(entry string) (string, error) {
	name, port, hasPort := strings.Cut(strings.ToLower(entry), ":")
	name = strings.TrimSuffix(name, ".")
	if err := checkName(strings.TrimPrefix(name, wildcardMark)); err != nil {
		return "", err
	}
	if !hasPort {
		return name, nil
	}
	n, err := parsePort(port)
	if err != nil {
		return "", err
	}
	if n == defaultPort {
		return name, nil
	}
	return name + ":" + strconv.Itoa(n), nil
}

func parsePort(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, errors.New("the port must be a number from 1 to 65535")
	}
	return int(n), nil
}

// checkName checks a host name of two labels or more (RFC 1123, section 2.1). A
// last label that consists of digits would make it an address.
func checkName(name string) error {
	labels := strings.Split(name, ".")
	if len(name) > maxName || len(labels) < 2 {
		return errors.New("it must be a name with a dot, such as example.org or *.example.org")
	}
	for _, label := range labels {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return errors.New("it is not a host name")
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return errors.New("a name has letters of ASCII, digits and hyphens; write others in their xn-- form")
			}
		}
	}
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" || strings.HasPrefix(labels[len(labels)-1], "0x") {
		return errors.New("it must be a name, not an address")
	}
	return nil
}

// allow reports whether the list contains a name and port.
func (d Domains) allow(name string, port int) bool {
	for _, entry := range d {
		host, text, hasPort := strings.Cut(entry, ":")
		want := defaultPort
		if hasPort {
			want, _ = strconv.Atoi(text) // the list has been parsed before
		}
		if port != want {
			continue
		}
		if rest, wild := strings.CutPrefix(host, "*"); wild && strings.HasSuffix(name, rest) || host == name {
			return true
		}
	}
	return false
}

// target splits the target of a request into host and port.
func target(authority string) (name string, port int, err error) {
	host, text, err := net.SplitHostPort(authority)
	if err != nil {
		return "", 0, errors.New("the address must be NAME:PORT")
	}
	if port, err = parsePort(text); err != nil {
		return "", 0, err
	}
	name = strings.TrimSuffix(strings.ToLower(host), ".")
	return name, port, checkName(name)
}
