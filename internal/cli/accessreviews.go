package cli

import (
	"fmt"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

type definitionCommands struct {
	List listDefinitionsCommand `cmd:"" default:"withargs" help:"List access reviews by name."`
	Show showDefinitionCommand  `cmd:"" help:"Show an access review, or print its file."`
}

type listDefinitionsCommand struct {
	State string `enum:",active,paused" default:"" help:"Only access reviews in this state: active or paused."`
	Set   string `placeholder:"NAME" help:"Only access reviews of this set of files."`
	Limit int    `default:"100" help:"How many at most."`
}

// Run lists access reviews.
func (c *listDefinitionsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.AccessReview, string, error) {
		return api.AccessReviews(in.ctx, c.State, c.Set, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"reviews": list, "next": next}, func() {
		var rows [][]string
		for _, d := range list {
			rows = append(rows, []string{
				d.Name, strconv.Itoa(d.Version), d.State, strings.Join(d.Rule.Scope.Connections, ","), strings.Join(d.Rule.Scope.Items, ","), campaignsBegin(d.Rule),
				d.Rule.Time.Due, d.Set, d.Rule.Owner,
			})
		}
		in.table("NAME|VERSION|STATE|CONNECTIONS|ITEMS|BEGINS|DUE|SET|OWNER", rows)
		in.more(next)
	})
}

// campaignsBegin says when campaigns begin by themselves.
func campaignsBegin(r apiclient.AccessReviewRule) string {
	text := runsBegin(r.Schedule)
	if len(r.Events) == 0 {
		return text
	}
	events := "on " + strings.Join(r.Events, ", ")
	if text == "by hand" {
		return events
	}
	return text + "; " + events
}

type definitionArg struct {
	Review string `arg:"" name:"name" help:"Name or id of the access review."`
}

type showDefinitionCommand struct {
	definitionArg
	Source bool `help:"Print the file as it was applied."`
}

// Run shows an access review.
func (c *showDefinitionCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	d, err := api.AccessReview(in.ctx, c.Review)
	if err != nil {
		return err
	}
	if c.Source && d.Source == nil {
		return usage("the file is not shown to reviewers", "ask an admin, an operator or an auditor for it")
	}
	return in.result(d, func() {
		if c.Source {
			in.print("%s", strings.TrimSuffix(*d.Source, "\n"))
			return
		}
		in.printDefinition(d)
	})
}

func (in *invocation) printDefinition(d apiclient.AccessReview) {
	r := d.Rule
	in.print("review       %s version %d, %s (%s)", d.Name, d.Version, d.State, d.ID)
	if d.State == string(schema.PolicyPaused) {
		in.print("paused       by %s: %s", orDash(d.PausedBy), orDash(d.PauseReason))
	}
	in.print("title        %s", orDash(r.Title))
	in.print("owner        %s signs; applied by %s %s%s", r.Owner, d.UpdatedBy, at(d.UpdatedAt), setText(d.Set))
	in.print("begins       %s", campaignsBegin(r))
	for _, b := range r.Schedule.Blackout {
		in.print("  not from %s to %s: %s", b.From, b.To, b.Reason)
	}
	in.print("looks at     %s of %s; %s", strings.Join(r.Scope.Items, ", "), strings.Join(r.Scope.Connections, ", "), narrowText(r.Scope))
	for _, s := range r.Stages {
		var chain []string
		for _, c := range s.Who {
			chain = append(chain, reviewerPlace(c.Whom, c.To, c.Connection, c.Group, c.When))
		}
		in.print("stage        %s, of %s: %s, the owner", s.Name, s.Of, strings.Join(chain, ", "))
	}
	in.print("decisions    %s", decisionRuleText(r.Decisions))
	in.print("time         due after %s; silence: %s, each in the chain for %s; reminders before: %s", r.Time.Due, r.Time.Silence, r.Time.EscalateFor, orDash(strings.Join(r.Time.Remind, ", ")))
	in.print("quality      doubted below %d s each, from %d %% kept, from %d %% against recommendations, after %d decisions",
		r.Quality.MinSeconds, r.Quality.ApproveAll, r.Quality.Against, r.Quality.MinItems)
	if c := r.Quality.Controls; c != nil && c.Each > 0 {
		in.print("controls     %d of %d for each reviewer", c.Each, len(c.Decoys))
	}
	in.print("effect       %s: %s; a revoked role becomes %s; approvals %d", strings.ReplaceAll(r.Effect.When, "_", " "),
		templateSteps(apiclient.Template{Steps: r.Effect.Account}), r.Effect.Role, r.Effect.Approvals)
	in.print("budget       %s", policyBudgetText(r.Effect.Budget))
	in.print("freshness    sync %s, activity %s, waits %s; stale facts %s", r.Freshness.Sync, r.Freshness.Activity, r.Freshness.Patience, r.Freshness.Stale)
	in.print("watch        %s", r.Watch)
}

// narrowText says what narrows a scope.
func narrowText(s apiclient.CampaignScope) string {
	parts := []string{"held: " + s.Holders}
	for _, l := range []struct {
		word string
		list []string
	}{{"kinds", s.Kinds}, {"roles", s.Roles}, {"groups", s.Groups}} {
		if len(l.list) > 0 {
			parts = append(parts, l.word+" "+strings.Join(l.list, ", "))
		}
	}
	if s.UnusedFor != "" && s.UnusedFor != "0s" {
		text := "unused for " + s.UnusedFor
		if s.UnknownUse {
			text += ", or nobody knows"
		}
		parts = append(parts, text)
	}
	if s.Privileged {
		parts = append(parts, "privileged")
	}
	if s.Changed {
		parts = append(parts, "changed")
	}
	if s.Match != "" {
		parts = append(parts, "when "+s.Match)
	}
	return strings.Join(parts, "; ")
}

// reviewerPlace is one place in a chain of reviewers.
func reviewerPlace(whom string, to []string, connection, group, when string) string {
	text := strings.ReplaceAll(whom, "_", " ")
	switch {
	case len(to) > 0:
		text = strings.Join(to, " or ")
	case group != "":
		text = "group " + group + " of " + connection
	}
	if when != "" {
		text += " (when " + when + ")"
	}
	return text
}

func decisionRuleText(d apiclient.DecisionRule) string {
	parts := []string{"reason for " + orDash(strings.Join(d.ReasonFor, ", "))}
	if d.HighRiskReason {
		parts = append(parts, "and for all of high risk")
	}
	if d.BulkBelow != "" {
		parts = append(parts, "several by one answer below "+d.BulkBelow)
	}
	if d.Carry != "" {
		parts = append(parts, fmt.Sprintf("unchanged keeps below %s taken over %d times", d.Carry, d.CarryTimes))
	}
	if !d.Abstain {
		parts = append(parts, "nobody abstains")
	}
	return strings.Join(parts, "; ")
}

type pauseDefinitionCommand struct {
	definitionArg
	reasonFlag
}

// Run pauses an access review.
func (c *pauseDefinitionCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	d, err := api.PauseAccessReview(in.ctx, c.Review, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"reason": "--reason"})
	}
	return in.result(d, func() { in.print("Paused access review %s: it makes no campaigns. Those that are open go on.", d.Name) })
}

type resumeDefinitionCommand struct {
	definitionArg
	reasonFlag
}

// Run lets an access review go on.
func (c *resumeDefinitionCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	d, err := api.ResumeAccessReview(in.ctx, c.Review, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"reason": "--reason"})
	}
	return in.result(d, func() { in.print("Access review %s makes campaigns again: %s.", d.Name, campaignsBegin(d.Rule)) })
}

type definitionHistoryCommand struct {
	definitionArg
	Limit int `default:"20" help:"How many at most."`
}

// Run lists the versions of an access review, with what each changed.
func (c *definitionHistoryCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	return in.history(c.Limit, func(cursor string, limit int) ([]apiclient.PolicyVersion, string, error) {
		return api.AccessReviewHistory(in.ctx, c.Review, cursor, limit)
	})
}
