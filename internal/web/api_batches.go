package web

import (
	"context"
	"net/http"

	"sendoff/schema"
)

type listBatchesInput struct {
	Page
	State schema.BatchState `query:"state" enum:"held,released,discarded," doc:"Empty = every state"`
}

type listBatchesOutput struct {
	Body struct {
		Batches []batchBody `json:"batches" nullable:"false"`
		Next    string      `json:"next"`
	}
}

// BatchRef is the path parameter of operations on one batch.
type BatchRef struct {
	Ref string `path:"ref" doc:"The batch's id, or 8 or more characters of it" maxLength:"63"`
}

type decideBatchInput struct {
	BatchRef
	Body struct {
		Reason string `json:"reason" doc:"What was found out about it; kept in the audit trail"`
		Size   int    `json:"size" doc:"How large the batch was that was looked at: refused when it has grown since"`
	}
}

type batchOutput struct{ Body batchBody }

func (s *server) registerBatches() {
	handle(s, route{
		id: "list-batches", method: http.MethodGet, path: "/v1/batches", roles: readers(),
		summary: "List batches that would have started more than their limit allows, newest first",
	}, s.listBatches)
	handle(s, route{
		id: "show-batch", method: http.MethodGet, path: "/v1/batches/{ref}", roles: readers(), summary: "Show a batch",
	}, func(ctx context.Context, _ schema.Principal, in *BatchRef) (*batchOutput, error) {
		b, err := s.hr.FindBatch(ctx, in.Ref)
		return &batchOutput{Body: batchOf(b)}, err
	})
	handle(s, route{
		id: "release-batch", method: http.MethodPost, path: "/v1/batches/{ref}/release", roles: deciders(),
		summary: "Release a held batch; the second release, by another principal, starts it",
	}, func(ctx context.Context, by schema.Principal, in *decideBatchInput) (*batchOutput, error) {
		return s.decideBatch(ctx, by, in, schema.BatchReleased)
	})
	handle(s, route{
		id: "discard-batch", method: http.MethodPost, path: "/v1/batches/{ref}/discard", roles: deciders(),
		summary: "Give a held batch up: nothing of it starts",
	}, func(ctx context.Context, by schema.Principal, in *decideBatchInput) (*batchOutput, error) {
		return s.decideBatch(ctx, by, in, schema.BatchDiscarded)
	})
}

func (s *server) listBatches(ctx context.Context, _ schema.Principal, in *listBatchesInput) (*listBatchesOutput, error) {
	list, next, err := s.hr.ListBatches(ctx, schema.BatchFilter{State: in.State, After: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listBatchesOutput{}
	out.Body.Batches, out.Body.Next = listOf(list, batchOf), next
	return out, nil
}

func (s *server) decideBatch(ctx context.Context, by schema.Principal, in *decideBatchInput, kind schema.BatchState) (*batchOutput, error) {
	var f faults
	d := schema.BatchDecision{Kind: kind, Reason: f.reason(in.Body.Reason), Principal: by.Name, TokenID: by.TokenID, Size: in.Body.Size}
	if d.Size < 1 {
		f.add("size", "out_of_range", "no batch is that small", "give the size of the batch that was looked at")
	}
	if err := f.err("the request is not valid; nothing was decided"); err != nil {
		return nil, err
	}
	b, err := s.hr.FindBatch(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	b, err = s.hr.DecideBatch(ctx, b.ID, d, by)
	return &batchOutput{Body: batchOf(b)}, err
}
