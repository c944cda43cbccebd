package local_test

import (
	"testing"

	"example.org/bridge/internal/harness/local"
)

func TestHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"": false, "0.0.0.0": false, "::": false, "localhost.example.org": false, "127.0.0.1.example.org": false, "10.0.0.1": false,
	} {
		if got := local.Host(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
