package store

import (
	"context"
	"slices"
	"time"

	"sendoff/schema"
)

// NoticeFacts returns what a notice may tell as it is now, and whom. The leaver is
// never among them: neither as their own manager nor by an address in a route.
func (s *Store) NoticeFacts(ctx context.Context, id schema.NoticeID) (schema.NoticeFacts, error) {
	var f schema.NoticeFacts
	err := s.readTx(ctx, "read what a notice tells", func(ctx context.Context, q querier) error {
		n, err := loadNotice(ctx, q, id)
		if err != nil {
			return err
		}
		f = schema.NoticeFacts{Event: n.Event, CaseID: n.CaseID, PlanID: n.PlanID, BatchID: n.BatchID, To: n.To}
		if n.Cause != nil {
			f.Cause, f.CauseOf = n.Cause.Code, n.Cause.Step
		}
		if n.BatchID != "" {
			return batchFacts(ctx, q, n.BatchID, &f)
		}
		if n.AskID != "" {
			return askFacts(ctx, q, n, &f)
		}
		if n.CampaignID != "" {
			return campaignFacts(ctx, q, n, &f)
		}
		if n.CaseID == "" && n.LeaverID == "" {
			if n.Event == schema.NoticeAlarm && n.Cause != nil {
				f.Alarm, f.AlarmFix = n.Cause.Message, n.Cause.Fix
			}
			return sourceFacts(ctx, q, n.SourceID, &f)
		}
		return leaverFacts(ctx, q, n, &f)
	})
	return f, err
}

func batchFacts(ctx context.Context, q querier, id schema.BatchID, f *schema.NoticeFacts) error {
	b, err := one[struct {
		Size      int
		ScopeName string
	}](ctx, q, `select size, scope_name from batch where id = @id`, args{"id": id})
	f.Size, f.Source = b.Size, b.ScopeName
	return err
}

func sourceFacts(ctx context.Context, q querier, id schema.SourceID, f *schema.NoticeFacts) error {
	s, err := one[struct {
		Name, TimeZone string
		LastHeardAt    time.Time
	}](ctx, q, `select name, time_zone, last_heard_at from hr_source where id = @id`, args{"id": id})
	f.Source, f.DueAt, f.TimeZone, f.ZoneFrom = s.Name, s.LastHeardAt, s.TimeZone, schema.ZoneOfCompany
	return err
}

// noticeLeaver is who leaves, by a leaver of HR, a case, or both.
type noticeLeaver struct {
	PersonID    schema.PersonID
	Name, Email string
	EffectiveAt time.Time // of the case
	Source      string    // of the leaver; empty = by hand
	Moment      *schema.Moment
	Findings    []schema.Finding
	Door        schema.Door // of the case
}

func leaverFacts(ctx context.Context, q querier, n schema.QueuedNotice, f *schema.NoticeFacts) error {
	l, err := one[noticeLeaver](ctx, q, `select p.id as person_id, p.name, coalesce(p.email, '') as email, c.effective_at,
			case when s.kind = 'manual' then '' else coalesce(s.name, '') end as source, l.moment, coalesce(l.findings, '[]'::jsonb) as findings,
			coalesce(c.door, '') as door
		from (select @case_id::uuid as case_id, @leaver_id::uuid as leaver_id) as n
		left join lifecycle_case c on c.id = n.case_id
		left join lateral (select x.person_id, x.source_id, x.moment, x.findings from leaver x
			where x.id = n.leaver_id or n.leaver_id is null and x.case_id = n.case_id order by x.created_at desc, x.id desc limit 1) as l on true
		left join hr_source s on s.id = l.source_id
		join person known on known.id = coalesce(c.person_id, l.person_id)
		join person p on p.id = coalesce(known.merged_into, known.id)`, args{"case_id": n.CaseID, "leaver_id": n.LeaverID})
	if err != nil {
		return err
	}
	f.Person, f.Source, f.Door = l.Name, l.Source, l.Door
	if f.Person == "" {
		f.Person = l.Email
	}
	l.moment(n.CaseID != "", f)
	for _, finding := range l.Findings {
		if !finding.Warning && !slices.Contains(f.Findings, finding.Code) {
			f.Findings = append(f.Findings, finding.Code)
		}
	}
	for _, add := range []func(context.Context, querier, schema.QueuedNotice, schema.PersonID, *schema.NoticeFacts) error{addAccounts, addAffected, addRecipients} {
		if err := add(ctx, q, n, l.PersonID, f); err != nil {
			return err
		}
	}
	return nil
}

// moment tells when a case begins, or the leaver's moment where there is no case.
// An operator may have moved the case, which keeps the leaver's zone.
func (l noticeLeaver) moment(hasCase bool, f *schema.NoticeFacts) {
	if l.Moment == nil {
		f.DueAt = l.EffectiveAt
		return
	}
	f.DueAt, f.TimeZone, f.ZoneFrom = l.Moment.DueAt, l.Moment.TimeZone, l.Moment.ZoneFrom
	moved := hasCase && !l.EffectiveAt.Equal(l.Moment.DueAt)
	switch {
	case moved:
		f.DueAt = l.EffectiveAt
	case l.Moment.Starts == schema.StartsAtOnce:
		f.DueAt = time.Time{}
	}
}

func addAccounts(ctx context.Context, q querier, n schema.QueuedNotice, _ schema.PersonID, f *schema.NoticeFacts) error {
	if n.CaseID == "" {
		return nil
	}
	list, err := all[schema.NoticeAccount](ctx, q, `select c.name as connection, p.state from plan p join connection c on c.id = p.connection_id
		where p.case_id = @id order by c.name, p.id`, args{"id": n.CaseID})
	f.Accounts = list
	return err
}

// addAffected counts whom it affects that the person leaves.
func addAffected(ctx context.Context, q querier, n schema.QueuedNotice, person schema.PersonID, f *schema.NoticeFacts) error {
	if n.Event != schema.NoticeAffected {
		return nil
	}
	a := args{"person": person, "today": schema.DateOf(time.Now().UTC())}
	counts, err := one[struct{ Reports, Receives int }](ctx, q, `select
			(select count(*)::int from person p where p.manager_id = @person and `+employedNow+`) as reports,
			(select count(distinct p.case_id)::int from plan p join account a on a.connection_id = p.connection_id and a.external_id = p.facts->>'receiver'
				where a.person_id = @person and p.state not in ('done', 'cancelled', 'superseded')) as receives`, a)
	f.Reports, f.Receives = counts.Reports, counts.Receives
	return err
}

// addRecipients finds the manager's address, and takes the leaver's own away.
func addRecipients(ctx context.Context, q querier, n schema.QueuedNotice, person schema.PersonID, f *schema.NoticeFacts) error {
	if n.Channel != schema.ChannelMail {
		return nil
	}
	if n.Audience == schema.AudienceManager {
		var err error
		f.To, err = scalars[string](ctx, q, `select m.email from person p join person m on m.id = p.manager_id
			where p.id = @id and m.id <> p.id and m.merged_into is null and m.email <> '' and (m.last_day is null or m.last_day >= @today::date)`,
			args{"id": person, "today": schema.DateOf(time.Now().UTC())})
		if err != nil {
			return err
		}
	}
	own, err := scalars[string](ctx, q, `select email from person_email where person_id = @id
		union select login_key from account where person_id = @id
		union select lower(facts->>'login') from plan where case_id = @case_id`, args{"id": person, "case_id": n.CaseID})
	f.To = slices.DeleteFunc(f.To, func(to string) bool { return slices.Contains(own, to) })
	return err
}
