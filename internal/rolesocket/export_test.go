//go:build unix

package rolesocket

import (
	"net"
	"time"
)

// LetWait changes the timeouts of a listening socket; 0 keeps a timeout.
func (s *Socket) LetWait(ask, read, end time.Duration) {
	for of, d := range map[*time.Duration]time.Duration{&s.within.ask: ask, &s.within.read: read, &s.within.end: end} {
		if d > 0 {
			*of = d
		}
	}
}

// FailToAccept makes a listening socket fail to accept with an error, the given number
// of times.
func (s *Socket) FailToAccept(times int, err error) {
	accept := s.accept
	s.accept = func() (*net.UnixConn, error) {
		if times--; times >= 0 {
			return nil, err
		}
		return accept()
	}
}

// Places changes the maximum number of connections of a listening socket.
func (s *Socket) Places(n int) { s.places = n }

// ToldPerMinute is the number of a user's refusals that are logged per minute.
const ToldPerMinute = toldPerMin

// Begin counts a command of a user as if it was requested.
func (s *Socket) Begin(user int) (end func(), err error) { return s.begin(user) }
