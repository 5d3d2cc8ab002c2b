package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"sendoff/schema"
)

// runBody is one pass over a connection.
type runBody struct {
	RunID       schema.RunID      `json:"run_id"`
	Connection  string            `json:"connection"`
	Kind        schema.RunKind    `json:"kind" enum:"sync,activity,probe"`
	State       schema.RunState   `json:"state" enum:"queued,running,done,quarantined,failed,discarded"`
	Trigger     schema.RunTrigger `json:"trigger" enum:"schedule,person"`
	RequestedBy string            `json:"requested_by" doc:"Empty = a schedule"`
	Baseline    bool              `json:"baseline" doc:"The connection's first sync that was applied: nothing in it is a change"`
	Cause       *runCauseBody     `json:"cause" doc:"Why it failed or is quarantined; null = neither"`
	CreatedAt   time.Time         `json:"created_at"`
	StartedAt   *time.Time        `json:"started_at" doc:"null = not yet"`
	EndedAt     *time.Time        `json:"ended_at" doc:"null = it is open"`
	Elapsed     float64           `json:"elapsed_seconds" doc:"From its start to its end, or until now"`
	Datasets    []runDatasetBody  `json:"datasets" nullable:"false"`
}

type runCauseBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

// runDatasetBody is how far a run is with a data set.
type runDatasetBody struct {
	Dataset       schema.Dataset      `json:"dataset"`
	State         schema.DatasetState `json:"state" enum:"pending,collecting,collected,partial,not_collected"`
	Reason        string              `json:"reason" doc:"Code, when it is partial or not collected"`
	Generation    int                 `json:"generation" doc:"Raised each time the listing began anew"`
	Pages         int                 `json:"pages" doc:"Of this generation"`
	Rows          int64               `json:"rows" doc:"Of this generation; what was listed twice counts once"`
	Elapsed       float64             `json:"elapsed_seconds"`
	RowsPerSecond float64             `json:"rows_per_second"`
	UpdatedAt     time.Time           `json:"updated_at"`
}

// runOf renders a run. Data sets are listed one after the other: each begins when
// the one before ended.
func (s *server) runOf(r schema.Run, connection string) runBody {
	b := runBody{
		RunID: r.ID, Connection: connection, Kind: r.Kind, State: r.State, Trigger: r.Trigger, RequestedBy: r.RequestedBy, Baseline: r.Baseline,
		CreatedAt: r.CreatedAt.UTC(), StartedAt: instant(r.StartedAt), EndedAt: instant(r.EndedAt), Datasets: []runDatasetBody{},
	}
	if r.Cause != nil {
		b.Cause = &runCauseBody{Code: r.Cause.Code, Message: r.Cause.Message, Fix: r.Cause.Fix}
	}
	end := r.EndedAt
	if end.IsZero() {
		end = s.now()
	}
	if !r.StartedAt.IsZero() {
		b.Elapsed = seconds(end.Sub(r.StartedAt))
	}
	began := r.StartedAt
	for _, d := range r.Datasets {
		at := runDatasetBody{
			Dataset: d.Dataset, State: d.State, Reason: d.Reason, Generation: d.Generation, Pages: d.Pages, Rows: d.Rows, UpdatedAt: d.UpdatedAt.UTC(),
		}
		until := d.UpdatedAt
		if d.State == schema.DatasetCollecting && r.State.Open() {
			until = s.now()
		}
		if d.State != schema.DatasetPending && !began.IsZero() {
			at.Elapsed = seconds(until.Sub(began))
			began = d.UpdatedAt
		}
		if at.Elapsed > 0 {
			at.RowsPerSecond = float64(d.Rows) / at.Elapsed
		}
		b.Datasets = append(b.Datasets, at)
	}
	return b
}

// seconds is a span for JSON; clocks that differ a little make none negative.
func seconds(d time.Duration) float64 { return max(0, d.Round(time.Millisecond).Seconds()) }

type runOutput struct{ Body runBody }

type syncInput struct {
	Body struct {
		Connection string           `json:"connection,omitempty" doc:"Name or id; empty = every enabled connection"`
		Kinds      []schema.RunKind `json:"kinds,omitempty" enum:"sync,activity,probe" doc:"Empty = a sync and a read of events"`
	}
}

type syncOutput struct {
	Body struct {
		Runs []runBody `json:"runs" nullable:"false" doc:"With no connection named, also syncs that were open already"`
	}
}

type listRunsInput struct {
	Page
	Connection string          `query:"connection" doc:"Name; empty = every one"`
	Kind       schema.RunKind  `query:"kind" enum:"sync,activity,probe," doc:"Empty = every kind"`
	State      schema.RunState `query:"state" enum:"queued,running,done,quarantined,failed,discarded," doc:"Empty = every state"`
}

type listRunsOutput struct {
	Body struct {
		Runs []runBody `json:"runs" nullable:"false"`
		Next string    `json:"next" doc:"Cursor of the next page; empty = this is the last"`
	}
}

type runInput struct {
	ID schema.RunID `path:"id"`
}

type decideRunInput struct {
	ID   schema.RunID `path:"id"`
	Body struct {
		Reason string `json:"reason" doc:"What was found at the vendor; kept in the audit trail"`
	}
}

func (s *server) registerRuns() {
	handle(s, route{
		id: "sync", method: http.MethodPost, path: "/v1/syncs", roles: deciders(), status: http.StatusCreated,
		summary: "List anew what a connection's vendor has, and read what its accounts did",
	}, s.startSyncs)
	handle(s, route{id: "list-runs", method: http.MethodGet, path: "/v1/runs", roles: readers(), summary: "List runs, newest first"}, s.listRuns)
	handle(s, route{id: "show-run", method: http.MethodGet, path: "/v1/runs/{id}", roles: readers(), summary: "Show how far a run is"}, s.showRun)
	handle(s, route{
		id: "release-run", method: http.MethodPost, path: "/v1/runs/{id}/release", roles: adminsOnly(),
		summary: "Apply a quarantined sync after all",
	}, func(ctx context.Context, by schema.Principal, in *decideRunInput) (*runOutput, error) {
		return s.decideRun(ctx, by, in, s.store.ReleaseRun)
	})
	handle(s, route{
		id: "discard-run", method: http.MethodPost, path: "/v1/runs/{id}/discard", roles: adminsOnly(),
		summary: "Give a quarantined sync up",
	}, func(ctx context.Context, by schema.Principal, in *decideRunInput) (*runOutput, error) {
		return s.decideRun(ctx, by, in, s.store.DiscardRun)
	})
}

// startSyncs starts runs of one connection, or of all. Of all it also returns
// those that were open already.
func (s *server) startSyncs(ctx context.Context, by schema.Principal, in *syncInput) (*syncOutput, error) {
	kinds := in.Body.Kinds
	if len(kinds) == 0 {
		kinds = []schema.RunKind{schema.RunSync, schema.RunActivity}
	}
	out := &syncOutput{}
	out.Body.Runs = []runBody{}
	if in.Body.Connection != "" {
		for _, kind := range kinds {
			run, err := s.store.StartRun(ctx, in.Body.Connection, kind, schema.TriggerPerson, by)
			if err == nil {
				err = s.appendRun(ctx, &out.Body.Runs, run)
			}
			if err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	connections, err := s.store.EnabledConnections(ctx)
	if err != nil {
		return nil, err
	}
	if len(connections) == 0 {
		return nil, &schema.Error{Code: schema.CodeConflict, Message: "no connection is enabled, so there is nothing to sync", Fix: "connect a vendor: sendoff connect --help"}
	}
	for _, c := range connections {
		for _, kind := range kinds {
			run, err := s.startOrFind(ctx, c, kind, by)
			if err != nil {
				return nil, err
			}
			if run.ID != "" {
				out.Body.Runs = append(out.Body.Runs, s.runOf(run, c.Name))
			}
		}
	}
	return out, nil
}

// startOrFind starts a run of a connection, or finds the one that is open; no run
// is one that ended, or a connection that was disabled, meanwhile.
func (s *server) startOrFind(ctx context.Context, c schema.Connection, kind schema.RunKind, by schema.Principal) (schema.Run, error) {
	run, err := s.store.StartRun(ctx, string(c.ID), kind, schema.TriggerPerson, by)
	switch schema.CodeOf(err) {
	case schema.CodeClosed, schema.CodeNotFound:
		return schema.Run{}, nil
	case schema.CodeConflict:
		last, _, err := s.store.ListRuns(ctx, schema.RunFilter{ConnectionID: c.ID, Kind: kind, Limit: 1})
		if err != nil || len(last) == 0 {
			return schema.Run{}, err
		}
		return last[0], nil
	}
	return run, err
}

func (s *server) appendRun(ctx context.Context, list *[]runBody, r schema.Run) error {
	c, err := s.store.Connection(ctx, r.ConnectionID)
	if err == nil {
		*list = append(*list, s.runOf(r, c.Name))
	}
	return err
}

func (s *server) listRuns(ctx context.Context, _ schema.Principal, in *listRunsInput) (*listRunsOutput, error) {
	id, err := s.connectionID(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	list, next, err := s.store.ListRuns(ctx, schema.RunFilter{ConnectionID: id, Kind: in.Kind, State: in.State, After: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listRunsOutput{}
	out.Body.Runs, out.Body.Next = []runBody{}, next
	names := map[schema.ConnectionID]string{}
	for _, r := range list {
		if _, known := names[r.ConnectionID]; !known {
			c, err := s.store.Connection(ctx, r.ConnectionID)
			if err != nil {
				return nil, err
			}
			names[r.ConnectionID] = c.Name
		}
		out.Body.Runs = append(out.Body.Runs, s.runOf(r, names[r.ConnectionID]))
	}
	return out, nil
}

func (s *server) showRun(ctx context.Context, _ schema.Principal, in *runInput) (*runOutput, error) {
	run, err := s.store.Run(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.runShown(ctx, run)
}

func (s *server) runShown(ctx context.Context, run schema.Run) (*runOutput, error) {
	c, err := s.store.Connection(ctx, run.ConnectionID)
	if err != nil {
		return nil, err
	}
	return &runOutput{Body: s.runOf(run, c.Name)}, nil
}

func (s *server) decideRun(ctx context.Context, by schema.Principal, in *decideRunInput,
	decide func(context.Context, schema.RunID, string, schema.Principal) (schema.Run, error),
) (*runOutput, error) {
	if err := needReason(in.Body.Reason); err != nil {
		return nil, err
	}
	run, err := decide(ctx, in.ID, strings.TrimSpace(in.Body.Reason), by)
	if err != nil {
		return nil, err
	}
	return s.runShown(ctx, run)
}
