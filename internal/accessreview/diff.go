package accessreview

import (
	"cmp"
	"strconv"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// Diff says for each member in which two rules differ what it becomes, "path:
// before -> after", in the order of a file.
func Diff(before, after schema.AccessReviewRule) []string {
	return yamlfile.Differences(membersOf(before), membersOf(after))
}

func membersOf(r schema.AccessReviewRule) *yamlfile.Told {
	t := &yamlfile.Told{}
	t.Say("name", yamlfile.QuotedText(r.Name))
	t.Say("title", yamlfile.QuotedText(r.Title))
	t.Say("owner", yamlfile.QuotedText(r.Owner))
	tellScope(t, r.Scope)
	t.Say("freshness.sync", yamlfile.LengthText(r.Freshness.Sync))
	t.Say("freshness.activity", yamlfile.LengthText(r.Freshness.Activity))
	t.Say("freshness.doctor", strconv.FormatBool(r.Freshness.Doctor))
	t.Say("freshness.patience", yamlfile.LengthText(r.Freshness.Patience))
	t.Say("freshness.on_stale", string(r.Freshness.Stale))
	t.Schedule("schedule", r.Schedule)
	t.Say("events", yamlfile.ListText(r.Events))
	tellReviewers(t, r)
	tellDecisions(t, r.Decisions)
	tellTime(t, r.Time)
	tellQuality(t, r.Quality)
	t.Say("effect.when", string(r.Effect.When))
	t.Steps("effect.account", r.Effect.Account)
	t.Say("effect.role", string(r.Effect.Role))
	t.Say("effect.receivers", yamlfile.QuotedList(r.Effect.Receivers))
	t.Say("effect.approvals", strconv.Itoa(r.Effect.Approvals))
	t.Budget("effect.budget", r.Effect.Budget)
	t.Say("watch", yamlfile.LengthText(r.Watch))
	return t
}

func tellScope(t *yamlfile.Told, s schema.CampaignScope) {
	t.Say("scope.connections", yamlfile.QuotedList(s.Connections))
	t.Say("scope.items", yamlfile.ListText(s.Items))
	t.Say("scope.kinds", yamlfile.ListText(s.Kinds))
	t.Say("scope.roles", yamlfile.ListText(s.Roles))
	t.Say("scope.groups", yamlfile.QuotedList(s.Groups))
	t.Say("scope.match", yamlfile.QuotedText(s.Match))
	t.Say("scope.unused_for", yamlfile.LengthOrNone(s.UnusedFor))
	t.Say("scope.unknown_use", strconv.FormatBool(s.UnknownUse))
	t.Say("scope.changed", strconv.FormatBool(s.Changed))
	t.Say("scope.privileged", strconv.FormatBool(s.Privileged))
	t.Say("scope.holders", string(s.Holders))
}

func tellReviewers(t *yamlfile.Told, r schema.AccessReviewRule) {
	for i, s := range r.Stages {
		path := yamlfile.Index("reviewers", i)
		t.Say(yamlfile.Under(path, "name"), yamlfile.QuotedText(s.Name))
		t.Say(yamlfile.Under(path, "of"), string(s.Of))
		for j, c := range s.Who {
			t.Say(yamlfile.Index(yamlfile.Under(path, "who"), j), candidateText(c))
		}
	}
	for i, o := range r.Owners {
		t.Say(yamlfile.Index("owners", i), yamlfile.FlowText(
			"connection", yamlfile.QuotedText(o.Connection), "group", yamlfile.QuotedText(o.Group), "to", yamlfile.QuotedList(o.To)))
	}
	t.Say("load_cap", some(r.LoadCap))
}

// candidateText is a candidate as a file writes it.
func candidateText(c schema.ReviewerCandidate) string {
	said := "true"
	switch c.Whom {
	case schema.ReviewerNamed:
		said = cmp.Or(yamlfile.QuotedList(c.To), "[]")
	case schema.ReviewerGroup:
		said = yamlfile.FlowText("connection", yamlfile.QuotedText(c.Connection), "group", yamlfile.QuotedText(c.Group))
	default:
		if c.When == "" {
			return string(c.Whom)
		}
	}
	return yamlfile.FlowText(string(c.Whom), said, "when", yamlfile.QuotedText(c.When))
}

func tellDecisions(t *yamlfile.Told, d schema.DecisionRule) {
	t.Say("decisions.reason_for", yamlfile.ListText(d.ReasonFor))
	t.Say("decisions.high_risk_reason", strconv.FormatBool(d.HighRiskReason))
	t.Say("decisions.bulk_below", cmp.Or(string(d.BulkBelow), never))
	t.Say("decisions.abstain", strconv.FormatBool(d.Abstain))
	t.Say("decisions.carry.below", string(d.Carry))
	t.Say("decisions.carry.times", some(d.CarryTimes))
}

func tellTime(t *yamlfile.Told, c schema.CampaignTime) {
	var remind []string
	for _, d := range c.Remind {
		remind = append(remind, yamlfile.LengthText(d))
	}
	t.Say("time.due", yamlfile.LengthText(c.Due))
	t.Say("time.remind", yamlfile.ListText(remind))
	t.Say("time.escalate_after", yamlfile.LengthOrNone(c.EscalateAfter))
	t.Say("time.escalate_for", yamlfile.LengthText(c.EscalateFor))
	t.Say("time.silence", string(c.Silence))
	t.Say("time.working_days", strconv.FormatBool(c.WorkingDays))
}

func tellQuality(t *yamlfile.Told, q schema.QualityRule) {
	share := func(percent int) string {
		if percent == 0 {
			return never
		}
		return strconv.Itoa(percent) + "%"
	}
	t.Say("quality.min_items", strconv.Itoa(q.MinItems))
	t.Say("quality.min_seconds", strconv.Itoa(q.MinSeconds))
	t.Say("quality.approve_all", share(q.ApproveAll))
	t.Say("quality.against", share(q.Against))
	t.Say("quality.controls.each", some(q.Controls.Each))
	for i, d := range q.Controls.Decoys {
		t.Say(yamlfile.Index("quality.controls.decoys", i), yamlfile.FlowText(
			"login", yamlfile.QuotedText(d.Login), "name", yamlfile.QuotedText(d.Name), "note", yamlfile.QuotedText(d.Note)))
	}
}

// some is a number, or nothing for 0.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
