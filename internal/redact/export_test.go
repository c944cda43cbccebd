package redact

// Span is a secret that was found, for tests that count.
type Span struct {
	Start, End int
	Kind       string
}

// Spans returns the secrets that the first round finds.
func (e *Engine) Spans(text string) []Span {
	var out []Span
	for _, s := range e.find(text, 0) {
		out = append(out, Span{s.start, s.end, s.kind})
	}
	return out
}

// Row is a token format, for tests that generate examples.
type Row struct {
	Prefix, Alphabet       string
	Min, Max               int
	LeftEdge, Random, UUID bool
}

// Formats returns the table of formats.
func Formats() []Row {
	var out []Row
	for _, f := range formats {
		r := Row{
			Prefix: f.prefix, Min: f.min, Max: f.max,
			LeftEdge: f.cond&leftEdge != 0, Random: f.cond&mustBeRandom != 0, UUID: f.cond&mustBeUUID != 0,
		}
		for b := byte('!'); b < 0x7F; b++ {
			if f.body.set().has(b) {
				r.Alphabet += string(b)
			}
		}
		out = append(out, r)
	}
	return out
}

// Generated reports whether a format's body that must look random does.
func Generated(s string) bool { return looksRandom(s) }

// PhraseWords returns the words of recovery phrases.
func PhraseWords() []string { return phraseWords() }

// Rounds returns how many rounds find something in a text.
func (e *Engine) Rounds(text string) int {
	for round := range maxRounds {
		spans := e.search(text, round)
		if len(spans) == 0 {
			return round
		}
		text = replace(text, widen(spans, text, round))
	}
	return maxRounds
}

// WideningRound is the first round that hides more than it found.
const WideningRound = wideningRound
