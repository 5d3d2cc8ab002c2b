package store

import (
	"context"
	"strconv"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// Correlate matches the accounts of people on a connection, or on all for "", to
// persons: by a verified address that is the login, or by the employee number in
// the attribute that the connection's rule names. An explicit link wins over all.
// Evidence that names several persons matches nobody, and a match that was made
// stays when evidence points elsewhere: both are listed as issues.
func (s *Store) Correlate(ctx context.Context, id schema.ConnectionID) (schema.CorrelationResult, error) {
	var result schema.CorrelationResult
	err := s.inTx(ctx, "match accounts to persons", func(ctx context.Context, t *tx) (err error) {
		if err := t.lockPeople(ctx, false); err != nil {
			return err
		}
		if err := t.joinByHash(ctx); err != nil {
			return err
		}
		if result, err = t.correlate(ctx, id); err != nil || result.Matched == 0 {
			return err
		}
		stream := audit.SystemStream
		if id != "" {
			stream = audit.ConnectionStream(string(id))
		}
		t.record(stream, engine(), "accounts.correlated", audit.Subject{ConnectionID: string(id)}, map[string]string{
			"matched": strconv.FormatInt(result.Matched, 10), "issues": strconv.FormatInt(result.Issues, 10),
		})
		return nil
	})
	return result, err
}

// gatherEvidence fills a table of the transaction's own with what is known of each
// account's person: whom the login names, and whom that and the number together.
const gatherEvidence = `insert into correlation
	with numbers as (select employee_number, array_agg(distinct person_id order by person_id) as persons
		from employment where employee_number <> '' group by employee_number)
	select a.id, a.person_id as held_by, a.person_by as how, pe.person_id as by_email,
		array(select distinct p from unnest(array_append(n.persons, pe.person_id)) as p where p is not null order by p) as persons
	from account a join connection c on c.id = a.connection_id and c.state <> 'removed'
	left join person_email pe on pe.email = a.login_key and pe.verified
	left join correlation_rule r on r.connection_id = a.connection_id
	left join numbers n on n.employee_number = btrim(a.tracking ->> r.attribute)
	where a.kind = 'person' and a.status <> 'deleted'`

// gatherTouched is gatherEvidence for the accounts that the persons of a roster's
// rows have, may have by an address or number, or had by one.
const gatherTouched = `insert into correlation
	with touched as (select a.id from account a join person_email pe on pe.email = a.login_key join roster_person t on t.id = pe.person_id
		union select a.id from account a join roster_person t on t.id = a.person_id
		union select i.account_id from correlation_issue i join roster_person t on t.id = any(i.persons)
		union select a.id from correlation_rule r join account a on a.connection_id = r.connection_id
			join employment e on e.employee_number = btrim(a.tracking ->> r.attribute) join roster_person t on t.id = e.person_id
			where e.employee_number <> '')
	select a.id, a.person_id as held_by, a.person_by as how, pe.person_id as by_email,
		array(select p from (select pe.person_id as p union select e.person_id from employment e
			where e.employee_number <> '' and e.employee_number = btrim(a.tracking ->> r.attribute)) as named where p is not null order by p) as persons
	from touched t join account a on a.id = t.id join connection c on c.id = a.connection_id and c.state <> 'removed'
	left join person_email pe on pe.email = a.login_key and pe.verified
	left join correlation_rule r on r.connection_id = a.connection_id
	where a.kind = 'person' and a.status <> 'deleted'`

// correlate is Correlate within a transaction.
func (t *tx) correlate(ctx context.Context, id schema.ConnectionID) (schema.CorrelationResult, error) {
	if id == "" {
		return t.correlateBy(ctx, gatherEvidence, nil)
	}
	return t.correlateBy(ctx, gatherEvidence+` and a.connection_id = @id`, args{"id": id})
}

// correlateTouched is correlate for the persons that the last roster touches.
func (t *tx) correlateTouched(ctx context.Context) (schema.CorrelationResult, error) {
	return t.correlateBy(ctx, gatherTouched, nil)
}

func (t *tx) correlateBy(ctx context.Context, gather string, a args) (schema.CorrelationResult, error) {
	if err := t.ownTable(ctx, "correlation", `id uuid, held_by uuid, how text, by_email uuid, persons uuid[]`); err != nil {
		return schema.CorrelationResult{}, err
	}
	if err := t.runWith(ctx, gather, a); err != nil {
		return schema.CorrelationResult{}, err
	}
	for _, statement := range []string{
		`analyze correlation`,
		// Rows are locked in one order, whoever else works on accounts, and only those
		// that change: leavers do not wait for the others.
		`select 1 from account where id in (select id from correlation where how <> 'link' and cardinality(persons) = 1
			and (held_by is null or held_by = persons[1] and how <> case when by_email is not null then 'email' else 'employee_number' end))
			order by id for no key update`,
	} {
		if err := t.run(ctx, statement, nil); err != nil {
			return schema.CorrelationResult{}, err
		}
	}
	err := t.run(ctx, `with matched as (update account a set person_id = x.persons[1],
				person_by = case when x.by_email is not null then 'email' else 'employee_number' end
			from correlation x where x.id = a.id and a.person_by <> 'link' and cardinality(x.persons) = 1
			and (a.person_id is null or a.person_id = x.persons[1])
			and (a.person_id is null or a.person_by <> case when x.by_email is not null then 'email' else 'employee_number' end)
			returning a.id, a.person_id)
		insert into person_account (account_id, person_id) select id, person_id from matched order by id on conflict do nothing`, nil)
	if err != nil {
		return schema.CorrelationResult{}, err
	}
	err = t.run(ctx, `with found as (
			select id, case when held_by is null then 'ambiguous' else 'contradiction' end as kind,
				case when held_by is null or held_by = any(persons) then persons else array_prepend(held_by, persons) end as persons
			from correlation where how <> 'link' and case when held_by is null then cardinality(persons) > 1 else persons && array_remove(persons, held_by) end),
		ended as (delete from correlation_issue i using correlation x where x.id = i.account_id and not exists (select 1 from found f where f.id = i.account_id))
		insert into correlation_issue (account_id, kind, persons, seen_at) select id, kind, persons, @now from found
		on conflict (account_id) do update set persons = excluded.persons, kind = excluded.kind
			where (correlation_issue.persons, correlation_issue.kind) is distinct from (excluded.persons, excluded.kind)`, args{"now": t.now})
	if err != nil {
		return schema.CorrelationResult{}, err
	}
	return one[schema.CorrelationResult](ctx, t, `select
		count(*) filter (where x.held_by is null and a.person_id is not null) as matched,
		count(*) filter (where a.person_id is null) as unmatched,
		count(i.account_id) as issues
		from correlation x join account a on a.id = x.id left join correlation_issue i on i.account_id = x.id`, nil)
}
