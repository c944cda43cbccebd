package wire

import (
	"context"
	"encoding/json"
	"fmt"

	"example.org/bridge/internal/harness/finding"
)

const (
	maxPages = 200
	maxItems = 10_000
)

// List reads all pages of a list such as tools/list, whose items are in the member key.
// Items are returned as received. A list that violates the protocol is a finding; the items
// that could be read are returned. The error is one of those of [Conn.Call], or the
// server's.
func (c *Conn) List(ctx context.Context, method, key string) (items []json.RawMessage, err error) {
	cursor, seen := "", map[string]bool{}
	for range maxPages {
		params := map[string]any{}
		if cursor != "" {
			params["cursor"] = cursor
		}
		reply, err := c.Call(ctx, method, params)
		if err != nil {
			return items, err
		}
		if reply.Error != nil {
			return items, reply.Error
		}
		page, next, ok := readPage(reply.Result, key)
		if !ok {
			c.ledger.add(finding.BadList, fmt.Sprintf("the result of %s must have an array in %s, and a string as nextCursor", method, key))
			return items, nil
		}
		items = append(items, page...)
		switch {
		case next == "":
			return items, nil
		case seen[next] || len(items) > maxItems:
			c.ledger.add(finding.BadList, fmt.Sprintf("the pages of %s do not end: a cursor was repeated, or there are more than %d items", method, maxItems))
			return items, nil
		}
		cursor, seen[next] = next, true
	}
	c.ledger.add(finding.BadList, fmt.Sprintf("%s has more than %d pages", method, maxPages))
	return items, nil
}

func readPage(result json.RawMessage, key string) (items []json.RawMessage, next string, ok bool) {
	var page map[string]json.RawMessage
	if json.Unmarshal(result, &page) != nil || page[key] == nil || page[key][0] != '[' {
		return nil, "", false
	}
	if raw := page["nextCursor"]; raw != nil && json.Unmarshal(raw, &next) != nil {
		return nil, "", false
	}
	ok = json.Unmarshal(page[key], &items) == nil
	return items, next, ok
}
