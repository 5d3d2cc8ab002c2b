package store

import (
	"context"
	"strings"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// lostByCase says what a case that is done took for good, by connection: nothing is
// undone any more.
const lostByCase = `select c.name || case
		when exists (select 1 from plan_step s where s.plan_id = p.id and s.kind = 'delete' and s.state = 'done')
			then ': the account is deleted, it does not come back'
		when exists (select 1 from plan_step s where s.plan_id = p.id and s.kind = 'suspend' and s.state = 'done')
			then ': the account is suspended and the case is over: activate it at the vendor'
		else ': the case is over' end
		|| case when t.state in ('proven', 'presumed') then '; its content stays with the receiver' else '' end
	from plan p join connection c on c.id = p.connection_id left join transfer t on t.plan_id = p.id
	where p.case_id = @case and p.state = 'done' order by 1`

// noteTooLate keeps, of those who stay although their case is done, what does not
// come back: with the leaver and in the case's own records.
func (t *tx) noteTooLate(ctx context.Context, set leaverSet) error {
	for _, p := range set.order {
		c := set.changes[p]
		if c.effect != schema.EffectTooLate || c.before == nil {
			continue
		}
		lost, err := scalars[string](ctx, t, lostByCase, args{"case": c.before.CaseID})
		if err != nil {
			return err
		}
		if err := t.run(ctx, `update leaver set lost = @lost where id = @id`, args{"id": c.before.ID, "lost": append([]string{}, lost...)}); err != nil {
			return err
		}
		subject := audit.Subject{PersonID: string(p), CaseID: string(c.before.CaseID)}
		details := map[string]string{"leaver": string(c.before.ID), "event": string(c.event), "why": c.why, "not_brought_back": strings.Join(lost, "; ")}
		t.record(audit.PersonStream(string(p)), c.actor, "leaver.too_late", subject, details)
		if c.before.CaseID != "" {
			t.record(audit.CaseStream(string(c.before.CaseID)), c.actor, "case.stays_too_late", subject, details)
		}
	}
	return nil
}
