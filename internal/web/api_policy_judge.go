package web

import (
	"context"
	"net/http"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// The history that a replay looks at.
const (
	minReplay = 24 * time.Hour
	maxReplay = 3660 * 24 * time.Hour
)

// RuleChoice names a rule: a stored policy, or a file's text.
type RuleChoice struct {
	Ref    string `json:"ref,omitempty" doc:"Name or id of a policy; or give a source" maxLength:"63"`
	File   string `json:"file,omitempty" doc:"The file's name, for messages" maxLength:"500"`
	Source string `json:"source,omitempty" doc:"A file's text; nothing of it is stored"`
}

type previewPolicyInput struct {
	Body struct {
		RuleChoice
		// Each row asks the vendor: hence so few.
		Rows int `json:"rows,omitempty" minimum:"0" maximum:"200" doc:"How many accounts to plan and show at most; 0 = only count"`
	}
}

type previewPolicyOutput struct{ Body previewBody }

type previewBody struct {
	Policy   string               `json:"policy"`
	At       time.Time            `json:"at"`
	Looked   int64                `json:"looked"`
	Matched  int64                `json:"matched"`
	Reasons  []schema.ReasonCount `json:"reasons" nullable:"false" doc:"Accounts by why they would be taken or left"`
	Basis    []basisBody          `json:"basis" nullable:"false"`
	Rows     []previewRowBody     `json:"rows" nullable:"false" doc:"The first of those that matched"`
	Wanted   spendingBody         `json:"wanted" doc:"By all that matched"`
	Overruns []overrunBody        `json:"overruns" nullable:"false" doc:"Limits that this exceeds: a run would be held"`
	TooMany  bool                 `json:"too_many" doc:"It takes more than half of the population, and the policy does not allow that: a run would end"`
	Warnings []schema.Problem     `json:"warnings" nullable:"false" doc:"Of the file"`
}

type previewRowBody struct {
	Account      schema.AccountID  `json:"account" doc:"Our id"`
	Connection   string            `json:"connection"`
	AccountID    schema.ExternalID `json:"account_id" doc:"The vendor's id"`
	Login        string            `json:"login"`
	Privileged   bool              `json:"privileged"`
	Bytes        int64             `json:"bytes"`
	Grade        schema.Grade      `json:"grade"`
	Threshold    string            `json:"threshold"`
	LastActiveAt *time.Time        `json:"last_active_at" doc:"null = no use was ever seen"`
	Facts        *schema.Facts     `json:"facts" doc:"What its plan's hash would be over; null = not planned"`
	Hash         string            `json:"hash"`
	Findings     []schema.Finding  `json:"findings" nullable:"false"`
}

type explainPolicyInput struct {
	PolicyRef
	Account string `query:"account" required:"true" doc:"Our id, CONNECTION/ID with the vendor's id, or the whole login" maxLength:"1100"`
}

type explainPolicyOutput struct{ Body explanationBody }

type explanationBody struct {
	Policy     string           `json:"policy"`
	Version    int              `json:"version"`
	Account    schema.AccountID `json:"account" doc:"Our id"`
	Connection string           `json:"connection"`
	Login      string           `json:"login"`
	At         time.Time        `json:"at"`
	Verdict    verdictBody      `json:"verdict"`
	Facts      []explainedFact  `json:"facts" nullable:"false" doc:"What was judged, in the words of the match"`
	Parts      []explainedPart  `json:"parts" nullable:"false" doc:"The conditions of the match, and what each came to"`
	Excluded   string           `json:"excluded" doc:"The reason of the exclusion that keeps it out"`
	Recorded   *verdictBody     `json:"recorded" doc:"Of the newest review that keeps one; null = none"`
}

type verdictBody struct {
	Matched   bool                 `json:"matched"`
	Reason    schema.VerdictReason `json:"reason"`
	Grade     schema.Grade         `json:"grade"`
	Threshold string               `json:"threshold"`
	Exclusion *int                 `json:"exclusion" doc:"Index of the exclusion that keeps it out; null = none"`
	Detail    string               `json:"detail" doc:"Of a match that failed"`
}

type explainedFact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type explainedPart struct {
	Expression string `json:"expression"`
	Result     string `json:"result"`
}

type replayPolicyInput struct {
	Body struct {
		RuleChoice
		Since  string `json:"since" doc:"How far back, such as 365d"`
		Cursor string `json:"cursor,omitempty" maxLength:"512"`
		Limit  int    `json:"limit,omitempty" minimum:"0" maximum:"5000" doc:"Hits of a page at most, but those of one account are never parted; 0 = 50"`
	}
}

type replayPolicyOutput struct{ Body replayBody }

func (s *server) registerJudge() {
	handle(s, route{
		id: "preview-policy", method: http.MethodPost, path: "/v1/policies/preview", roles: deciders(),
		summary: "Judge every account by a policy or a file now, and plan the first that match; starts nothing",
	}, s.previewPolicy)
	handle(s, route{
		id: "explain-policy", method: http.MethodGet, path: "/v1/policies/{ref}/explain", roles: readers(),
		summary: "Say why a policy takes an account or leaves it",
	}, s.explainPolicy)
	handle(s, route{
		id: "replay-policy", method: http.MethodPost, path: "/v1/policies/replay", roles: readers(),
		summary: "Run a policy or a file over recorded history: whom it would have taken when, and who came back",
	}, s.replayPolicy)
}

// chosenRule is the rule that a choice names, with the warnings of a file.
func (s *server) chosenRule(ctx context.Context, c RuleChoice) (schema.PolicyRule, []schema.Problem, error) {
	if (c.Ref == "") == (c.Source == "") {
		return schema.PolicyRule{}, nil, oneFault("source", "one_of", "it needs either a policy or a file's text", "give ref or source")
	}
	if c.Ref != "" {
		p, err := s.policies.Policy(ctx, c.Ref)
		return p.Rule, nil, err
	}
	file := c.File
	if file == "" {
		file = "source"
	}
	rule, errs, warnings := parsePolicy(file, c.Source, s.now())
	f := faults{list: errs}
	return rule, warnings, f.err("the policy is not usable")
}

func (s *server) previewPolicy(ctx context.Context, _ schema.Principal, in *previewPolicyInput) (*previewPolicyOutput, error) {
	rule, warnings, err := s.chosenRule(ctx, in.Body.RuleChoice)
	if err != nil {
		return nil, err
	}
	p, err := s.judge.Preview(ctx, rule, in.Body.Rows)
	if err != nil {
		return nil, err
	}
	names, err := s.connectionNames(ctx)
	if err != nil {
		return nil, err
	}
	return &previewPolicyOutput{Body: previewBody{
		Policy: p.Policy, At: p.At.UTC(), Looked: p.Looked, Matched: p.Matched, Reasons: nonNil(p.Reasons), Basis: basisOf(p.Basis),
		Rows: listOf(p.Rows, previewRowOf), Wanted: spendingOf(p.Wanted, names), Overruns: overrunsOf(p.Overruns, names), TooMany: p.TooMany,
		Warnings: nonNil(warnings),
	}}, nil
}

func previewRowOf(r schema.PreviewRow) previewRowBody {
	return previewRowBody{
		Account: r.AccountID, Connection: r.Connection, AccountID: r.ExternalID, Login: r.Login, Privileged: r.Privileged, Bytes: r.Bytes,
		Grade: r.Verdict.Grade, Threshold: intake.FormatDuration(r.Verdict.Threshold), LastActiveAt: instant(r.LastActiveAt), Facts: r.Facts, Hash: r.Hash,
		Findings: nonNil(r.Findings),
	}
}

func (s *server) explainPolicy(ctx context.Context, _ schema.Principal, in *explainPolicyInput) (*explainPolicyOutput, error) {
	p, err := s.policies.Policy(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	account, err := s.accountNamed(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	e, err := s.judge.Explain(ctx, p, account)
	if err != nil {
		return nil, err
	}
	b := explanationBody{
		Policy: e.Policy, Version: e.Version, Account: e.AccountID, Connection: e.Connection, Login: e.Login, At: e.At.UTC(), Verdict: verdictOf(e.Verdict),
		Facts:    listOf(e.Facts, func(f schema.ExplainedFact) explainedFact { return explainedFact(f) }),
		Parts:    listOf(e.Parts, func(p schema.ExplainedPart) explainedPart { return explainedPart(p) }),
		Excluded: e.Excluded,
	}
	if e.Recorded != nil {
		recorded := verdictOf(*e.Recorded)
		b.Recorded = &recorded
	}
	return &explainPolicyOutput{Body: b}, nil
}

// accountNamed resolves a reference to an account as show-account does.
func (s *server) accountNamed(ctx context.Context, ref string) (schema.AccountID, error) {
	threshold, err := readThreshold("")
	if err != nil {
		return "", err
	}
	d, err := s.store.AccountDetail(ctx, ref, threshold, s.now())
	return d.ID, err
}

func verdictOf(v schema.Verdict) verdictBody {
	return verdictBody{v.Matched(), v.Reason, v.Grade, intake.FormatDuration(v.Threshold), exclusionIndex(v.Exclusion), v.Detail}
}

func (s *server) replayPolicy(ctx context.Context, _ schema.Principal, in *replayPolicyInput) (*replayPolicyOutput, error) {
	since, err := intake.ParseDuration(in.Body.Since)
	if err != nil {
		return nil, oneFault("since", "duration_syntax", err.Error(), "write it such as 365d")
	}
	if since < minReplay || since > maxReplay {
		return nil, oneFault("since", "out_of_range", "the history is not between a day and ten years", "write it such as 365d")
	}
	rule, warnings, err := s.chosenRule(ctx, in.Body.RuleChoice)
	if err != nil {
		return nil, err
	}
	limit := in.Body.Limit
	if limit == 0 {
		limit = 50
	}
	r, err := s.judge.Replay(ctx, rule, since, in.Body.Cursor, limit)
	if err != nil {
		return nil, err
	}
	return &replayPolicyOutput{Body: replayOf(r, warnings)}, nil
}
