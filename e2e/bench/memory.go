package main

import (
	"context"
	"time"
)

// resting is what server, worker and a bare process of the same program hold in
// memory while nothing happens, in MiB.
type resting struct{ server, worker, bare float64 }

// idle lets server and worker do nothing for a while and reads their memory. Its
// baseline is the program serving an empty simulator: the binary, its runtime and
// a listener.
func (in *installation) idle(ctx context.Context) (r resting, err error) {
	bare, err := in.spawn("sim", "box", "--users", "1")
	if err != nil {
		return r, err
	}
	defer bare.Kill()
	select {
	case <-time.After(in.b.set.idle):
	case <-ctx.Done():
		return r, ctx.Err()
	}
	if r.server, err = in.server.memory("VmRSS"); err != nil {
		return r, err
	}
	if r.worker, err = in.worker.memory("VmRSS"); err != nil {
		return r, err
	}
	r.bare, err = bare.memory("VmRSS")
	return r, err
}

// peaks are the figures of memory after the load.
func (in *installation) peaks(r resting) ([]figure, error) {
	server, err := in.server.memory("VmHWM")
	if err != nil {
		return nil, err
	}
	worker, err := in.worker.memory("VmHWM")
	if err != nil {
		return nil, err
	}
	mib := func(n float64, what string) value { return value{Number: n, Unit: "MiB", What: what} }
	return []figure{
		figure{Name: "peak memory, server", Ours: mib(server, "VmHWM of its process after the leavers")}.
			against(mib(r.server, "the same process before, idle")).oursAim(aimPeak),
		figure{Name: "peak memory, worker", Ours: mib(worker, "VmHWM of its process after the leavers")}.
			against(mib(r.worker, "the same process before, idle")).oursAim(aimPeak),
		figure{Name: "idle memory, both", Ours: mib(r.server+r.worker, "VmRSS of server and worker that did nothing yet")}.
			against(mib(2*r.bare, "twice the same program serving an empty simulator")).oursAim(aimIdle).
			note("server %s MiB, worker %s MiB", number(r.server), number(r.worker)),
	}, nil
}
