package remote

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.org/bridge/internal/bridge"
)

// Bounds of the calls that are remembered: how many, and how long. Who repeats a call as it
// is told to does so at once; what is the same much later is another message.
const (
	maxUnsettled = 256
	unsettledFor = 10 * time.Minute
)

// onceKeys give calls an idempotency key whose agent gave none. A call that may have been
// stored keeps its key for the next one that is the same: the agent was told to repeat it.
type onceKeys struct {
	mu        sync.Mutex
	unsettled map[[sha256.Size]byte]unsettled
}

// unsettled is a call that may have been stored.
type unsettled struct {
	key   string
	since time.Time
}

// onceKey is the key of one call. Call settle with its error when it has ended.
type onceKey struct {
	of    *onceKeys
	sum   [sha256.Size]byte
	since time.Time
	// text is the key, and repeats reports that a call before had it.
	text    string
	repeats bool
}

// take returns the key for a call.
func (o *onceKeys) take(call ...any) *onceKey {
	text, _ := json.Marshal(call) // plain values always encode
	k := &onceKey{of: o, sum: sha256.Sum256(text), since: time.Now()}
	o.mu.Lock()
	defer o.mu.Unlock()
	earlier, ok := o.unsettled[k.sum]
	delete(o.unsettled, k.sum) // two that are the same at once are two
	if k.repeats = ok && time.Since(earlier.since) < unsettledFor; k.repeats {
		k.text, k.since = earlier.key, earlier.since
	} else {
		k.text = newKey()
	}
	return k
}

// settle returns the error of the call as its agent is to have it. A call that repeats
// another says nothing of that one unless it succeeds: both keep their key.
func (k *onceKey) settle(err error) error {
	unknown := errors.Is(err, bridge.ErrAnswerLost) || errors.Is(err, bridge.ErrOutcomeUnknown)
	switch {
	case err == nil:
		return nil
	case k.repeats && !unknown && !isContext(err):
		err = fmt.Errorf("%w: %w", bridge.ErrAnswerLost, err)
	case !unknown && !isContext(err):
		return err
	}
	k.of.keep(k.sum, unsettled{k.text, k.since})
	return err
}

func (o *onceKeys) keep(sum [sha256.Size]byte, u unsettled) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unsettled == nil {
		o.unsettled = map[[sha256.Size]byte]unsettled{}
	}
	o.unsettled[sum] = u
	for len(o.unsettled) > maxUnsettled {
		delete(o.unsettled, o.oldest())
	}
}

// oldest is the call that was made first. There must be one.
func (o *onceKeys) oldest() (sum [sha256.Size]byte) {
	var since time.Time
	for s, u := range o.unsettled {
		if since.IsZero() || u.since.Before(since) {
			sum, since = s, u.since
		}
	}
	return sum
}

func newKey() string {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	return "bridge-" + hex.EncodeToString(random)
}
