package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/schema"
	"sendoff/workflows"
)

// eventually waits for a condition, asked ten times a second.
func (s *stack) eventually(atMost time.Duration, what string, done func() bool) {
	s.t.Helper()
	s.eventuallyOr(atMost, askEvery, what, done, func() string { return "" })
}

// eventuallyOr is eventually that says more when it waited in vain.
func (s *stack) eventuallyOr(atMost, every time.Duration, what string, done func() bool, more func() string) {
	s.t.Helper()
	over := time.After(atMost)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		answer := make(chan bool, 1)
		go func() {
			defer close(answer)
			answer <- done()
		}()
		select {
		case <-over:
			require.Fail(s.t, "waited "+atMost.String()+" for: "+what, more())
		case ok, asked := <-answer:
			if !asked {
				s.t.FailNow() // the look failed for good
			}
			if ok {
				return
			}
		}
		<-tick.C
	}
}

// How often a condition is looked at: one that costs nothing, and one that has
// the server read a whole case.
const (
	askEvery    = 100 * time.Millisecond
	askAPIEvery = 250 * time.Millisecond
)

// look is how long one question to the API may take: one that hangs is asked
// again.
const look = 20 * time.Second

// await waits until a case is as told. It asks the API: the command line would
// build its whole grammar for every look. When it waited in vain it says where
// the case stands, and where its workflows do.
func (s *stack) await(id, what string, as func(apiclient.Case) bool) apiclient.Case {
	s.t.Helper()
	var (
		mu   sync.Mutex // a look that is late goes on beside the failure
		seen apiclient.Case
		last error
	)
	s.eventuallyOr(patience, askAPIEvery, what, func() bool {
		ctx, cancel := context.WithTimeout(s.t.Context(), look)
		defer cancel()
		api, err := s.asAdmin()
		var c apiclient.Case
		if err == nil {
			c, err = api.Case(ctx, id)
		}
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			last = err // a server that a test killed answers later
			return false
		}
		seen = c
		return as(c)
	}, func() string {
		mu.Lock()
		defer mu.Unlock()
		return s.standing(id, seen, last)
	})
	mu.Lock()
	defer mu.Unlock()
	return seen
}

func (s *stack) awaitState(id, state string) apiclient.Case {
	s.t.Helper()
	return s.await(id, "case is "+state, func(c apiclient.Case) bool { return c.State == state })
}

// asAdmin speaks to the stack's API as its admin. One client serves all who ask:
// each has connections of its own.
func (s *stack) asAdmin() (*apiclient.Client, error) {
	url, err := s.tryBase()
	if err != nil {
		return nil, err
	}
	token := s.adminToken()
	if known, ok := shared.apis.Load(url + " " + token); ok {
		return known.(*apiclient.Client), nil
	}
	made, err := apiclient.New(url, token)
	if err != nil {
		return nil, err
	}
	kept, _ := shared.apis.LoadOrStore(url+" "+token, made)
	return kept.(*apiclient.Client), nil
}

// standing tells all that is known of a case that did not become what it should.
func (s *stack) standing(id string, c apiclient.Case, last error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "now %s\n", time.Now().UTC().Format(time.RFC3339Nano))
	if last != nil {
		fmt.Fprintf(&b, "last error of a look: %v\n", last)
	}
	text, err := json.MarshalIndent(c, "", " ")
	fmt.Fprintf(&b, "last seen: %s %v\n", text, err)
	if s.namespace != "" {
		s.flow(&b, workflows.OffboardingID(schema.CaseID(id)))
		for _, a := range c.Accounts {
			s.flow(&b, workflows.DeprovisionID(schema.PlanID(a.PlanID)))
		}
	}
	b.WriteString(s.warned(id, c))
	return b.String()
}

// flow writes what a workflow did and what it waits for, without payloads.
func (s *stack) flow(b *strings.Builder, id string) {
	ctx, cancel := context.WithTimeout(s.t.Context(), look)
	defer cancel()
	fmt.Fprintf(b, "workflow %s:\n", id)
	c := s.client()
	for events := c.GetWorkflowHistory(ctx, id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		if err != nil {
			fmt.Fprintf(b, "  %v\n", err)
			return
		}
		fmt.Fprintf(b, "  %s %d %s", e.GetEventTime().AsTime().Format("15:04:05.000"), e.GetEventId(), e.GetEventType())
		if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
			fmt.Fprintf(b, " %s", a.GetActivityType().GetName())
		}
		if a := e.GetActivityTaskStartedEventAttributes(); a != nil {
			fmt.Fprintf(b, " of %d, attempt %d, before: %s", a.GetScheduledEventId(), a.GetAttempt(), a.GetLastFailure().GetMessage())
		}
		if a := e.GetTimerStartedEventAttributes(); a != nil {
			fmt.Fprintf(b, " for %s", a.GetStartToFireTimeout().AsDuration())
		}
		b.WriteString("\n")
	}
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		fmt.Fprintf(b, "  %v\n", err)
		return
	}
	for _, a := range d.GetPendingActivities() {
		fmt.Fprintf(b, "  pending %s %s, attempt %d, since %s, next %s, last failure %s\n", a.GetActivityType().GetName(), a.GetState(), a.GetAttempt(),
			a.GetLastStartedTime().AsTime().Format("15:04:05.000"), a.GetScheduledTime().AsTime().Format("15:04:05.000"), a.GetLastFailure().GetMessage())
	}
	if t := d.GetPendingWorkflowTask(); t != nil {
		fmt.Fprintf(b, "  pending workflow task %s, attempt %d\n", t.GetState(), t.GetAttempt())
	}
}

// warned is what the logs say about a case, its plans, or nobody in particular.
func (s *stack) warned(id string, c apiclient.Case) string {
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.stderr"))
	for _, name := range append(files, filepath.Join(s.dir, app.LogFileName)) {
		text, _ := os.ReadFile(name)
		for line := range strings.Lines(string(text)) {
			about := strings.Contains(line, id)
			for _, a := range c.Accounts {
				about = about || strings.Contains(line, a.PlanID)
			}
			if about || strings.Contains(line, "dispatch") && !strings.Contains(line, `"info"`) {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}
