package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"sendoff/schema"
)

type engineBody struct {
	Paused    bool       `json:"paused"`
	Reason    string     `json:"reason"`
	ChangedBy string     `json:"changed_by"`
	ChangedAt *time.Time `json:"changed_at" doc:"null = never changed"`
}

type engineOutput struct{ Body engineBody }

type setEngineInput struct {
	Body struct {
		Paused bool   `json:"paused"`
		Reason string `json:"reason,omitempty" doc:"Needed to pause"`
	}
}

type versionOutput struct {
	Body struct {
		Version string `json:"version"`
		API     string `json:"api"`
	}
}

func (s *server) registerEngine() {
	handle(s, route{
		id: "show-engine", method: http.MethodGet, path: "/v1/engine", roles: readers(), summary: "Whether the engine may write",
	}, func(ctx context.Context, _ schema.Principal, _ *struct{}) (*engineOutput, error) {
		sw, err := s.store.Switch(ctx)
		return &engineOutput{Body: engineOf(sw)}, err
	})
	handle(s, route{
		id: "set-engine", method: http.MethodPut, path: "/v1/engine", roles: deciders(),
		summary: "Pause all writes of the engine at the next call, or let them go on",
	}, s.setEngine)
	handle(s, route{
		id: "version", method: http.MethodGet, path: "/v1/version", roles: everybody(), summary: "The server's version",
	}, func(context.Context, schema.Principal, *struct{}) (*versionOutput, error) {
		out := &versionOutput{}
		out.Body.Version, out.Body.API = s.version, "v1"
		return out, nil
	})
}

func (s *server) setEngine(ctx context.Context, by schema.Principal, in *setEngineInput) (*engineOutput, error) {
	reason := strings.TrimSpace(in.Body.Reason)
	if in.Body.Paused && reason == "" {
		return nil, oneFault("reason", "required", "a pause needs a reason", "say why; it is kept in the audit trail")
	}
	if err := reasonFault(reason); err != nil {
		return nil, err
	}
	sw, err := s.store.SetSwitch(ctx, schema.Switch{
		Paused: in.Body.Paused, Reason: reason, ChangedBy: by.Name, ChangedAt: s.now().UTC(),
	}, by)
	if err != nil {
		return nil, err
	}
	return &engineOutput{Body: engineOf(sw)}, nil
}

func engineOf(sw schema.Switch) engineBody {
	return engineBody{Paused: sw.Paused, Reason: sw.Reason, ChangedBy: sw.ChangedBy, ChangedAt: instant(sw.ChangedAt)}
}
