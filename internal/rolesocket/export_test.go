//go:build unix

package rolesocket

import (
	"net"
	"time"
)

// LetWait changes how long others may let a socket wait that listens; 0 leaves it as it is.
func (s *Socket) LetWait(ask, read, end time.Duration) {
	for of, d := range map[*time.Duration]time.Duration{&s.within.ask: ask, &s.within.read: read, &s.within.end: end} {
		if d > 0 {
			*of = d
		}
	}
}

// FailToAccept lets a socket that listens fail to accept, so many times, with an error.
func (s *Socket) FailToAccept(times int, err error) {
	accept := s.accept
	s.accept = func() (*net.UnixConn, error) {
		if times--; times >= 0 {
			return nil, err
		}
		return accept()
	}
}

// Places changes how many connections a socket that listens has at once.
func (s *Socket) Places(n int) { s.places = n }

// ToldPerMinute is how many refusals of a user the log is told.
const ToldPerMinute = toldPerMin

// Begin counts a command of a user, as one that is asked for.
func (s *Socket) Begin(user int) (end func(), err error) { return s.begin(user) }
