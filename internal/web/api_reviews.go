package web

import (
	"context"
	"net/http"
	"strings"

	"sendoff/schema"
)

// ReviewRef is the path parameter of operations on one review run.
type ReviewRef struct {
	ID schema.ReviewID `path:"id" doc:"Id of the review run" maxLength:"63"`
}

type requestReviewInput struct {
	PolicyRef
	Body struct {
		Mode schema.ReviewMode `json:"mode,omitempty" enum:"act,report" default:"act" doc:"report = look and count, and do nothing"`
	}
}

type listReviewsInput struct {
	Page
	Policy string             `query:"policy" doc:"Name or id; empty = every one" maxLength:"63"`
	State  schema.ReviewState `query:"state" enum:"gathering,judging,planning,held,approving,acting,ended," doc:"Empty = every state"`
}

type listReviewsOutput struct {
	Body struct {
		Reviews []ReviewBody `json:"reviews" nullable:"false"`
		Next    string       `json:"next"`
	}
}

type listItemsInput struct {
	ReviewRef
	Page
	State schema.ItemState `query:"state" enum:"matched,planned,refused,asking,ready,started,kept,silent,drifted,cancelled," doc:"Empty = every state"`
}

type listItemsOutput struct {
	Body struct {
		Items []reviewItemBody `json:"items" nullable:"false"`
		Next  string           `json:"next"`
	}
}

type listVerdictsInput struct {
	ReviewRef
	Page
	Reason  schema.VerdictReason `query:"reason" doc:"Only verdicts of this reason" maxLength:"63"`
	Changed bool                 `query:"changed" doc:"Only those that are other than in the run before"`
}

type listVerdictsOutput struct {
	Body struct {
		Verdicts []verdictRowBody `json:"verdicts" nullable:"false"`
		Next     string           `json:"next"`
	}
}

type approveReviewInput struct {
	ReviewRef
	Body struct {
		Hash   string `json:"hash" doc:"The hash of the run's plans that was looked at" maxLength:"128"`
		Reason string `json:"reason"`
	}
}

type cancelReviewInput struct {
	ReviewRef
	Body struct {
		Reason string `json:"reason"`
	}
}

type answerItemInput struct {
	ReviewRef
	Account string `path:"account" doc:"Our id, CONNECTION/ID with the vendor's id, or the whole login" maxLength:"1100"`
	Body    struct {
		Answer schema.Answer `json:"answer" enum:"needed,not_needed"`
		Reason string        `json:"reason"`
	}
}

type (
	reviewOutput       struct{ Body ReviewBody }
	reviewReportOutput struct{ Body reviewReportBody }
	reviewItemOutput   struct{ Body reviewItemBody }
)

func (s *server) registerReviews() {
	handle(s, route{
		id: "request-review", method: http.MethodPost, path: "/v1/policies/{ref}/reviews", roles: deciders(), status: http.StatusCreated,
		summary: "Ask for a review run of a policy now",
	}, func(ctx context.Context, by schema.Principal, in *requestReviewInput) (*reviewOutput, error) {
		return s.reviewShown(ctx)(s.policies.RequestReview(ctx, in.Ref, in.Body.Mode, by))
	})
	handle(s, route{
		id: "list-reviews", method: http.MethodGet, path: "/v1/reviews", roles: readers(), summary: "List review runs, newest first",
	}, s.listReviews)
	handle(s, route{
		id: "show-review", method: http.MethodGet, path: "/v1/reviews/{id}", roles: readers(), summary: "Show a review run",
	}, func(ctx context.Context, _ schema.Principal, in *ReviewRef) (*reviewOutput, error) {
		return s.reviewShown(ctx)(s.policies.Review(ctx, in.ID))
	})
	handle(s, route{
		id: "list-review-items", method: http.MethodGet, path: "/v1/reviews/{id}/items", roles: readers(), summary: "List the accounts that a review run matched, and what became of them",
	}, s.listItems)
	handle(s, route{
		id: "list-review-verdicts", method: http.MethodGet, path: "/v1/reviews/{id}/verdicts", roles: readers(),
		summary: "List the verdicts that a review run keeps: matched, excluded, kept, and other than in the run before",
	}, s.listVerdicts)
	handle(s, route{
		id: "report-review", method: http.MethodGet, path: "/v1/reviews/{id}/report", roles: readers(), summary: "Sum a review run",
	}, func(ctx context.Context, _ schema.Principal, in *ReviewRef) (*reviewReportOutput, error) {
		r, err := s.policies.ReviewReport(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		names, err := s.connectionNames(ctx)
		return &reviewReportOutput{Body: reportOfReview(r, names)}, err
	})
	s.registerReviewDecisions()
}

func (s *server) registerReviewDecisions() {
	handle(s, route{
		id: "approve-review", method: http.MethodPost, path: "/v1/reviews/{id}/approve", roles: deciders(),
		summary: "Approve the plans of a review run that the hash covers; never of one's own request or policy",
	}, s.approveReview)
	handle(s, route{
		id: "cancel-review", method: http.MethodPost, path: "/v1/reviews/{id}/cancel", roles: deciders(),
		summary: "End a review run; what it started goes on",
	}, func(ctx context.Context, by schema.Principal, in *cancelReviewInput) (*reviewOutput, error) {
		var f faults
		reason := f.reason(in.Body.Reason)
		if err := f.err("the request is not valid; nothing was cancelled"); err != nil {
			return nil, err
		}
		return s.reviewShown(ctx)(s.policies.CancelReview(ctx, in.ID, reason, by))
	})
	handle(s, route{
		id: "answer-review-item", method: http.MethodPost, path: "/v1/reviews/{id}/items/{account}/answer", roles: deciders(),
		summary: "Answer for an account whether it is still needed",
	}, s.answerItem)
}

// reviewShown renders a review run, or passes its error on.
func (s *server) reviewShown(ctx context.Context) func(schema.Review, error) (*reviewOutput, error) {
	return func(r schema.Review, err error) (*reviewOutput, error) {
		if err != nil {
			return nil, err
		}
		names, err := s.connectionNames(ctx)
		return &reviewOutput{Body: reviewOf(r, names)}, err
	}
}

func (s *server) listReviews(ctx context.Context, _ schema.Principal, in *listReviewsInput) (*listReviewsOutput, error) {
	list, next, err := s.policies.Reviews(ctx, schema.ReviewFilter{Policy: in.Policy, State: in.State, After: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	names, err := s.connectionNames(ctx)
	if err != nil {
		return nil, err
	}
	out := &listReviewsOutput{}
	out.Body.Next, out.Body.Reviews = next, listOf(list, func(r schema.Review) ReviewBody { return reviewOf(r, names) })
	return out, nil
}

func (s *server) listItems(ctx context.Context, _ schema.Principal, in *listItemsInput) (*listItemsOutput, error) {
	list, next, err := s.policies.ReviewItems(ctx, in.ID, schema.ItemFilter{State: in.State, After: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	names, err := s.connectionNames(ctx)
	if err != nil {
		return nil, err
	}
	out := &listItemsOutput{}
	out.Body.Next, out.Body.Items = next, listOf(list, func(i schema.ReviewItem) reviewItemBody { return itemOf(i, names) })
	return out, nil
}

func (s *server) listVerdicts(ctx context.Context, _ schema.Principal, in *listVerdictsInput) (*listVerdictsOutput, error) {
	list, next, err := s.policies.Verdicts(ctx, in.ID, in.Reason, in.Changed, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listVerdictsOutput{}
	out.Body.Next, out.Body.Verdicts = next, listOf(list, verdictRowOf)
	return out, nil
}

func (s *server) approveReview(ctx context.Context, by schema.Principal, in *approveReviewInput) (*reviewOutput, error) {
	var f faults
	hash, reason := strings.ToLower(strings.TrimSpace(in.Body.Hash)), f.reason(in.Body.Reason)
	if hash == "" {
		f.add("hash", "required", "an approval names the hash of what it approves", "show the review and give its hash")
	}
	if err := f.err("the request is not valid; nothing was approved"); err != nil {
		return nil, err
	}
	return s.reviewShown(ctx)(s.policies.ApproveReview(ctx, in.ID, hash, reason, by))
}

func (s *server) answerItem(ctx context.Context, by schema.Principal, in *answerItemInput) (*reviewItemOutput, error) {
	var f faults
	reason := f.reason(in.Body.Reason)
	if err := f.err("the request is not valid; nothing was answered"); err != nil {
		return nil, err
	}
	account, err := s.accountNamed(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	item, err := s.policies.AnswerItem(ctx, in.ID, account, in.Body.Answer, reason, by)
	if err != nil {
		return nil, err
	}
	names, err := s.connectionNames(ctx)
	return &reviewItemOutput{Body: itemOf(item, names)}, err
}
