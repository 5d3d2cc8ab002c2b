package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type pagedCampaignInput struct {
	CampaignRef
	Page
}

type listReviewersOutput struct {
	Body struct {
		Reviewers []reviewerStatsBody `json:"reviewers" nullable:"false"`
		Next      string              `json:"next"`
	}
}

type remindInput struct {
	CampaignRef
	Body struct {
		Reviewer string `json:"reviewer,omitempty" doc:"Our id, or an address they have or had; empty = all with open items" maxLength:"254"`
	}
}

type remindOutput struct {
	Body struct {
		Reminded int `json:"reminded" doc:"How many; who was reminded within the hour is not again"`
	}
}

type reassignInput struct {
	CampaignRef
	Body struct {
		Items  []schema.ItemID `json:"items,omitempty" nullable:"false" doc:"Up to 500 items by their ids"`
		From   string          `json:"from,omitempty" doc:"All open items of this reviewer: our id, or an address they have or had" maxLength:"254"`
		To     string          `json:"to" doc:"The address of who decides instead"`
		Reason string          `json:"reason"`
	}
}

type reassignOutput struct {
	Body struct {
		Items int `json:"items" doc:"How many were reassigned"`
	}
}

type lookInput struct {
	CampaignRef
	Body struct {
		Reviewer string `json:"reviewer" doc:"Our id, or an address they have or had" maxLength:"254"`
		Redo     bool   `json:"redo,omitempty" doc:"Give all of their decisions to the next in each chain; else they stand as they are"`
		Reason   string `json:"reason"`
	}
}

type reviewerStatsOutput struct{ Body reviewerStatsBody }

func (s *server) registerCampaignReviewers() {
	handle(s, route{
		id: "list-campaign-reviewers", method: http.MethodGet, path: "/v1/campaigns/{id}/reviewers", roles: everybody(),
		summary: "List the reviewers of a campaign, with what they decided and why that is doubted. Reviewers see them of campaigns that they own",
	}, func(ctx context.Context, by schema.Principal, in *pagedCampaignInput) (*listReviewersOutput, error) {
		if err := s.readsAll(ctx, in.ID, by); err != nil {
			return nil, err
		}
		list, err := s.campaigns.ReviewerStats(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		list, next, err := pageOf(list, func(r schema.ReviewerStats) string { return string(r.ReviewerID) }, in.Page)
		out := &listReviewersOutput{}
		out.Body.Reviewers, out.Body.Next = listOf(list, reviewerStatsOf), next
		return out, err
	})
	handle(s, route{
		id: "remind-reviewers", method: http.MethodPost, path: "/v1/campaigns/{id}/remind", roles: deciders(), summary: "Remind all reviewers with open items, or one",
	}, func(ctx context.Context, by schema.Principal, in *remindInput) (*remindOutput, error) {
		n, err := s.campaigns.RemindReviewers(ctx, in.ID, strings.TrimSpace(in.Body.Reviewer), by)
		out := &remindOutput{}
		out.Body.Reminded = n
		return out, err
	})
	handle(s, route{
		id: "reassign-items", method: http.MethodPost, path: "/v1/campaigns/{id}/reassign", roles: deciders(),
		summary: "Give items to somebody else; never to whoever holds the account",
	}, s.reassign)
	handle(s, route{
		id: "look-at-reviewer", method: http.MethodPost, path: "/v1/campaigns/{id}/look", roles: deciders(),
		summary: "Take a second look at a reviewer's decisions; never at one's own",
	}, s.secondLook)
}

func (s *server) reassign(ctx context.Context, by schema.Principal, in *reassignInput) (*reassignOutput, error) {
	var f faults
	r, err := schema.Reassign{Items: in.Body.Items, Reason: f.reason(in.Body.Reason)}, error(nil)
	if r.To, err = intake.ParseAddress(in.Body.To); err != nil {
		f.add("to", "email_syntax", err.Error(), "give the address of who is to decide")
	}
	from := strings.TrimSpace(in.Body.From)
	switch {
	case (from == "") == (len(r.Items) == 0):
		f.add("items", "one_of", "neither items nor whose they are is named, or both", "name the items, or from whom all open ones are taken")
	case len(r.Items) > maxWords:
		f.add("items", "count", fmt.Sprintf("%d items", len(r.Items)), fmt.Sprintf("name 1 to %d", maxWords))
	}
	for i, id := range r.Items {
		if !isUUID(string(id)) {
			f.add(fmt.Sprintf("items[%d]", i), "uuid", "not the id of an item", "list the items again")
		}
	}
	if err := f.err("the request is not valid; nothing was reassigned"); err != nil {
		return nil, err
	}
	if from != "" {
		if r.From, err = s.store.PersonRef(ctx, from); err != nil {
			return nil, err
		}
	}
	n, err := s.campaigns.Reassign(ctx, in.ID, r, by)
	out := &reassignOutput{}
	out.Body.Items = n
	return out, err
}

func (s *server) secondLook(ctx context.Context, by schema.Principal, in *lookInput) (*reviewerStatsOutput, error) {
	var f faults
	f.required("reviewer", in.Body.Reviewer, "name whose decisions were looked at")
	l := schema.SecondLook{Redo: in.Body.Redo, Reason: f.reason(in.Body.Reason)}
	if err := f.err("the request is not valid; nothing was kept"); err != nil {
		return nil, err
	}
	var err error
	if l.Reviewer, err = s.store.PersonRef(ctx, strings.TrimSpace(in.Body.Reviewer)); err != nil {
		return nil, err
	}
	stats, err := s.campaigns.SecondLook(ctx, in.ID, l, by)
	return &reviewerStatsOutput{Body: reviewerStatsOf(stats)}, err
}
