package remote

import (
	"context"
	"errors"
	"slices"

	"example.org/bridge/internal/redact"
)

// hiding redacts the strings of one call.
type hiding struct {
	engine *redact.Engine
	kinds  []string
}

func (c *Conn) hide(texts ...*string) *hiding {
	h := &hiding{engine: c.o.Redactor}
	for _, text := range texts {
		*text = h.text(*text)
	}
	return h
}

func (h *hiding) text(text string) string {
	clean, kinds := h.engine.Redact(text)
	h.kinds = append(h.kinds, kinds...)
	return clean
}

// list redacts a copy and leaves the caller's list unchanged.
func (h *hiding) list(texts []string) []string {
	if texts == nil {
		return nil
	}
	clean := make([]string, len(texts))
	for i, text := range texts {
		clean[i] = h.text(text)
	}
	return clean
}

// found returns the kinds redacted here and at the gateway, sorted, without duplicates.
func (h *hiding) found(at []string) []string {
	if len(h.kinds) == 0 {
		return at
	}
	all := slices.Concat(at, h.kinds)
	slices.Sort(all)
	return slices.Compact(all)
}

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
