package gateway

// HoldLarge takes all the room for large bodies, when it is free.
func (g *Gateway) HoldLarge() {
	for range maxLarge {
		g.large <- struct{}{}
	}
}

// Calls is how many calls of a key are under way.
func (g *Gateway) Calls(id string) int {
	g.principals.mu.Lock()
	defer g.principals.mu.Unlock()
	if p := g.principals.all[id]; p != nil {
		return len(p.calls)
	}
	return 0
}
