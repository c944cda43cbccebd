package redact

import "sync"

// index finds, by its first two characters, what may begin at a position. It
// depends on the tables only, is built on the first use of the package and
// then shared.
type index struct {
	heads [1 << 10]uint64 // one bit for each pair of bytes
	first [257]uint16     // formats that begin with byte b: first[b] to first[b+1]
}

var builtinIndex = sync.OnceValue(newIndex)

func newIndex() *index {
	ix := new(index)
	r := 0
	for b := range 256 {
		ix.first[b] = uint16(r)
		for r < len(formats) && int(formats[r].prefix[0]) == b {
			ix.add(formats[r].prefix[0], formats[r].prefix[1])
			r++
		}
	}
	ix.first[256] = uint16(r)
	for _, k := range keywords {
		a, b := k.text[0], k.text[1]
		ix.add(a, b)
		ix.add(a-0x20, b)
		ix.add(a-0x20, b-0x20)
		ix.add(a, b-0x20)
	}
	for _, h := range structureHeads {
		ix.add(h[0], h[1])
	}
	for _, a := range []byte(anyAfter) {
		for b := byte('0'); b <= 'z'; b++ {
			if isAlnum(b) {
				ix.add(a, b)
			}
		}
	}
	return ix
}

func (ix *index) add(a, b byte) {
	pair := uint(a)<<8 | uint(b)
	ix.heads[pair>>6] |= 1 << (pair & 63)
}

func (ix *index) has(a, b byte) bool {
	pair := uint(a)<<8 | uint(b)
	return ix.heads[pair>>6]>>(pair&63)&1 != 0
}

func (ix *index) formatRange(b byte) (lo, hi int) {
	return int(ix.first[b]), int(ix.first[int(b)+1])
}
