package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/workflows"
)

const aimActions = 40

// actions counts what ordinary offboardings cost at Temporal: one whose transfer
// answers, and one whose call dies at the gateway while the job goes on for the
// five minutes the simulator gives it.
func (b *bench) actions(ctx context.Context) ([]figure, error) {
	in, err := b.install(ctx, place{name: "actions", scale: b.set.looks})
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
	// What six steps cost at the least: an activity each, one timer.
	if _, err := e.run(ctx, "least", shape{Parent: 1, Child: leaverSteps, Sleep: time.Millisecond}); err != nil {
		return nil, err
	}
	least := tally{}
	if err := least.read(ctx, e.client, "empty-case/least", "empty-plan/least"); err != nil {
		return nil, err
	}
	modes := []boxsim.Mode{boxsim.ModeQuick, boxsim.ModeGateway504}
	cases, err := in.offboardModes(ctx, modes)
	if err != nil {
		return nil, err
	}
	var figures []figure
	for i, mode := range modes {
		var t tally
		ids := []string{workflows.OffboardingID(idOf[caseID](cases[i].CaseID)), workflows.DeprovisionID(idOf[planID](cases[i].Accounts[0].PlanID))}
		if err := t.read(ctx, e.client, ids...); err != nil {
			return nil, err
		}
		figures = append(figures, t.figures(string(mode), least)...)
	}
	return figures, nil
}

// leaverSteps is how many of the steps of the template leaver do something; the
// wait is a timer.
const leaverSteps = 5

// offboardModes offboards one leaver for each mode, side by side.
func (in *installation) offboardModes(ctx context.Context, modes []boxsim.Mode) ([]apiclient.Case, error) {
	var requests []apiclient.Request
	for i, mode := range modes {
		leaver, err := in.hireLeaver("leaver", i, mode)
		if err != nil {
			return nil, err
		}
		receiver, err := in.hire("receiver", i)
		if err != nil {
			return nil, err
		}
		requests = append(requests, apiclient.Request{Email: leaver.login, Receivers: []string{receiver.login}, Grace: "10m"})
	}
	made, err := in.api.CreateCases(ctx, requests, "", "api")
	if err != nil {
		return nil, err
	}
	err = await(ctx, patience, 100*time.Millisecond, "the cases are done", func() (bool, error) {
		states, err := in.planStates(ctx)
		if err == nil && states["parked"] > 0 {
			err = in.parkedBecause(ctx)
		}
		return states["done"] == len(modes), err
	})
	return made.Cases, err
}

// read waits for the workflows to end and adds their histories.
func (t *tally) read(ctx context.Context, c client.Client, ids ...string) error {
	for _, id := range ids {
		if err := c.GetWorkflow(ctx, id, "").Get(ctx, nil); err != nil {
			return fmt.Errorf("workflow %s: %w", id, err)
		}
		events, err := history(ctx, c, id)
		if err != nil {
			return err
		}
		t.add(events)
	}
	return nil
}

func (t *tally) figures(mode string, least tally) []figure {
	count := func(n int, unit, what string) value { return value{Number: float64(n), Unit: unit, What: what} }
	tries := []string{}
	for _, name := range slices.Sorted(maps.Keys(t.tries)) {
		tries = append(tries, fmt.Sprintf("%s %d", name, t.tries[name]))
	}
	return []figure{
		figure{Name: "actions, " + mode, Ours: count(t.actions(), "actions", "of one offboarding with the template leaver")}.
			against(count(least.actions(), "actions", "an empty workflow with one activity for each step and one timer")).oursAim(aimActions).
			note("workflows started %d, children %d, activity tries %d, timers %d, signals %d, updates %d", t.Starts, t.Children, t.Activities, t.Timers, t.Signals, t.Updates).
			note("tries: %s", strings.Join(tries, ", ")),
		figure{Name: "history events, " + mode, Ours: count(t.Events, "events", "in both histories of it")}.
			against(count(least.Events, "events", "in both histories of the empty workflow")),
	}
}
