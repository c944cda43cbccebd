package bench

import (
	"math/rand/v2"
	"strings"
	"time"
)

// texts generates messages and pauses from a seed.
type texts struct{ random *rand.Rand }

// stream separates the random numbers of this package from those of others with the same
// seed.
const stream = 0x62656e6368 // "bench"

func newTexts(seed uint64) *texts {
	return &texts{rand.New(rand.NewPCG(seed, stream))} //nolint:gosec // what is measured is not a secret
}

var words = strings.Fields("the build is green please review which fields does users return " +
	"done with parser tests next lexer blocked on schema of orders see file for details")

// next returns a message of 5 to 60 words, similar to those of agents.
func (t *texts) next() string {
	var b strings.Builder
	for i := range 5 + t.random.IntN(56) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(words[t.random.IntN(len(words))])
	}
	return b.String()
}

// pause returns 5 to 20 ms, so that measurements hit other timers at all their phases.
func (t *texts) pause() time.Duration {
	return 5*time.Millisecond + t.within(15*time.Millisecond)
}

// within returns a random part of d.
func (t *texts) within(d time.Duration) time.Duration {
	return time.Duration(t.random.Int64N(int64(d)))
}
