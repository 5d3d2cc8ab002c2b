package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// judge is a simple judge: a person leaves at 18:00 of the latest last day when
// every employment ends, at once where one is for cause or no day is said. What
// ended a week before it was first heard of is history.
func judge(f schema.LeaverFacts) (schema.Leaving, error) {
	zone, err := time.LoadLocation(f.Zones.Company)
	if err != nil {
		return schema.Leaving{}, err
	}
	var out schema.Leaving
	for _, e := range f.Employments {
		last := e.LastDay()
		ends := e.ForCause || e.Status == schema.StatusEnded || !last.IsZero()
		if !ends {
			return schema.Leaving{Key: e.EmploymentKey, Why: "goes on"}, nil
		}
		m := schema.Moment{Starts: schema.StartsAtOnce, DueAt: f.HeardAt.UTC()}
		if !last.IsZero() && !e.ForCause {
			m = schema.Moment{
				Starts: f.Rule.Starts, Date: last, At: f.Rule.At, TimeZone: f.Zones.Company, ZoneFrom: schema.ZoneOfCompany,
				DueAt: last.In(zone).Add(time.Duration(f.Rule.At.Hour) * time.Hour).UTC(),
			}
		}
		if f.New[e.EmploymentKey] && !last.IsZero() && m.DueAt.Before(f.HeardAt.Add(-7*24*time.Hour)) {
			continue
		}
		if !out.Leaves || m.DueAt.After(out.Moment.DueAt) {
			out = schema.Leaving{Leaves: true, Key: e.EmploymentKey, Moment: m, ForCause: e.ForCause, Reason: e.LeaveReason, Why: "ends"}
		}
	}
	return out, nil
}

// hr is a store with a source whose events are told one by one.
type hr struct {
	*bundle
	src  schema.Source
	told int
}

func hrSetup(t *testing.T) *hr {
	t.Helper()
	b := setup(t)
	return &hr{bundle: b, src: b.source("payroll", schema.SourceHMAC)}
}

// tells accepts an event of a source and returns it.
func (h *hr) tells(src schema.Source, change schema.HRChange) schema.HREvent {
	h.t.Helper()
	return h.accepts(src, "", change)
}

func (h *hr) accepts(src schema.Source, group string, change schema.HRChange) schema.HREvent {
	h.t.Helper()
	h.told++
	id := fmt.Sprintf("event-%d", h.told)
	got, err := h.AcceptEvent(h.t.Context(), schema.HREvent{
		SourceID: src.ID, EventID: id, GroupID: group, Via: schema.ViaWebhook, Body: []byte(id), Change: change,
	})
	require.NoError(h.t, err)
	return got.Event
}

func changes(rows ...schema.Employment) schema.HRChange {
	return schema.HRChange{Kind: schema.ChangeEmployments, Roster: &schema.Roster{Mode: schema.RosterChanges, Fields: everyField(), Employments: rows}}
}

// employs tells employments by the source.
func (h *hr) employs(rows ...schema.Employment) schema.HREvent {
	h.t.Helper()
	return h.tells(h.src, changes(rows...))
}

func (h *hr) byHand(kind schema.HRChangeKind, said schema.ByHand) schema.HREvent {
	h.t.Helper()
	manual, err := h.SourceByName(h.t.Context(), schema.ManualSource)
	require.NoError(h.t, err)
	said.Principal, said.TokenID, said.Reason = h.admin.Name, h.admin.TokenID, "said so"
	return h.tells(manual, schema.HRChange{Kind: kind, Hand: &said})
}

// applies applies all that is pending and returns the rounds.
func (h *hr) applies() []schema.Applied {
	h.t.Helper()
	var rounds []schema.Applied
	for {
		done, took, err := h.ApplyEvents(h.t.Context(), judge)
		require.NoError(h.t, err)
		if !took {
			return rounds
		}
		rounds = append(rounds, done)
	}
}

// event reads an event.
func (h *hr) event(e schema.HREvent) schema.HREvent {
	h.t.Helper()
	got, err := h.HREvent(h.t.Context(), e.ID)
	require.NoError(h.t, err)
	return got
}

// effects are what an event did, as id effect.
func (h *hr) effects(e schema.HREvent) []string {
	h.t.Helper()
	var out []string
	for _, o := range h.event(e).Outcome {
		out = append(out, o.ExternalID+" "+string(o.Effect))
	}
	return out
}

func (h *hr) who(email string) schema.Leaver {
	h.t.Helper()
	l, err := h.FindLeaver(h.t.Context(), email)
	require.NoError(h.t, err)
	return l
}

func (h *hr) nobody(email string) {
	h.t.Helper()
	_, err := h.FindLeaver(h.t.Context(), email)
	requireCode(h.t, schema.CodeNotFound, err)
}

// inDays is a day so many days from now.
func inDays(n int) schema.Date { return schema.DateOf(time.Now().UTC().AddDate(0, 0, n)) }

// last is the member of an employment that ends so many days from now.
func last(n int) string { return "last=" + inDays(n).String() }

// leaverActions are the audited actions about leavers of a person, oldest first.
func (h *hr) leaverActions(email string) []string {
	h.t.Helper()
	var out []string
	for _, e := range h.auditOf("person/" + string(h.person(email).ID)) {
		if len(e.Action) > 7 && e.Action[:7] == "leaver." {
			out = append(out, e.Action[7:])
		}
	}
	return out
}
