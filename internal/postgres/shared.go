package postgres

import (
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// SQL implements sqlstore.Entry.
func (e *entry) SQL() sqlstore.Conn { return e.sql() }

// Op implements sqlstore.Entry.
func (e *entry) Op() bridge.Operation { return e.op }

// Now implements sqlstore.Entry.
func (e *entry) Now() time.Time { return e.now }

// Inbox implements sqlstore.Entry.
func (e *entry) Inbox() bridge.Inbox { return e.self }

// SeenAt implements sqlstore.Entry.
func (e *entry) SeenAt() time.Time { return e.proof.SeenAt }

// Charge implements sqlstore.Entry.
func (e *entry) Charge(charges []bridge.Charge) error { return e.charge(charges) }

// Many implements sqlstore.TaskEntry.
func (e *entry) Many() bool { return e.many() }
