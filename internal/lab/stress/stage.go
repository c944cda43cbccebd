package stress

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"example.org/bridge/internal/lab/rig"
)

// stage is where a run takes place: a store, and the machines of its agents. Without
// gateways all agents are on the machine of the store. With gateways each agent has a
// separate machine that only connects, and shares no file with another.
type stage struct {
	*rig.Place
	gateways []*rig.Gateway
	machines int
	enter    string
}

// newStage creates the store according to the options, and starts its gateways.
func newStage(ctx context.Context, o Options, settings ...string) (_ *stage, err error) {
	s := &stage{}
	if o.DSN != "" {
		s.Place, err = rig.NewServerPlace(ctx, o.Dir, o.Program, o.DSN, settings...)
	} else {
		s.Place, err = rig.NewPlace(o.Dir, o.Program, settings...)
	}
	if err != nil {
		return nil, err
	}
	s.Host, s.enter = o.Host, o.Enter
	for range o.Gateways {
		g, err := s.StartGateway(ctx)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.gateways = append(s.gateways, g)
	}
	return s, nil
}

// machine returns the machine for the next agent, and the number of its gateway.
func (s *stage) machine(ctx context.Context) (*rig.Place, int, error) {
	if len(s.gateways) == 0 {
		return s.Place, 0, nil
	}
	n := s.machines
	s.machines++
	gateway := n % len(s.gateways)
	var enter []string
	if s.enter != "" {
		enter = []string{s.enter, strconv.Itoa(n + 1)}
	}
	p, err := s.Behind(ctx, s.gateways[gateway], fmt.Sprintf("machine-%d", n+1), enter...)
	return p, gateway, err
}

// machineOfGateway describes the machine as a report shows it.
func (s *stage) describe(ctx context.Context, version string) rig.Machine {
	m := rig.ReadMachine(ctx, s.Dir, version)
	if s.onServer() {
		m.FileSystem = "postgres"
	}
	return m
}

// onServer reports whether the store is in a database.
func (s *stage) onServer() bool { return rig.IsServer(s.DB) }

// close ends the gateways and removes the place.
func (s *stage) close() error {
	var errs []error
	for _, g := range s.gateways {
		_, err := g.Stop()
		errs = append(errs, err)
	}
	s.gateways = nil
	return errors.Join(append(errs, s.Close())...)
}
