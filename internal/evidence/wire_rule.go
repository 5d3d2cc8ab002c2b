package evidence

import "sendoff/schema"

func reviewOf(r schema.AccessReview) wireReview {
	return wireReview{
		ID: r.ID, Name: r.Name, Version: r.Version, Hash: r.Hash, Rule: ruleOf(r.Rule), Source: r.Source, Set: r.Set, State: r.State, PauseReason: r.PauseReason,
		PausedBy: r.PausedBy, UpdatedBy: r.UpdatedBy, UpdatedID: r.UpdatedID, UpdatedAt: at(r.UpdatedAt), CreatedAt: at(r.CreatedAt),
	}
}

func (r wireReview) review() schema.AccessReview {
	return schema.AccessReview{
		ID: r.ID, Name: r.Name, Version: r.Version, Hash: r.Hash, Rule: r.Rule.rule(), Source: r.Source, Set: r.Set, State: r.State, PauseReason: r.PauseReason,
		PausedBy: r.PausedBy, UpdatedBy: r.UpdatedBy, UpdatedID: r.UpdatedID, UpdatedAt: r.UpdatedAt.Time, CreatedAt: r.CreatedAt.Time,
	}
}

func ruleOf(r schema.AccessReviewRule) wireRule {
	return wireRule{
		Name: r.Name, Title: r.Title, Owner: r.Owner, Scope: scopeOf(r.Scope),
		Freshness: wireFreshness{
			SyncSeconds: seconds(r.Freshness.Sync), ActivitySeconds: seconds(r.Freshness.Activity), Doctor: r.Freshness.Doctor,
			PatienceSeconds: seconds(r.Freshness.Patience), Stale: r.Freshness.Stale,
		},
		Schedule: scheduleOf(r.Schedule), Events: some(r.Events), Stages: each(r.Stages, stageOf),
		Owners:  each(r.Owners, func(o schema.EntitlementOwner) wireOwner { return wireOwner{o.Connection, o.Group, some(o.To)} }),
		LoadCap: r.LoadCap,
		Decisions: wireDecisions{
			ReasonFor: some(r.Decisions.ReasonFor), HighRiskReason: r.Decisions.HighRiskReason, BulkBelow: r.Decisions.BulkBelow, Abstain: r.Decisions.Abstain,
			Carry: r.Decisions.Carry, CarryTimes: r.Decisions.CarryTimes,
		},
		Time: wireTime{
			DueSeconds: seconds(r.Time.Due), RemindSeconds: each(r.Time.Remind, seconds), EscalateAfterSeconds: seconds(r.Time.EscalateAfter),
			EscalateForSeconds: seconds(r.Time.EscalateFor), Silence: r.Time.Silence, WorkingDays: r.Time.WorkingDays,
		},
		Quality: wireQuality{
			MinItems: r.Quality.MinItems, MinSeconds: r.Quality.MinSeconds, ApproveAll: r.Quality.ApproveAll, Against: r.Quality.Against,
			ControlsForEach: r.Quality.Controls.Each, Decoys: each(r.Quality.Controls.Decoys, func(d schema.Decoy) wireDecoy { return wireDecoy(d) }),
		},
		Effect: wireEffect{
			When: r.Effect.When, Account: each(r.Effect.Account, stepOf), Role: r.Effect.Role, Receivers: some(r.Effect.Receivers),
			Approvals: r.Effect.Approvals, Budget: wireBudget(r.Effect.Budget),
		},
		WatchSeconds: seconds(r.Watch),
	}
}

// rule reads the rule so that its hash is that of the one that was written: lists
// that are left out of its JSON when they are empty are nil.
func (r wireRule) rule() schema.AccessReviewRule {
	return schema.AccessReviewRule{
		Name: r.Name, Title: r.Title, Owner: r.Owner, Scope: r.Scope.scope(),
		Freshness: schema.CampaignFreshness{
			Sync: duration(r.Freshness.SyncSeconds), Activity: duration(r.Freshness.ActivitySeconds), Doctor: r.Freshness.Doctor,
			Patience: duration(r.Freshness.PatienceSeconds), Stale: r.Freshness.Stale,
		},
		Schedule: r.Schedule.schedule(), Events: none(r.Events), Stages: each(r.Stages, wireStage.stage),
		Owners:  none(each(r.Owners, func(o wireOwner) schema.EntitlementOwner { return schema.EntitlementOwner(o) })),
		LoadCap: r.LoadCap,
		Decisions: schema.DecisionRule{
			ReasonFor: none(r.Decisions.ReasonFor), HighRiskReason: r.Decisions.HighRiskReason, BulkBelow: r.Decisions.BulkBelow, Abstain: r.Decisions.Abstain,
			Carry: r.Decisions.Carry, CarryTimes: r.Decisions.CarryTimes,
		},
		Time: schema.CampaignTime{
			Due: duration(r.Time.DueSeconds), Remind: none(each(r.Time.RemindSeconds, duration)), EscalateAfter: duration(r.Time.EscalateAfterSeconds),
			EscalateFor: duration(r.Time.EscalateForSeconds), Silence: r.Time.Silence, WorkingDays: r.Time.WorkingDays,
		},
		Quality: schema.QualityRule{
			MinItems: r.Quality.MinItems, MinSeconds: r.Quality.MinSeconds, ApproveAll: r.Quality.ApproveAll, Against: r.Quality.Against,
			Controls: schema.ControlRule{
				Each: r.Quality.ControlsForEach, Decoys: none(each(r.Quality.Decoys, func(d wireDecoy) schema.Decoy { return schema.Decoy(d) })),
			},
		},
		Effect: schema.EffectRule{
			When: r.Effect.When, Account: each(r.Effect.Account, wireStep.step), Role: r.Effect.Role, Receivers: none(r.Effect.Receivers),
			Approvals: r.Effect.Approvals, Budget: schema.Budget(r.Effect.Budget),
		},
		Watch: duration(r.WatchSeconds),
	}
}

func scopeOf(s schema.CampaignScope) wireScope {
	return wireScope{
		Connections: some(s.Connections), Items: some(s.Items), Kinds: some(s.Kinds), Roles: some(s.Roles), Groups: some(s.Groups), Match: s.Match,
		UnusedSeconds: seconds(s.UnusedFor), UnknownUse: s.UnknownUse, Changed: s.Changed, Privileged: s.Privileged, Holders: s.Holders,
	}
}

func (s wireScope) scope() schema.CampaignScope {
	return schema.CampaignScope{
		Connections: s.Connections, Items: s.Items, Kinds: none(s.Kinds), Roles: none(s.Roles), Groups: none(s.Groups), Match: s.Match,
		UnusedFor: duration(s.UnusedSeconds), UnknownUse: s.UnknownUse, Changed: s.Changed, Privileged: s.Privileged, Holders: s.Holders,
	}
}

func scheduleOf(s schema.PolicySchedule) wireSchedule {
	return wireSchedule{
		EverySeconds: seconds(s.Every), Zone: s.Zone, JitterSeconds: seconds(s.Jitter),
		Times: each(s.Times, func(t schema.ScheduleTime) wireScheduleTime {
			return wireScheduleTime{t.Hour, t.Minute, some(t.Weekdays), some(t.Days), some(t.Months)}
		}),
		Blackout: each(s.Blackout, func(b schema.Blackout) wireBlackout { return wireBlackout{day{b.From}, day{b.To}, b.Reason} }),
	}
}

func (s wireSchedule) schedule() schema.PolicySchedule {
	return schema.PolicySchedule{
		Every: duration(s.EverySeconds), Zone: s.Zone, Jitter: duration(s.JitterSeconds),
		Times: none(each(s.Times, func(t wireScheduleTime) schema.ScheduleTime {
			return schema.ScheduleTime{Hour: t.Hour, Minute: t.Minute, Weekdays: none(t.Weekdays), Days: none(t.Days), Months: none(t.Months)}
		})),
		Blackout: none(each(s.Blackout, func(b wireBlackout) schema.Blackout {
			return schema.Blackout{From: b.From.Date, To: b.To.Date, Reason: b.Reason}
		})),
	}
}

func stageOf(s schema.ReviewStage) wireStage {
	return wireStage{Name: s.Name, Of: s.Of, Who: each(s.Who, func(c schema.ReviewerCandidate) wireCandidate {
		return wireCandidate{c.Whom, some(c.To), c.Connection, c.Group, c.When}
	})}
}

func (s wireStage) stage() schema.ReviewStage {
	return schema.ReviewStage{Name: s.Name, Of: s.Of, Who: each(s.Who, func(c wireCandidate) schema.ReviewerCandidate {
		return schema.ReviewerCandidate{Whom: c.Whom, To: none(c.To), Connection: c.Connection, Group: c.Group, When: c.When}
	})}
}

// none is a list that is nil when it is empty.
func none[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}
