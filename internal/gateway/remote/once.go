package remote

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"

	"example.org/bridge/internal/bridge"
)

// maxUnsettled bounds the calls that are remembered.
const maxUnsettled = 256

// onceKeys give calls an idempotency key whose agent gave none. A call that may have been
// stored keeps its key for the next one that is the same: the agent was told to repeat it.
type onceKeys struct {
	mu        sync.Mutex
	unsettled map[[sha256.Size]byte]string
}

// take returns the key for a call, and what settles it.
func (o *onceKeys) take(call ...any) (key string, settle func(err error)) {
	text, _ := json.Marshal(call) // plain values always encode
	sum := sha256.Sum256(text)
	o.mu.Lock()
	defer o.mu.Unlock()
	key, ok := o.unsettled[sum]
	if ok {
		delete(o.unsettled, sum) // two that are the same at once are two
	} else {
		key = newKey()
	}
	return key, func(err error) {
		if errors.Is(err, bridge.ErrAnswerLost) || errors.Is(err, bridge.ErrOutcomeUnknown) || isContext(err) {
			o.keep(sum, key)
		}
	}
}

func (o *onceKeys) keep(sum [sha256.Size]byte, key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unsettled == nil {
		o.unsettled = map[[sha256.Size]byte]string{}
	}
	if len(o.unsettled) < maxUnsettled {
		o.unsettled[sum] = key
	}
}

func newKey() string {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	return "bridge-" + hex.EncodeToString(random)
}
