package web

import (
	"context"
	"net/http"

	"sendoff/schema"
)

type listRemovalsInput struct {
	CampaignRef
	Page
	State schema.RemovalState `query:"state" enum:"wanted,planned,ready,started,done,refused,impossible,withdrawn,undone," doc:"Empty = every state"`
}

type listRemovalsOutput struct {
	Body struct {
		Removals []removalBody `json:"removals" nullable:"false"`
		Next     string        `json:"next"`
	}
}

type listReturnsOutput struct {
	Body struct {
		Returns []returnBody `json:"returns" nullable:"false"`
		Next    string       `json:"next"`
	}
}

// registerCampaignEnds registers what becomes of what was revoked.
func (s *server) registerCampaignEnds() {
	handle(s, route{
		id: "list-removals", method: http.MethodGet, path: "/v1/campaigns/{id}/removals", roles: everybody(),
		summary: "List what a campaign takes away, account by account, and how far that is. Reviewers see it of campaigns that they own",
	}, s.listRemovals)
	handle(s, route{
		id: "list-returns", method: http.MethodGet, path: "/v1/campaigns/{id}/returns", roles: everybody(),
		summary: "List access that came back after its removal, with the cause. Reviewers see it of campaigns that they own",
	}, func(ctx context.Context, by schema.Principal, in *pagedCampaignInput) (*listReturnsOutput, error) {
		if err := s.readsAll(ctx, in.ID, by); err != nil {
			return nil, err
		}
		list, err := s.campaigns.Returns(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		list, next, err := pageOf(list, returnKey, in.Page)
		out := &listReturnsOutput{}
		out.Body.Returns, out.Body.Next = listOf(list, returnOf), next
		return out, err
	})
}

// returnKey names a return: an item's access may come back more than once.
func returnKey(r schema.Return) string {
	return string(r.ItemID) + "@" + r.SeenAt.UTC().Format("20060102T150405.000000")
}

func (s *server) listRemovals(ctx context.Context, by schema.Principal, in *listRemovalsInput) (*listRemovalsOutput, error) {
	if err := s.readsAll(ctx, in.ID, by); err != nil {
		return nil, err
	}
	list, next, err := s.campaigns.Removals(ctx, in.ID, schema.RemovalFilter{State: in.State, After: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	names, err := s.connectionNames(ctx)
	out := &listRemovalsOutput{}
	out.Body.Removals, out.Body.Next = listOf(list, func(r schema.Removal) removalBody { return removalOf(r, names) }), next
	return out, err
}
