package web

import (
	"context"
	"net/http"

	"sendoff/schema"
)

// AccessReviewRef is the path parameter of operations on one access review.
type AccessReviewRef struct {
	Ref string `path:"ref" doc:"Name or id of the access review" maxLength:"63"`
}

type applyAccessReviewsInput struct {
	Body struct {
		Set    string             `json:"set,omitempty" maxLength:"63" doc:"Access reviews of the set that are not among the files are paused; empty = the files stand alone"`
		Files  []accessReviewFile `json:"files" nullable:"false"`
		DryRun bool               `json:"dry_run,omitempty" doc:"Tell what would change and change nothing"`
		Seen   []seenVersionBody  `json:"seen,omitempty" doc:"The from_version of each that was looked at, 0 of a new one: refused when another is applied by now; absent = nobody looked"`
	}
}

type accessReviewFile policyFile

type seenVersionBody struct {
	Name    string `json:"name" maxLength:"63"`
	Version int    `json:"version" minimum:"0"`
}

type applyAccessReviewsOutput struct {
	Body struct {
		Applied bool                  `json:"applied"`
		Reviews []appliedAccessReview `json:"reviews" nullable:"false"`
	}
}

type appliedAccessReview struct {
	File        string              `json:"file" doc:"Empty = it is not among the files"`
	Name        string              `json:"name"`
	Change      schema.PolicyChange `json:"change" enum:"added,changed,unchanged,paused,resumed"`
	FromVersion int                 `json:"from_version" doc:"That the difference is shown for; 0 = there was none"`
	Version     int                 `json:"version"`
	State       schema.PolicyState  `json:"state" enum:"active,paused"`
	Diff        []string            `json:"diff" nullable:"false" doc:"The members that differ: \"path: before -> after\""`
	Warnings    []schema.Problem    `json:"warnings" nullable:"false"`
}

type listAccessReviewsInput struct {
	Page
	State schema.PolicyState `query:"state" enum:"active,paused," doc:"Empty = every state"`
	Set   string             `query:"set" doc:"Only those of this set of files" maxLength:"63"`
}

type listAccessReviewsOutput struct {
	Body struct {
		Reviews []AccessReviewBody `json:"reviews" nullable:"false"`
		Next    string             `json:"next"`
	}
}

type accessReviewPageInput struct {
	AccessReviewRef
	Page
}

type accessReviewHistoryOutput struct {
	Body struct {
		Versions []AccessReviewVersionBody `json:"versions" nullable:"false"`
		Next     string                    `json:"next"`
	}
}

type accessReviewReasonInput struct {
	AccessReviewRef
	Body struct {
		Reason string `json:"reason"`
	}
}

type accessReviewOutput struct{ Body showAccessReviewBody }

// registerAccessReviews registers the definitions of access reviews. Their campaigns
// are registered beside.
func (s *server) registerAccessReviews() {
	if s.accessReviews == nil {
		return
	}
	handle(s, route{
		id: "apply-access-reviews", method: http.MethodPut, path: "/v1/access-reviews", roles: adminsOnly(),
		summary: "Check files of access reviews and make what they say so, all of them or none",
	}, s.applyAccessReviews)
	handle(s, route{
		id: "list-access-reviews", method: http.MethodGet, path: "/v1/access-reviews", roles: everybody(), summary: "List access reviews by name",
	}, s.listAccessReviews)
	handle(s, route{
		id: "show-access-review", method: http.MethodGet, path: "/v1/access-reviews/{ref}", roles: everybody(), summary: "Show an access review, with its file",
	}, func(ctx context.Context, by schema.Principal, in *AccessReviewRef) (*accessReviewOutput, error) {
		return accessReviewShown(by)(s.accessReviews.AccessReview(ctx, in.Ref))
	})
	handle(s, route{
		id: "list-access-review-versions", method: http.MethodGet, path: "/v1/access-reviews/{ref}/history", roles: readers(),
		summary: "List the versions of an access review, newest first, with what each changed",
	}, s.accessReviewHistory)
	for _, o := range []struct {
		word, summary string
		to            schema.PolicyState
	}{
		{"pause", "Let an access review make no more campaigns by itself; needs a reason", schema.PolicyPaused},
		{"resume", "Let a paused access review make campaigns by itself again; needs a reason", schema.PolicyActive},
	} {
		handle(s, route{
			id: o.word + "-access-review", method: http.MethodPost, path: "/v1/access-reviews/{ref}/" + o.word, roles: adminsOnly(), summary: o.summary,
		}, func(ctx context.Context, by schema.Principal, in *accessReviewReasonInput) (*accessReviewOutput, error) {
			var f faults
			reason := f.reason(in.Body.Reason)
			if err := f.err("the request is not valid; nothing was changed"); err != nil {
				return nil, err
			}
			return accessReviewShown(by)(s.accessReviews.SetAccessReviewState(ctx, in.Ref, o.to, reason, by))
		})
	}
}

// keepsSecrets tells whether control items are kept from a principal: who has this
// role may be asked about them.
func keepsSecrets(from schema.Principal) bool { return from.Role == schema.RoleReviewer }

func accessReviewShown(by schema.Principal) func(schema.AccessReview, error) (*accessReviewOutput, error) {
	return func(d schema.AccessReview, err error) (*accessReviewOutput, error) {
		out := &accessReviewOutput{Body: showAccessReviewBody{AccessReviewBody: accessReviewOf(d, keepsSecrets(by))}}
		if !keepsSecrets(by) {
			out.Body.Source = &d.Source
		}
		return out, err
	}
}

func (s *server) listAccessReviews(ctx context.Context, by schema.Principal, in *listAccessReviewsInput) (*listAccessReviewsOutput, error) {
	list, next, err := s.accessReviews.AccessReviews(ctx, schema.AccessReviewFilter{State: in.State, Set: in.Set, After: in.Cursor, Limit: in.Limit})
	out := &listAccessReviewsOutput{}
	out.Body.Reviews = listOf(list, func(d schema.AccessReview) AccessReviewBody { return accessReviewOf(d, keepsSecrets(by)) })
	out.Body.Next = next
	return out, err
}

func (s *server) accessReviewHistory(ctx context.Context, _ schema.Principal, in *accessReviewPageInput) (*accessReviewHistoryOutput, error) {
	page := func(cursor string, limit int) ([]schema.AccessReview, string, error) {
		return s.accessReviews.AccessReviewHistory(ctx, in.Ref, cursor, limit)
	}
	diff := func(before, after schema.AccessReview) []string { return diffAccessReviews(before.Rule, after.Rule) }
	out := &accessReviewHistoryOutput{}
	var err error
	out.Body.Versions, out.Body.Next, err = historyOf(page, in.Cursor, in.Limit, diff, func(d schema.AccessReview, diff []string) AccessReviewVersionBody {
		return AccessReviewVersionBody{d.Version, d.Hash, d.Set, d.Source, diff, d.UpdatedBy, d.UpdatedAt.UTC()}
	})
	return out, err
}

// applyAccessReviews tells what changes, or makes it so if what was looked at is
// still what is applied: the store compares in the transaction that applies.
func (s *server) applyAccessReviews(ctx context.Context, by schema.Principal, in *applyAccessReviewsInput) (*applyAccessReviewsOutput, error) {
	apply, read, err := s.readAccessReviews(in)
	if err != nil {
		return nil, err
	}
	if err := s.warnOfOwners(ctx, apply.Rules, read); err != nil {
		return nil, err
	}
	changes, err := s.accessReviews.ApplyAccessReviews(ctx, apply, by)
	if err != nil {
		return nil, err
	}
	out := &applyAccessReviewsOutput{}
	out.Body.Applied, out.Body.Reviews = !in.Body.DryRun, listOf(changes, read.accessReview)
	return out, nil
}

// warnOfOwners warns of each file that names an owner whom nobody is known by.
func (s *server) warnOfOwners(ctx context.Context, files []schema.AccessReviewFile, read readSet) error {
	for _, f := range files {
		_, err := s.store.PersonRef(ctx, f.Rule.Owner)
		switch {
		case schema.CodeOf(err) == schema.CodeNotFound:
			read.warnings[f.Rule.Name] = append(read.warnings[f.Rule.Name], schema.Problem{
				Where: "owner", Code: string(schema.CampaignOwnerUnknown), Message: "nobody is known by the address: what comes to the owner has no reviewer",
				Fix: "let the person be known, or name another owner",
			})
		case err != nil:
			return err
		}
	}
	return nil
}

func (r readSet) accessReview(a schema.AppliedAccessReview) appliedAccessReview {
	b := appliedAccessReview{
		File: r.files[a.Name], Name: a.Name, Change: a.Change, FromVersion: a.Review.Version, Version: a.Review.Version, State: a.Review.State,
		Diff: nonNil(a.Diff), Warnings: nonNil(r.warnings[a.Name]),
	}
	switch {
	case a.Change == schema.PolicyAdded:
		b.FromVersion = 0
	case a.Before != nil:
		b.FromVersion = a.Review.Version - 1
		if len(a.Diff) == 0 {
			b.Diff = nonNil(diffAccessReviews(*a.Before, a.Review.Rule))
		}
	}
	return b
}

func (s *server) readAccessReviews(in *applyAccessReviewsInput) (schema.ApplyAccessReviews, readSet, error) {
	apply := schema.ApplyAccessReviews{Set: in.Body.Set, DryRun: in.Body.DryRun}
	if in.Body.Seen != nil {
		apply.Seen = listOf(in.Body.Seen, func(v seenVersionBody) schema.SeenVersion { return schema.SeenVersion(v) })
	}
	files := listOf(in.Body.Files, func(f accessReviewFile) policyFile { return policyFile(f) })
	reader := fileReader[schema.AccessReviewRule]{"access review", "access reviews", parseAccessReview, func(r schema.AccessReviewRule) string { return r.Name }}
	read, err := reader.read(in.Body.Set, files, s.now(), func(rule schema.AccessReviewRule, source string) {
		apply.Rules = append(apply.Rules, schema.AccessReviewFile{Rule: rule, Source: source})
	})
	return apply, read, err
}
