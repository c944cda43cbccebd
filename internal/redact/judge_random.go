package redact

import "math/bits"

// pairCost holds, for each pair of neighbouring characters, the information
// content of the second after the first, in quarter bits above '0'. Rows and
// columns are the letters, ignoring case, and then any digit. It was counted over
// identifiers and prose of the Go sources. Words have 3 to 4 bits per pair,
// random text more than 5.
var pairCost = [27]string{
	`PD@APJCYFZJ;@<\C]<?;HIPKKYH`, // a
	`>IGL;MRW?BW<PS>IXCDN=SSP<W@`, // b
	`<OGN=MM=F[>BGQ9JXFG<FNVTP]D`, // c
	`@IG?7HMQ<STCJJ@ISAAGDMLKHXA`, // d
	`CM@?HEGRM]UBE=MGJ9<>QGHAL]I`, // e
	`>OLIB>MW;^\@EJ;L\CDE;VUYM\@`, // f
	`EMEO8KIB>\VDKA:JX@=FDPRWUSH`, // g
	`:TOL5RVU<[WNJR>PZFG@FUR\OXL`, // h
	`HMBDF?C^W]T>C7@G[E>>\I^K\IS`, // i
	`@MMJ:KMOFMHKIL;KPN7J=KKINOD`, // j
	`<JHI6I@L=TTJKDKHRI?GFOMVOVA`, // k
	`?PMA8HRR;[P=QN<K[NBBANRYCZN`, // l
	`9DLD7QST@^SHCL?<]PDCCRWYP\J`, // m
	`?R>>>E<V@XJJNJ@JYP?9GHV^L]P`, // n
	`GHBANBHYHYFB@:CA_:B@@GEU\_Q`, // o
	`:NHK9LRID^I@MQ=BX<C@BMTUJ^J`, // p
	`LKKJMMONLQPCFLNKJFGK2MLOOOB`, // q
	`?RFI8GET=_LKG@>N]>ABAKRZH_E`, // r
	`COCM9NMD>_JGJNCCRK@7CRKZCWM`, // s
	`?QFM:JS;=_XKKP@F\=BDASOMAXC`, // t
	`GFCL>FJZ?_[?C9OD[;?=WW]M_VE`, // u
	`7NJL6KOQ?XTLJPFFQNHJPMMIUVB`, // v
	`:LHJ=LM>9NVIKC?JU=CJONIQWWI`, // w
	`DECFCAZWJ__TQTRA]TPAVSSOSX3`, // x
	`IMHMFMORGXRC?AG6XE<;RLNRQGK`, // y
	`AMIM3NNNAQQMMPCLQIKNNMEKICD`, // z
	`HHHHHGXWT[XSRWWRZVQTWQY<[Y2`, // #
}

// charKinds gives the kind of each ASCII character: 0 other, 1 digit, 2 small
// letter, 3 capital, 4 a sign that occurs neither in words nor in names.
const charKinds = "00000000000000000000000000000000" +
	"04044440004400001111111111040400" +
	"43333333333333333333333333300040" +
	"02222222222222222222222222204040"

// kindOfChar returns the entry of charKinds for b. Bytes that are not ASCII count
// as signs.
func kindOfChar(b byte) byte {
	if b >= 0x80 {
		return 4
	}
	return charKinds[b] & 7
}

// symbol returns the index in pairCost of b, which has the given kind.
func symbol(b, kind byte) int {
	if kind == 1 {
		return 26
	}
	return int((b|0x20)-'a') % 27
}

// shape holds the statistics of a value: the counts of its kinds of characters,
// the changes between them, and how much its neighbouring characters differ from
// those in words.
type shape struct {
	n, digits, lowers, uppers, others int
	hex                               bool // only hex digits
	switches                          int  // changes between letter and digit, and between small letter and capital
	cost, pairs                       int  // the sum of pairCost over adjacent letters and digits, and the number of such pairs
	distinct                          int
	steps                             int // characters that are the successor of the previous one: abc, 123
	repeats                           int // characters that equal the previous one
	signs                             int // signs that occur neither in words nor in names
}

// maxLook limits how much of a value is judged, in bytes. Longer values are
// judged by their beginning.
const maxLook = 96

func shapeOf(s string) shape {
	if len(s) > maxLook {
		s = s[:maxLook]
	}
	var (
		sh     = shape{n: len(s), hex: true, distinct: distinct(s)}
		counts [8]int
		last   byte // the kind of the previous character
		prev   int  // and its symbol
	)
	for i := range len(s) {
		b := s[i]
		if i > 0 && b-s[i-1] <= 1 {
			if b == s[i-1] {
				sh.repeats++
			} else {
				sh.steps++
			}
		}
		kind := kindOfChar(b)
		counts[kind]++
		if kind == 0 || kind == 4 {
			last = 0
			sh.hex = false
			continue
		}
		cur := symbol(b, kind)
		sh.hex = sh.hex && (kind == 1 || cur < 6)
		if last != 0 {
			sh.cost += int(pairCost[prev][cur] - '0')
			sh.pairs++
			if kind != last {
				sh.switches++
			}
		}
		last, prev = kind, cur
	}
	sh.digits, sh.lowers, sh.uppers, sh.signs = counts[1], counts[2], counts[3], counts[4]
	sh.others = counts[0] + counts[4]
	return sh
}

// distinct counts the different bytes of s.
func distinct(s string) (n int) {
	var seen [4]uint64
	for i := range len(s) {
		seen[s[i]>>6] |= 1 << (s[i] & 63)
	}
	for _, w := range seen {
		n += bits.OnesCount64(w)
	}
	return n
}

// quarters returns the mean cost of a pair in quarter bits.
func (sh shape) quarters() int {
	if sh.pairs == 0 {
		return 0
	}
	return sh.cost / sh.pairs
}

// hexRun reports whether the value is hex with digits and letters mixed.
func (sh shape) hexRun() bool {
	return sh.hex && sh.n >= 16 && sh.digits >= 2 && sh.lowers+sh.uppers >= 2 && sh.switches*6 >= sh.n && sh.distinct >= 7
}

// random reports whether a value of this shape looks generated: mixed hex, or
// text whose neighbouring characters are mostly unlike those in words. The
// threshold is 19 quarters of a bit: 1 in 50 of the identifiers in the Go sources
// exceeds it, and 49 in 50 random texts of 20 characters do.
func (sh shape) random() bool {
	q := sh.quarters()
	switch {
	case sh.n < 8 || sh.distinct < 5 || sh.others*4 > sh.n || sh.lowers+sh.uppers == 0, sh.steps*2 > sh.n, sh.repeats*3 > sh.n:
		return false
	case sh.hex && sh.n >= 16:
		return sh.hexRun()
	case sh.n >= 16:
		return q >= 20 || q >= 17 && sh.digits >= 2 && sh.switches*4 >= sh.n
	case sh.n >= 11:
		return q >= 22 || q >= 19 && sh.digits >= 2
	}
	return q >= 23 && sh.digits > 0 && sh.switches >= 2
}

// words reports whether text of this shape consists of words, numbers and the
// signs that join them.
func (sh shape) words() bool {
	letters := sh.lowers + sh.uppers
	if sh.n < 4 || letters == 0 {
		return true
	}
	return sh.quarters() < 19 && (sh.digits <= 4 || sh.digits*3 <= letters) && !sh.hexRun() && sh.signs*12 <= sh.n
}

func looksRandom(s string) bool { return shapeOf(s).random() }
