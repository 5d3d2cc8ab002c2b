package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const absenceColumns = `b.id, b.person_id, b.from_at as "from", b.until_at as until, b.delegate_id, b.reason, b.created_by, b.created_at, b.ended_at,
	coalesce((select p.email from person p where p.id = b.person_id), '') as person,
	coalesce((select p.email from person p where p.id = b.delegate_id), '') as delegate,
	(select coalesce(sp.merged_into, sp.id) ` + absenceSetter + `) as set_by`

// absenceSetter is who set an absence, b: the person of the token's address, sp.
const absenceSetter = `from api_token k join person_email pe on pe.email = k.email join person sp on sp.id = pe.person_id where k.id = b.created_id`

// absentNow is a condition on an absence, b: it holds.
const absentNow = `b.ended_at is null and b.from_at <= @now and (b.until_at is null or b.until_at > @now)`

// absentOneOf is a condition on an item, i, about an account, a, that ends with an
// array of persons and two brackets, as holdsOneOf does: one of them is absent.
// Whoever holds the account does not choose who decides about it: what they set
// counts for nothing there, as reviewer.Chooser has it.
const absentOneOf = `exists (select 1 from reviewer_absence b where ` + absentNow +
	` and not exists (select 1 ` + absenceSetter + ` and ` + holdsOneOf + `array[sp.id, sp.merged_into]))) and b.person_id = any(`

// Absences lists absences, of a person (an address or an id) or of all, those that
// begin last first.
func (s *Store) Absences(ctx context.Context, person, after string, limit int) ([]schema.Absence, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	var list []schema.Absence
	err = s.readTx(ctx, "list absences", func(ctx context.Context, q querier) error {
		where, a := `where true`, args{"limit": limit + 1}
		if person != "" {
			id, err := personRef(ctx, q, person)
			if err != nil {
				return err
			}
			where, a["person"] = where+` and b.person_id = @person`, id
		}
		if after != "" {
			where, a["at"], a["id"] = where+` and (b.from_at, b.id) < (@at, @id::text::uuid)`, from.At, from.ID
		}
		list, err = all[schema.Absence](ctx, q, `select `+absenceColumns+` from reviewer_absence b `+where+` order by b.from_at desc, b.id desc limit @limit`, a)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	list, next := page(list, limit, func(a schema.Absence) cursor { return cursor{a.From, a.ID} })
	return list, next, nil
}

// SetAbsence makes an absence of whoever asks, or by an admin or operator of
// anybody; CodeForbidden for who decides about an account that the principal holds.
// CodeConflict when it overlaps another one of the person. Who decides meanwhile may
// be absent too: that is followed when an item is assigned.
func (s *Store) SetAbsence(ctx context.Context, n schema.NewAbsence, by schema.Principal) (schema.Absence, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Absence{}, err
	}
	n.From, n.Until, n.Reason = n.From.UTC().Truncate(time.Microsecond), n.Until.UTC().Truncate(time.Microsecond), strings.TrimSpace(n.Reason)
	var a schema.Absence
	err := s.inTx(ctx, "set an absence", func(ctx context.Context, t *tx) (err error) {
		if n.From.IsZero() || n.From.Year() < 2 {
			n.From = t.now
		}
		if n.Until.Year() < 2 {
			n.Until = time.Time{}
		}
		if a, err = t.newAbsence(ctx, n, by); err != nil {
			return err
		}
		if err := t.insertAbsence(ctx, a, by); err != nil {
			return err
		}
		a, err = one[schema.Absence](ctx, t, `select `+absenceColumns+` from reviewer_absence b where b.id = @id::text::uuid`, args{"id": a.ID})
		return err
	})
	return a, err
}

func (t *tx) newAbsence(ctx context.Context, n schema.NewAbsence, by schema.Principal) (schema.Absence, error) {
	a := schema.Absence{From: n.From, Until: n.Until, Reason: n.Reason, CreatedBy: by.Name, CreatedAt: t.now}
	var problems []schema.Problem
	if a.Reason == "" {
		problems = append(problems, schema.Problem{Where: "reason", Message: "an absence needs a reason", Fix: "say why"})
	}
	if !a.Until.IsZero() && (!a.Until.After(a.From) || !a.Until.After(t.now)) {
		problems = append(problems, schema.Problem{Where: "until", Message: "it ends before it begins, or has ended", Fix: "give a later instant, or none"})
	}
	var err error
	if a.PersonID, err = t.absentPerson(ctx, n.Person, by); err != nil {
		return a, err
	}
	if n.Delegate != "" {
		if a.DelegateID, err = personRef(ctx, t, n.Delegate); err != nil {
			return a, err
		}
		if a.DelegateID == a.PersonID {
			problems = append(problems, schema.Problem{Where: "delegate", Message: "nobody decides for themselves while they are absent", Fix: "name somebody else, or nobody"})
		}
	}
	if err := invalidIf("the absence is not valid", problems); err != nil {
		return a, err
	}
	id, err := uuid.NewV7()
	a.ID = id.String()
	return a, err
}

// absentPerson is who an absence is of. Others than oneself need an operator, and
// nobody moves those who decide about an account that they hold.
func (t *tx) absentPerson(ctx context.Context, ref string, by schema.Principal) (schema.PersonID, error) {
	me, err := personsBy(ctx, t, by)
	if err != nil {
		return "", err
	}
	if ref == "" {
		if len(me) == 0 {
			return "", &schema.Error{Code: schema.CodeInvalid, Message: "nobody is known by this token's address", Fix: "name the person by address"}
		}
		return me[0], nil
	}
	id, err := personRef(ctx, t, ref)
	switch {
	case err != nil || slices.Contains(me, id):
		return id, err
	case by.Role != schema.RoleAdmin && by.Role != schema.RoleOperator:
		return id, forbidden("only admins and operators set the absence of others", "ask one of them")
	}
	about, err := scalar[bool](ctx, t, decidesAbout, args{"persons": some(me), "id": id})
	if err == nil && about {
		err = forbidden("nobody sets or ends the absence of who decides about their own account", "ask the person, or an admin or operator whom they do not manage and whose account they do not decide about")
	}
	return id, err
}

// decidesAbout asks whether somebody manages one of the persons, directly or not, or
// has an open item about an account that one of them holds. Whoever else comes to
// decide about them is not foreseen: for items about their accounts an absence that
// they set counts for nothing.
const decidesAbout = `with recursive above as (
		select p.manager_id as id from person p where p.id = any(@persons) and p.manager_id is not null
		union select x.id from above b join person p on p.id = b.id cross join lateral (values (p.manager_id), (p.merged_into)) x(id) where x.id is not null)
	select exists (select 1 from above where id = @id) or exists (select 1 from campaign_item i left join account a on a.id = i.account_id
		where i.reviewer_id = @id and i.state = 'open' and ` + holdsAccount + `)`

func (t *tx) insertAbsence(ctx context.Context, a schema.Absence, by schema.Principal) error {
	if err := t.lockKey(ctx, "absence/"+string(a.PersonID)); err != nil {
		return err
	}
	overlaps, err := scalar[bool](ctx, t, `select exists (select 1 from reviewer_absence where person_id = @person and ended_at is null
		and from_at < coalesce(@until::timestamptz, 'infinity') and coalesce(until_at, 'infinity') > @from)`,
		args{"person": a.PersonID, "from": a.From, "until": a.Until})
	if err != nil {
		return err
	}
	if overlaps {
		return conflict("the person is absent in that time already", "end that absence first, or choose another time")
	}
	err = t.run(ctx, `insert into reviewer_absence (id, person_id, from_at, until_at, delegate_id, reason, created_by, created_id, created_at)
		values (@id, @person, @from, @until, @delegate, @reason, @by, @token, @now)`, args{
		"id": a.ID, "person": a.PersonID, "from": a.From, "until": a.Until, "delegate": a.DelegateID, "reason": a.Reason, "by": by.Name, "token": by.TokenID, "now": t.now,
	})
	if err != nil {
		return err
	}
	t.record(audit.PersonStream(string(a.PersonID)), principal(by), "person.absence_set", audit.Subject{PersonID: string(a.PersonID)}, map[string]string{
		"absence": a.ID, "from": schema.FormatInstant(a.From), "until": schema.FormatInstant(a.Until), "delegate": string(a.DelegateID),
	})
	return t.tellCampaignsOf(ctx, a.PersonID)
}

// tellCampaignsOf lets the campaigns in which a person has open items look again.
func (t *tx) tellCampaignsOf(ctx context.Context, id schema.PersonID) error {
	campaigns, err := scalars[schema.CampaignID](ctx, t, `select distinct campaign_id::text from campaign_item where reviewer_id = @id and state = 'open' order by 1`, args{"id": id})
	for _, c := range campaigns {
		if err := t.tellCampaign(ctx, c); err != nil {
			return err
		}
	}
	return err
}

// EndAbsence ends an absence before its time, by the person, by whoever set it, or by
// an admin or operator who is nobody that could hold an account: with somebody who
// is back one chooses who decides. One that has ended stays as it is.
func (s *Store) EndAbsence(ctx context.Context, id string, by schema.Principal) (schema.Absence, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Absence{}, err
	}
	if err := checkID("absence", id); err != nil {
		return schema.Absence{}, err
	}
	var a schema.Absence
	err := s.inTx(ctx, "end an absence", func(ctx context.Context, t *tx) error {
		var found bool
		var err error
		a, found, err = maybe[schema.Absence](ctx, t, `select `+absenceColumns+` from reviewer_absence b where b.id = @id::text::uuid for no key update`, args{"id": id})
		if err == nil && !found {
			err = notFound("absence", id)
		}
		if err != nil {
			return err
		}
		if _, err := t.absentPerson(ctx, string(a.PersonID), by); err != nil || !a.EndedAt.IsZero() {
			return err
		}
		if err := t.mayEnd(ctx, a, by); err != nil {
			return err
		}
		a.EndedAt = t.now
		t.record(audit.PersonStream(string(a.PersonID)), principal(by), "person.absence_ended", audit.Subject{PersonID: string(a.PersonID)}, map[string]string{"absence": id})
		return t.changeOne(ctx, `update reviewer_absence set ended_at = @now where id = @id::text::uuid and ended_at is null`, args{"id": id, "now": t.now})
	})
	return a, err
}

// mayEnd refuses to end the absence of others that others set.
func (t *tx) mayEnd(ctx context.Context, a schema.Absence, by schema.Principal) error {
	me, err := personsBy(ctx, t, by)
	if err != nil || len(me) == 0 || slices.Contains(me, a.PersonID) || slices.Contains(me, a.SetBy) {
		return err
	}
	own, err := scalar[bool](ctx, t, `select created_id = @token from reviewer_absence where id = @id::text::uuid`, args{"id": a.ID, "token": by.TokenID})
	if err == nil && !own {
		err = forbidden("an absence is ended by the person, or by whoever set it", "ask one of them")
	}
	return err
}
