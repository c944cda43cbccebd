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

// Limits of the remembered calls: their number, and for how long. An agent that repeats a
// call as told does so immediately; the same call much later is a new message.
const (
	maxUnsettled = 256
	unsettledFor = 10 * time.Minute
)

// onceKeys gives an idempotency key to calls whose agent gave none. A call that may have
// been stored keeps its key for the next identical call, because the agent was told to
// repeat it.
type onceKeys struct {
	mu        sync.Mutex
	unsettled map[[sha256.Size]byte]unsettled
}

// unsettled is a call that may have been stored.
type unsettled struct {
	key   string
	since time.Time
}

// onceKey is the key of one call. Call settle with the call's error when it has ended.
type onceKey struct {
	of    *onceKeys
	sum   [sha256.Size]byte
	since time.Time
	// text is the key. repeats is set if an earlier call had the same key.
	text    string
	repeats bool
}

// take returns the key for a call.
func (o *onceKeys) take(call ...any) *onceKey {
	text, _ := json.Marshal(call) // plain values can always be encoded
	k := &onceKey{of: o, sum: sha256.Sum256(text), since: time.Now()}
	o.mu.Lock()
	defer o.mu.Unlock()
	earlier, ok := o.unsettled[k.sum]
	delete(o.unsettled, k.sum) // identical concurrent calls are different messages
	if k.repeats = ok && time.Since(earlier.since) < unsettledFor; k.repeats {
		k.text, k.since = earlier.key, earlier.since
	} else {
		k.text = newKey()
	}
	return k
}

// settle returns the error of the call for the agent. Unless it succeeds, a call that
// repeats another proves nothing about the earlier one, so both keep the key.
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

// oldest returns the earliest remembered call. There must be one.
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
