package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/apiclient"
	"sendoff/workflows"
)

const (
	// quick is the scale where nothing but speed matters.
	quick        = 600
	aimSuspended = 1.5
)

// times are durations of one case each. Dispatched is from the answer to the start
// of the workflow, below zero where the dispatcher was faster than the answer.
type times struct{ suspended, readBack, dispatched, empty []time.Duration }

// latency measures how soon an accepted case has its account suspended, one case
// after the other, each beside an empty workflow of the same shape.
func (b *bench) latency(ctx context.Context) ([]figure, error) {
	in, err := b.install(ctx, place{name: "latency", scale: quick})
	if err != nil {
		return nil, err
	}
	defer in.close() //nolint:errcheck // killed processes; figures are taken
	if err := in.connect(ctx); err != nil {
		return nil, err
	}
	e, err := in.startEmpties(ctx)
	if err != nil {
		return nil, err
	}
	s, err := in.warmUp(ctx, e)
	if err != nil {
		return nil, err
	}
	var t times
	for i := range b.set.cases {
		p, err := in.hireLeaver("leaver", i, boxsim.ModeQuick)
		if err != nil {
			return nil, err
		}
		if _, err := in.suspendOne(ctx, e, p, &t); err != nil {
			return nil, err
		}
		empty, err := e.run(ctx, strconv.Itoa(i), s)
		if err != nil {
			return nil, err
		}
		t.empty = append(t.empty, empty)
	}
	return t.figures(s), nil
}

// warmUp runs one case, whose history tells the shape of what comes before the
// suspension, and one empty workflow: first runs pay for connections and caches.
func (in *installation) warmUp(ctx context.Context, e *empties) (shape, error) {
	p, err := in.hireLeaver("first", 0, boxsim.ModeQuick)
	if err != nil {
		return shape{}, err
	}
	c, err := in.suspendOne(ctx, e, p, &times{})
	if err != nil {
		return shape{}, err
	}
	caseEvents, err := history(ctx, e.client, workflows.OffboardingID(idOf[caseID](c.CaseID)))
	if err != nil {
		return shape{}, err
	}
	planEvents, err := history(ctx, e.client, workflows.DeprovisionID(idOf[planID](c.Accounts[0].PlanID)))
	if err != nil {
		return shape{}, err
	}
	s := shape{Parent: activitiesBefore(caseEvents, childStarted), Child: activitiesBefore(planEvents, scheduled("RevokeSessions"))}
	if s.Parent == 0 || s.Child == 0 {
		return s, fmt.Errorf("the histories have no steps before the suspension: %+v", s)
	}
	_, err = e.run(ctx, "first", s)
	return s, err
}

// suspendOne offboards somebody with the template suspend, notes how long that
// took, and waits until its workflow has ended, so that what comes next has the machine to itself.
func (in *installation) suspendOne(ctx context.Context, e *empties, p person, t *times) (apiclient.Case, error) {
	made, err := in.api.CreateCases(ctx, []apiclient.Request{{Email: p.login, Template: "suspend"}}, "", "api")
	if err != nil {
		return apiclient.Case{}, err
	}
	accepted := time.Now()
	c := made.Cases[0]
	err = await(ctx, patience, 10*time.Millisecond, "the case is done", func() (bool, error) {
		states, err := in.planStates(ctx)
		if err == nil && states["parked"] > 0 {
			err = in.parkedBecause(ctx)
		}
		open := 0
		for state, n := range states {
			if state != "done" {
				open += n
			}
		}
		return open == 0, err
	})
	if err != nil {
		return c, err
	}
	id := workflows.OffboardingID(idOf[caseID](c.CaseID))
	if err := e.client.GetWorkflow(ctx, id, "").Get(ctx, nil); err != nil {
		return c, err
	}
	events, err := history(ctx, e.client, id)
	if err != nil {
		return c, err
	}
	t.dispatched = append(t.dispatched, events[0].GetEventTime().AsTime().Sub(accepted))
	return c, t.add(in.sim.Requests(), p, accepted)
}

// add finds in the vendor's log when the suspension was answered, and when the
// first read after it was, which is the proof.
func (t *times) add(log []simkit.Record, p person, accepted time.Time) error {
	var put, read time.Time
	for _, r := range log {
		end := r.Time.Add(time.Duration(r.DurationMS) * time.Millisecond)
		switch {
		case r.Subject != p.id || r.Status != http.StatusOK:
		case r.Op == "users.update" && put.IsZero():
			put = end
		case r.Op == "users.get" && !put.IsZero() && read.IsZero():
			read = end
		}
	}
	if put.IsZero() || read.IsZero() {
		return fmt.Errorf("the vendor's log shows no suspension of a case that is done, or no read after it")
	}
	t.suspended = append(t.suspended, put.Sub(accepted))
	t.readBack = append(t.readBack, read.Sub(accepted))
	return nil
}

func (t *times) figures(s shape) []figure {
	for _, list := range [][]time.Duration{t.suspended, t.readBack, t.dispatched, t.empty} {
		slices.Sort(list)
	}
	at := func(list []time.Duration, p int, what string) value {
		return value{Number: millis(percentile(list, p)), Unit: "ms", What: what}
	}
	row := func(name string, p int, list []time.Duration, what string) figure {
		return figure{Name: name + " p" + strconv.Itoa(p), Ours: at(list, p, what)}.
			against(at(t.empty, p, fmt.Sprintf("an empty workflow, from the answer to its start to its last activity: %d activity, then a child with %d", s.Parent, s.Child)))
	}
	const suspended = "from the answer to POST /v1/cases to the vendor's answer to the suspension"
	const proven = "until the vendor's answer to the read that proves it"
	return []figure{
		row("accepted to suspended", 50, t.suspended, suspended).ratioAim(aimSuspended).
			note("%d cases and %d empty workflows, in turn", len(t.suspended), len(t.empty)).
			note("the case's workflow starts %s ms after the answer (median; below 0: before it)", number(millis(percentile(t.dispatched, 50)))),
		row("accepted to suspended", 95, t.suspended, suspended),
		row("accepted to proven", 50, t.readBack, proven),
		row("accepted to proven", 95, t.readBack, proven),
	}
}
