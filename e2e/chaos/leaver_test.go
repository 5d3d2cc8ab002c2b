package chaos_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/schema"
)

// person is somebody with an account in the simulated company.
type person struct{ id, login string }

// leaver is one run: somebody who is offboarded, and what befalls them.
type leaver struct {
	run      int // number of the run in the covering array
	recipe   recipe
	name     string
	source   person
	receiver person
	gate     *gate

	mu      sync.Mutex
	spoilt  bool
	held    bool
	ended   bool
	caseID  string
	planID  string
	parked  []string // causes, in order
	problem string   // what went wrong with the run
}

// spoil has the recipe's fault befall the next call of its operation.
func (l *leaver) spoil() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spoilt || l.recipe.fault() == faultNone {
		return
	}
	l.spoilt = true
	if err := l.gate.pipe.Faults.Add(spoil(l.recipe.fault(), l.recipe.op(), l.name, len(l.gate.of(l, l.recipe.op()))+1)); err != nil {
		l.problem = err.Error()
	}
}

// arrive tells whether the leaver is to be held: it is at its recipe's point for
// the first time.
func (l *leaver) arrive(point string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held || l.recipe.point() != point {
		return false
	}
	l.held = true
	return true
}

// heldOrEnded tells whether nothing more is to be waited for before the kill.
func (l *leaver) heldOrEnded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held || l.ended
}

// wasHeld tells whether the leaver came to its point.
func (l *leaver) wasHeld() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

func (l *leaver) wrong(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.problem == "" {
		l.problem = fmt.Sprintf(format, args...)
	}
}

// mostParks is how often a leaver may need an operator before it is called stuck.
const mostParks = 5

// sendOff has the leaver offboarded and does what an operator would, until the
// plan has ended or ctx does.
func (l *leaver) sendOff(ctx context.Context, w *wave) {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended = true
	}()
	if l.caseID = l.create(ctx, w); l.caseID == "" {
		l.wrong("no case could be made: %v", context.Cause(ctx))
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last := "not seen yet"; ; {
		select {
		case <-ctx.Done():
			l.wrong("the plan did not end: it is %s", last)
			return
		case <-tick.C:
		}
		c, err := l.look(ctx, w)
		if err != nil {
			continue // the server, or its database, is down
		}
		if len(c.Accounts) != 1 {
			l.wrong("the case has %d accounts", len(c.Accounts))
			return
		}
		l.planID, last = c.Accounts[0].PlanID, c.State+" at step "+c.Accounts[0].Step
		switch c.State {
		case string(schema.PlanDone):
			return
		case string(schema.PlanParked):
			if !l.mend(ctx, w, c) {
				return
			}
		case string(schema.PlanCancelled), string(schema.PlanSuperseded):
			l.wrong("the plan is %s and nobody asked for that", c.State)
			return
		}
	}
}

const (
	lookEvery = 150 * time.Millisecond
	// answerWithin bounds a call of our API; the one that makes a case may be held.
	answerWithin = 10 * time.Second
)

func (l *leaver) look(ctx context.Context, w *wave) (apiclient.Case, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return w.api.Case(ctx, l.caseID)
}

// create asks for the case until there is one, and returns its id. An answer
// that was lost may have made it.
func (l *leaver) create(ctx context.Context, w *wave) string {
	for ctx.Err() == nil {
		created, err := w.api.CreateCases(ctx, []apiclient.Request{{
			Email: l.source.login, Receivers: []string{l.receiver.login}, Grace: "10m", Template: templateName,
		}}, "", "api")
		if err == nil && len(created.Cases) == 1 {
			return created.Cases[0].CaseID
		}
		if page, err := w.api.Cases(ctx, "", l.source.login, "", 2); err == nil && len(page.Cases) > 0 {
			if len(page.Cases) > 1 {
				l.wrong("%d cases were made", len(page.Cases))
			}
			return page.Cases[0].CaseID
		}
		pause(ctx, lookEvery)
	}
	return ""
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// mend does what the cause's fix says, and resumes. It tells whether there is
// more to wait for.
func (l *leaver) mend(ctx context.Context, w *wave, c apiclient.Case) bool {
	cause := c.Accounts[0].Cause
	l.mu.Lock()
	l.parked = append(l.parked, cause)
	parked := len(l.parked)
	l.mu.Unlock()
	if !l.recipe.mayPark()[cause] {
		l.wrong("parked for %s, which the recipe does not explain: %s", cause, c.Accounts[0].CauseDetail.Message)
		return false
	}
	if parked > mostParks {
		l.wrong("parked %d times: %s", parked, strings.Join(l.parked, ", "))
		return false
	}
	if err := w.sim.SetTransferMode(l.source.id, boxsim.ModeQuick, 0); err != nil {
		l.wrong("%v", err)
	}
	if cause == string(schema.ParkTransferStalled) && w.sim.EndJobs(l.source.id, true) == 0 {
		if err := w.moveByHand(ctx, l); err != nil {
			l.wrong("the content could not be moved by hand: %v", err)
		}
	}
	for ctx.Err() == nil {
		soon, cancel := context.WithTimeout(ctx, answerWithin)
		_, err := w.api.Resume(soon, l.caseID, "mended at the vendor")
		cancel()
		if err == nil {
			return true
		}
		if now, err := l.look(ctx, w); err == nil && now.State != string(schema.PlanParked) {
			return true // the answer to the resume was lost
		}
		pause(ctx, lookEvery)
	}
	return true
}
