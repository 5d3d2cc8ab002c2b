package web

import (
	"context"
	"net/http"

	"sendoff/schema"
)

// CampaignItemRef is the path of operations on one item.
type CampaignItemRef struct {
	CampaignRef
	Item schema.ItemID `path:"item" doc:"Id of the item" maxLength:"63"`
}

type listCampaignItemsInput struct {
	CampaignRef
	Page
	State    schema.CampaignItemState `query:"state" enum:"unassigned,open,decided,carried,undecided,gone,withdrawn," doc:"Empty = every state"`
	Answer   schema.ItemAnswer        `query:"answer" enum:"keep,revoke,abstain," doc:"Empty = whatever was answered, or nothing"`
	Risk     schema.RiskLevel         `query:"risk" enum:"low,medium,high," doc:"Empty = every level"`
	Kind     schema.ItemKind          `query:"kind" enum:"account,role,group,collaboration," doc:"Empty = every kind"`
	Reviewer string                   `query:"reviewer" doc:"Only items of this reviewer: our id, or an address they have or had. Not for reviewers, who see their own alone" maxLength:"254"`
	Account  string                   `query:"account" doc:"Only items about this account: our id, CONNECTION/ID with the vendor's id, or the whole login. Not for reviewers" maxLength:"1100"`
}

type listCampaignItemsOutput struct {
	Body struct {
		Items []campaignItemBody `json:"items" nullable:"false"`
		Next  string             `json:"next"`
	}
}

type campaignItemOutput struct{ Body campaignItemBody }

type pagedItemInput struct {
	CampaignItemRef
	Page
}

type listItemDecisionsOutput struct {
	Body struct {
		Decisions []itemDecisionBody `json:"decisions" nullable:"false"`
		Next      string             `json:"next"`
	}
}

func (s *server) registerCampaignItems() {
	handle(s, route{
		id: "list-campaign-items", method: http.MethodGet, path: "/v1/campaigns/{id}/items", roles: everybody(),
		summary: "List the items of a campaign, those with the highest risk first; reviewers see their own alone",
	}, s.listCampaignItems)
	handle(s, route{
		id: "show-campaign-item", method: http.MethodGet, path: "/v1/campaigns/{id}/items/{item}", roles: everybody(), summary: "Show an item as its reviewer sees it",
	}, func(ctx context.Context, by schema.Principal, in *CampaignItemRef) (*campaignItemOutput, error) {
		i, err := s.campaigns.CampaignItem(ctx, in.ID, in.Item, by)
		return &campaignItemOutput{Body: campaignItemOf(i, keepsSecrets(by))}, err
	})
	handle(s, route{
		id: "list-item-decisions", method: http.MethodGet, path: "/v1/campaigns/{id}/items/{item}/decisions", roles: everybody(),
		summary: "List what was decided about an item, with what was corrected",
	}, func(ctx context.Context, by schema.Principal, in *pagedItemInput) (*listItemDecisionsOutput, error) {
		list, err := s.campaigns.ItemDecisions(ctx, in.ID, in.Item, by)
		if err != nil {
			return nil, err
		}
		list, next, err := pageOf(list, func(d schema.CampaignDecision) string { return string(d.ID) }, in.Page)
		out := &listItemDecisionsOutput{}
		out.Body.Decisions, out.Body.Next = listOf(list, itemDecisionOf), next
		return out, err
	})
	handle(s, route{
		id: "decide-items", method: http.MethodPost, path: "/v1/campaigns/{id}/decisions", roles: answerers(),
		summary: "Decide about items: each word on its own, and each once however often it is sent",
	}, s.decideItems)
	s.describeStale("/v1/campaigns/{id}/decisions")
	handle(s, route{
		id: "list-my-items", method: http.MethodGet, path: "/v1/my/items", roles: everybody(),
		summary: "List the open items of whoever asks, of all campaigns, those with the highest risk first",
	}, func(ctx context.Context, by schema.Principal, in *Page) (*listCampaignItemsOutput, error) {
		list, next, err := s.campaigns.ReviewQueue(ctx, in.Cursor, in.Limit, by)
		out := &listCampaignItemsOutput{}
		out.Body.Next, out.Body.Items = next, listOf(list, func(i schema.CampaignItem) campaignItemBody { return campaignItemOf(i, true) })
		return out, err
	})
}

func (s *server) listCampaignItems(ctx context.Context, by schema.Principal, in *listCampaignItemsInput) (*listCampaignItemsOutput, error) {
	f := schema.CampaignItemFilter{State: in.State, Answer: in.Answer, Risk: in.Risk, Kind: in.Kind, After: in.Cursor, Limit: in.Limit}
	if keepsSecrets(by) && (in.Reviewer != "" || in.Account != "") {
		return nil, &schema.Error{
			Code: schema.CodeForbidden, Message: "reviewers see their own items alone, and do not choose them by person or account", Fix: "leave reviewer and account out",
		}
	}
	var err error
	if in.Reviewer != "" {
		if f.Reviewer, err = s.store.PersonRef(ctx, in.Reviewer); err != nil {
			return nil, err
		}
	}
	if in.Account != "" {
		if f.Account, err = s.accountNamed(ctx, in.Account); err != nil {
			return nil, err
		}
	}
	list, next, err := s.campaigns.CampaignItems(ctx, in.ID, f, by)
	out := &listCampaignItemsOutput{}
	out.Body.Items = listOf(list, func(i schema.CampaignItem) campaignItemBody { return campaignItemOf(i, keepsSecrets(by)) })
	out.Body.Next = next
	return out, err
}

// pageOf is a page of a list that is read whole: its cursor is the key of the last of
// the page before.
func pageOf[T any](list []T, key func(T) string, p Page) ([]T, string, error) {
	if p.Cursor != "" {
		at := 0
		for at < len(list) && key(list[at]) != p.Cursor {
			at++
		}
		if at == len(list) {
			return nil, "", oneFault("cursor", "cursor", "not the next of a page of this list", "begin with the first page")
		}
		list = list[at+1:]
	}
	if len(list) <= p.Limit {
		return list, "", nil
	}
	return list[:p.Limit], key(list[p.Limit-1]), nil
}
