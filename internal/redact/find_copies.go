package redact

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// A value that is secret in one place is secret everywhere: copies finds the
// other places where a value occurs, as it is or in base64 or hex.

const (
	minCopy    = 8  // shorter values are not searched for
	minNearby  = 20 // minimum for values that only the words on their line identified
	copyKey    = 8  // length of the table's keys, in bytes
	maxSame    = 16 // values that may have the same first bytes
	maxEncodes = 64 // values whose encoded forms are searched for
)

type needle struct {
	text string
	kind string
	run  bool // hide the whole run around it, which is one encoded text
	next int  // 1 + the index of the previous needle with the same first bytes; 0 if none
}

// needles are values to search for, indexed by their first bytes.
type needles struct {
	all    []needle
	byHead map[uint64]int // 1 + the index of the last needle with these first bytes
	filter [1 << 8]uint64
}

// headOf returns the first copyKey bytes of s as a number.
func headOf(s string) uint64 {
	return binary.LittleEndian.Uint64([]byte(s[:copyKey]))
}

func (n *needles) add(x needle) {
	if len(x.text) < copyKey {
		return
	}
	head := headOf(x.text)
	x.next = n.byHead[head]
	same := 0
	for k := x.next; k > 0; k = n.all[k-1].next {
		if same++; same == maxSame || n.all[k-1].text == x.text {
			return
		}
	}
	n.all = append(n.all, x)
	n.byHead[head] = len(n.all)
	h := filterHash(x.text)
	n.filter[h>>6] |= 1 << (h & 63)
}

// filterHash maps four bytes to 14 bits.
func filterHash(s string) uint {
	v := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
	return uint(v * 0x9E3779B1 >> 18)
}

// copies returns spans, and the other places in text where their values occur.
func copies(spans []span, text string) []span {
	n := needles{byHead: make(map[uint64]int, len(spans))}
	for i, s := range spans {
		v := text[s.start:s.end]
		if s.rank == rankNear && len(v) < minNearby || s.rank == rankPEM || len(v) < minCopy || !hasMixture(v) || strings.ContainsAny(v, "\n") {
			continue
		}
		n.add(needle{text: v, kind: s.kind})
		if i < maxEncodes && len(v) <= 512 {
			n.addEncoded(v, s.kind)
		}
	}
	if len(n.all) == 0 {
		return spans
	}
	return n.search(spans, text)
}

// addEncoded adds the hex forms of v, and its base64 forms for each of the three
// positions that it can have in a group.
func (n *needles) addEncoded(v, kind string) {
	h := hex.EncodeToString([]byte(v))
	n.add(needle{text: h, kind: kind, run: true})
	n.add(needle{text: strings.ToUpper(h), kind: kind, run: true})
	for shift := range 3 {
		b := append(make([]byte, shift), v...)
		enc := base64.RawStdEncoding.EncodeToString(b)
		from := (shift*8 + 5) / 6
		to := len(b) * 8 / 6
		if to-from >= copyKey {
			n.add(needle{text: enc[from:to], kind: kind, run: true})
			n.add(needle{text: base64.RawURLEncoding.EncodeToString(b)[from:to], kind: kind, run: true})
		}
	}
}

// search returns spans, which are sorted, and the places in text outside them
// where needles occur.
func (n *needles) search(spans []span, text string) []span {
	known := spans
	for i := 0; i+copyKey <= len(text); {
		h := filterHash(text[i:])
		if n.filter[h>>6]>>(h&63)&1 == 0 {
			i++
			continue
		}
		s, next := n.at(text, i)
		for len(known) > 0 && known[0].start < i {
			known = known[1:]
		}
		if s.start < s.end && (len(known) == 0 || known[0].start != s.start || known[0].end != s.end) {
			spans = append(spans, s)
		}
		i = next
	}
	return spans
}

// at returns the place of the longest needle at i, or an empty one, and where to
// continue.
func (n *needles) at(text string, i int) (span, int) {
	best := needle{}
	for k := n.byHead[headOf(text[i:])]; k > 0; k = n.all[k-1].next {
		x := &n.all[k-1]
		if len(x.text) > len(best.text) && strings.HasPrefix(text[i:], x.text) && (x.run || apart(text, i, i+len(x.text))) {
			best = *x
		}
	}
	if best.text == "" {
		return span{}, i + 1
	}
	start, end := i, i+len(best.text)
	if best.run {
		for start > 0 && charsets[base64Run].has(text[start-1]) {
			start--
		}
		for end < len(text) && charsets[base64Run].has(text[end]) {
			end++
		}
		end = padding(text, end)
	}
	return span{start, end, best.kind, rankNear}, end
}

// apart reports whether a short value is a separate word and not a part of a
// longer one.
func apart(text string, start, end int) bool {
	if end-start >= 16 {
		return true
	}
	return (start == 0 || !isAlnum(text[start-1]) || !isAlnum(text[start])) && (end == len(text) || !isAlnum(text[end]) || !isAlnum(text[end-1]))
}
