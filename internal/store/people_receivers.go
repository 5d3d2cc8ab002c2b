package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// ReceiverByRule returns whom a receiver rule means for the leaver who holds an
// account, and the login of that person's one active account on the connection's
// enterprise. The leaver is whom the account was linked to, else whose address the
// login is, else whom the account was matched to.
func (s *Store) ReceiverByRule(ctx context.Context, rule string, c schema.ConnectionID, account schema.AccountID, login string) (schema.RuleReceiver, error) {
	var out schema.RuleReceiver
	err := s.readTx(ctx, "find the receiver", func(ctx context.Context, q querier) (err error) {
		if out, err = meantBy(ctx, q, rule, account, login); err != nil || out.Gap != schema.GapNone {
			return err
		}
		left, err := scalar[bool](ctx, q, `select (last_day < @today::date) is true from person where id = @id`,
			args{"id": out.PersonID, "today": schema.DateOf(time.Now().UTC())})
		if err != nil || left {
			out.Gap = schema.GapLeft
			return err
		}
		logins, err := scalars[string](ctx, q, `select distinct on (a.external_id) a.login from account a
			where a.person_id = @person and a.connection_id in `+enterpriseConnections+` and a.status = 'active' and a.kind = 'person'
			order by a.external_id, a.observed_at desc`, args{"person": out.PersonID, "connection": c})
		switch {
		case err != nil:
		case len(logins) == 0:
			out.Gap = schema.GapNoAccount
		case len(logins) > 1:
			out.Gap = schema.GapTwoAccounts
		default:
			out.Login = logins[0]
		}
		return err
	})
	return out, err
}

// meantBy follows a rule, two managers at most: it cannot go round in a circle.
func meantBy(ctx context.Context, q querier, rule string, account schema.AccountID, login string) (schema.RuleReceiver, error) {
	p, known, err := maybe[struct {
		ID, Manager, Second, Owner schema.PersonID
		Department                 string
	}](ctx, q, `with leaver as (select coalesce(
			(select person_id from account where id = @account and person_by = 'link'),
			(select person_id from person_email where email = lower(@login)),
			(select person_id from account where id = @account)) as id)
		select p.id, p.manager_id as manager, m.manager_id as second, o.person_id as owner, p.department
		from leaver l join person p on p.id = l.id and p.kind <> ''
		left join person m on m.id = p.manager_id left join department_owner o on o.department = p.department`,
		args{"account": account, "login": login})
	if err != nil {
		return schema.RuleReceiver{}, err
	}
	gap := func(g schema.ReceiverGap) (schema.RuleReceiver, error) { return schema.RuleReceiver{Gap: g}, nil }
	meant := p.Manager
	switch {
	case !known:
		return gap(schema.GapNobody)
	case rule == schema.ReceiverDepartmentOwner && p.Department == "":
		return gap(schema.GapNoDepartment)
	case rule == schema.ReceiverDepartmentOwner && p.Owner == "":
		return gap(schema.GapNoOwner)
	case rule == schema.ReceiverDepartmentOwner:
		meant = p.Owner
	case rule == schema.ReceiverManagersManager && p.Manager == p.ID, rule == schema.ReceiverManagersManager && p.Second == p.Manager && p.Second != "":
		return gap(schema.GapLoop)
	case rule == schema.ReceiverManagersManager:
		meant = p.Second
	}
	switch meant {
	case "":
		return gap(schema.GapNoManager)
	case p.ID:
		return gap(schema.GapLoop)
	}
	return schema.RuleReceiver{PersonID: meant}, nil
}
