package store

import (
	"context"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// startedLeaver is a leaver that something is begun for.
type startedLeaver struct {
	ID       schema.LeaverID
	PersonID schema.PersonID
	State    schema.LeaverState
	Revision int64
}

// startedIn are those of a round that start.
func startedIn(set leaverSet) []startedLeaver {
	var out []startedLeaver
	for _, p := range set.order {
		if c := set.changes[p]; c.starts && !c.held {
			out = append(out, startedLeaver{ID: c.after.ID, PersonID: p, State: c.after.State, Revision: c.after.Revision})
		}
	}
	return out
}

// noticeAffected tells of leavers who are to receive another's content, or manage
// people who stay. Receivers are found anew when a transfer is sent; that needs
// nobody to act, and yet somebody to know.
func (t *tx) noticeAffected(ctx context.Context, started []startedLeaver) error {
	if len(started) == 0 {
		return nil
	}
	persons := make([]schema.PersonID, len(started))
	for i, l := range started {
		persons[i] = l.PersonID
	}
	receiving, err := t.receivingPlans(ctx, persons)
	if err != nil {
		return err
	}
	managing, err := scalars[schema.PersonID](ctx, t, `select n.id from unnest(@persons::uuid[]) as n(id)
		where exists (select 1 from person p where p.manager_id = n.id and p.id <> n.id and p.kind <> '' and p.merged_into is null
			and (p.last_day < @today::date) is not true)`, args{"persons": persons, "today": schema.DateOf(t.now.UTC())})
	if err != nil {
		return err
	}
	affects := map[schema.PersonID]bool{}
	for _, p := range managing {
		affects[p] = true
	}
	for _, r := range receiving {
		affects[r.PersonID] = true
		t.record(audit.CaseStream(string(r.CaseID)), engine(), "plan.receiver_leaving", audit.Subject{CaseID: string(r.CaseID), PlanID: string(r.PlanID)},
			map[string]string{"receiver_person": string(r.PersonID)})
	}
	for _, l := range started {
		if affects[l.PersonID] {
			if err := t.notice(ctx, schema.NoticeAffected, noticeAbout{leaverID: l.ID}); err != nil {
				return err
			}
		}
	}
	return nil
}

// receivingPlan is an open plan of another whose content a person is to get.
type receivingPlan struct {
	PersonID schema.PersonID
	CaseID   schema.CaseID
	PlanID   schema.PlanID
}

func (t *tx) receivingPlans(ctx context.Context, persons []schema.PersonID) ([]receivingPlan, error) {
	return all[receivingPlan](ctx, t, `select distinct a.person_id, p.case_id, p.id as plan_id
		from account a join plan p on p.connection_id = a.connection_id and p.state not in ('done', 'cancelled', 'superseded')
			join lifecycle_case c on c.id = p.case_id and c.person_id <> a.person_id
			left join transfer tr on tr.plan_id = p.id
		where a.person_id = any(@persons) and coalesce(tr.receiver, p.facts->>'receiver') = a.external_id
			and coalesce(tr.state, '') not in ('proven', 'presumed', 'skipped')
			and exists (select 1 from plan_step s where s.plan_id = p.id and s.kind = 'transfer' and s.state not in ('done', 'skipped', 'waived'))
		order by p.case_id, p.id, a.person_id`, args{"persons": persons})
}
