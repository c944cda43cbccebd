package postgres

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// record appends the operation to its chain of the audit log.
func (e *entry) record(outcome string) error {
	details, err := json.Marshal(e.Operation.Details)
	if err != nil {
		return err
	}
	name, head := e.held, e.head
	if name == "" || name != e.Operation.Conversation {
		if name, head, err = e.openChain(); err != nil {
			return err
		}
	}
	line, next := e.store.chain.Extend(name, head, audit.Entry{
		Time:         e.Operation.Now,
		Conversation: e.Operation.Conversation,
		Session:      e.Operation.Actor,
		Action:       e.Operation.Action,
		Outcome:      outcome,
		Details:      string(details),
	})
	cipher, err := e.cipher()
	if err != nil {
		return err
	}
	stored := cipher.Text(sqlstore.EntryPlace(line.Time, line.Conversation, line.Session, line.Action, line.Outcome), line.Details)
	e.later("INSERT INTO audit_log (chain, link, at, conversation, session, action, outcome, details, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		line.Chain, line.Link, line.Time, line.Conversation, line.Session, line.Action, line.Outcome, stored, line.MAC)
	e.later("UPDATE audit_chains SET link = $2, mac = $3, seal = $4, unsealed = true WHERE chain = $1", name, next.Seq, next.MAC, next.Seal)
	e.keepUsage()
	e.keepClock()
	return nil
}

// newChain begins the chain of a new conversation.
func (e *entry) newChain(conversation string) {
	e.head = e.store.chain.ChainHead(conversation)
	e.held = conversation
	e.later("INSERT INTO audit_chains (chain, link, mac, seal, unsealed) VALUES ($1, 0, '', $2, false)", conversation, e.head.Seal)
}

// openChains is the number of chains for calls that belong to no conversation.
const openChains = 16

// openChain locks the chain for an operation that belongs to no conversation, or to one
// that it has not locked.
func (e *entry) openChain() (name string, head audit.Head, err error) {
	name = "operator"
	if e.Operation.Actor != bridge.Operator {
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(e.Operation.Conversation))
		name = fmt.Sprintf("open/%d", hash.Sum32()%openChains)
	}
	if err := e.lockChain(name, &head); err != nil {
		return "", audit.Head{}, err
	}
	return name, head, nil
}

func (e *entry) lockChain(name string, head *audit.Head) error {
	e.later("INSERT INTO audit_chains (chain, link, mac, seal, unsealed) VALUES ($1, 0, '', $2, false) ON CONFLICT DO NOTHING",
		name, e.store.chain.ChainHead(name).Seal)
	return e.get("SELECT link, mac FROM audit_chains WHERE chain = $1 FOR UPDATE", []any{name}, &head.Seq, &head.MAC)
}

// clockStep is how far the store's clock may be behind the latest operation. It spares
// most operations an update of the single row that holds the clock.
const clockStep = time.Second

// keepClock stores the store's time if it has changed enough.
func (e *entry) keepClock() {
	kept, _ := e.state.clock.Tick(e.Operation.Now)
	if kept.Latest.Sub(e.state.clock.Latest) < clockStep && kept.Slow.Equal(e.state.clock.Slow) {
		return
	}
	e.later("UPDATE store_state SET latest = greatest(latest, $1), slow = $2", kept.Latest, kept.Slow)
}
