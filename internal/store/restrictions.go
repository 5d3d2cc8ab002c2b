package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// AddRestriction puts a hold or a protection on accounts. No write whose intent
// is journalled after this returns is one that it forbids. CodeInvalid for a
// pattern that every login matches; CodeNotFound for a connection that is not.
func (s *Store) AddRestriction(ctx context.Context, r schema.Restriction, by schema.Principal) (schema.Restriction, error) {
	if err := checkPrincipal(by); err != nil {
		return r, err
	}
	r.Email, r.Pattern = strings.ToLower(r.Email), strings.ToLower(r.Pattern)
	if err := checkRestriction(r); err != nil {
		return r, err
	}
	var err error
	if r.ID, err = newID[schema.RestrictionID](); err != nil {
		return r, err
	}
	err = s.inTx(ctx, "add "+string(r.Kind), func(ctx context.Context, t *tx) error {
		if err := t.lockRestrictions(ctx); err != nil {
			return err
		}
		if err := t.checkConnectionOf(ctx, r); err != nil {
			return err
		}
		if !r.ExpiresAt.IsZero() && !r.ExpiresAt.After(t.now) {
			return &schema.Error{Code: schema.CodeInvalid, Message: "the expiry has passed: it would never apply", Fix: "give an instant in the future"}
		}
		r.CreatedBy, r.CreatedAt = by.Name, t.now
		if err := t.insertRestriction(ctx, r); err != nil {
			return err
		}
		if err := t.linkAccounts(ctx, r.Email); err != nil {
			return err
		}
		return t.recordRestriction(ctx, r, by, "added", map[string]string{"reason": r.Reason, "matter": r.Matter, "expires_at": schema.FormatInstant(r.ExpiresAt)})
	})
	if err != nil {
		return schema.Restriction{}, err
	}
	return r, nil
}

// lockRestrictions makes this transaction the only one that adds or ends a
// restriction, and lets no vendor write journal its intent meanwhile: those take
// the lock shared. The lock on persons comes first: whoever waits for a roster to
// be imported must not stop every write meanwhile.
func (t *tx) lockRestrictions(ctx context.Context) error {
	if err := t.lockPeople(ctx, false); err != nil {
		return err
	}
	return t.lockKey(ctx, "restrictions")
}

func checkRestriction(r schema.Restriction) error {
	invalid := func(message, fix string) error {
		return &schema.Error{Code: schema.CodeInvalid, Message: message, Fix: fix}
	}
	switch r.Kind {
	case schema.RestrictHold, schema.RestrictProtection:
	default:
		return invalid("a restriction "+strconv.Quote(string(r.Kind))+" is unknown", "use hold or protection")
	}
	if strings.TrimSpace(r.Reason) == "" {
		return invalid("a "+string(r.Kind)+" needs a reason", "say why; it is kept in the audit trail")
	}
	switch r.Subject {
	case schema.SubjectAccount:
		if r.ConnectionID == "" || r.ExternalID == "" {
			return invalid("an account is named by its connection and the vendor's id", "give both")
		}
	case schema.SubjectPerson:
		if r.Email == "" {
			return invalid("a person is named by an address", "give it")
		}
	case schema.SubjectPattern:
		return checkPattern(r.Pattern)
	default:
		return invalid("a subject "+strconv.Quote(string(r.Subject))+" is unknown", "use account, person or pattern")
	}
	return nil
}

// checkPattern refuses a pattern that matches every login, or only one. The
// characters @ and . are in every address, so they tell none from another.
func checkPattern(pattern string) error {
	switch {
	case strings.Trim(pattern, "*?@.") == "":
		return &schema.Error{
			Code: schema.CodeInvalid, Message: "the pattern matches every login: nothing in it but *, ?, @ and dots",
			Fix: "name what the logins have in common, such as svc-*@example.com; to stop everything, use sendoff pause",
		}
	case !strings.ContainsAny(pattern, "*?"):
		return &schema.Error{
			Code: schema.CodeInvalid, Message: "the pattern has neither * nor ?: it names one login",
			Fix: "name the person by address, or the account by its connection and id",
		}
	}
	return nil
}

func (t *tx) checkConnectionOf(ctx context.Context, r schema.Restriction) error {
	if r.ConnectionID == "" {
		return nil
	}
	known, err := scalar[bool](ctx, t, `select exists (select 1 from connection where id = @id)`, args{"id": r.ConnectionID})
	if err == nil && !known {
		err = notFound("connection", string(r.ConnectionID))
	}
	return err
}

func (t *tx) insertRestriction(ctx context.Context, r schema.Restriction) error {
	return t.run(ctx, `insert into restriction (id, kind, subject, connection_id, external_id, email, pattern, like_pattern,
			matter, reason, created_by, created_at, expires_at)
		values (@id, @kind, @subject, @connection, @account, @email, @pattern, @like, @matter, @reason, @by, @now, @expires)`,
		args{
			"id": r.ID, "kind": r.Kind, "subject": r.Subject, "connection": r.ConnectionID, "account": r.ExternalID,
			"email": r.Email, "pattern": r.Pattern, "like": r.LikePattern(), "matter": r.Matter, "reason": r.Reason,
			"by": r.CreatedBy, "now": t.now, "expires": r.ExpiresAt,
		})
}

// recordRestriction appends what happened to a restriction to the stream of what
// it names. A person is named by id there, never by address.
func (t *tx) recordRestriction(ctx context.Context, r schema.Restriction, by schema.Principal, what string, details map[string]string) error {
	details = with(details, "kind", string(r.Kind), "subject", string(r.Subject))
	subject := audit.Subject{HoldID: string(r.ID), ConnectionID: string(r.ConnectionID)}
	stream := audit.SystemStream
	switch {
	case r.Subject == schema.SubjectPerson:
		person, err := t.ensurePerson(ctx, r.Email)
		if err != nil {
			return err
		}
		subject.PersonID, stream = string(person), audit.PersonStream(string(person))
	case r.ConnectionID != "":
		stream = audit.ConnectionStream(string(r.ConnectionID))
	}
	if r.ExternalID != "" {
		details["account"] = string(r.ExternalID) // the vendor's id; AccountID is ours
	}
	if r.Pattern != "" {
		details["pattern"] = r.Pattern
	}
	t.record(stream, principal(by), string(r.Kind)+"."+what, subject, details)
	return nil
}

// ensurePerson returns the person of an address, who may be new to us. It is called
// under lockPeople.
func (t *tx) ensurePerson(ctx context.Context, email string) (schema.PersonID, error) {
	persons, err := t.personsOf(ctx, []string{email})
	return persons[email], err
}

// linkAccounts remembers whose the accounts are whose login is the address now.
// Their vendor may rename them, and a restriction on the person stays on them.
func (t *tx) linkAccounts(ctx context.Context, email string) error {
	if email == "" {
		return nil
	}
	person, err := t.ensurePerson(ctx, email)
	if err != nil {
		return err
	}
	return t.run(ctx, `insert into person_account (account_id, person_id) select id, @person from account
		where login_key = @email order by id on conflict do nothing`, args{"person": person, "email": email})
}

// EndRestriction ends a hold or a protection. CodeNotFound when there is none of
// that kind and id, CodeConflict when it has ended, CodeForbidden when it is on
// the principal's own accounts.
func (s *Store) EndRestriction(ctx context.Context, kind schema.RestrictionKind, id schema.RestrictionID, reason string, by schema.Principal) (schema.Restriction, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Restriction{}, err
	}
	if strings.TrimSpace(reason) == "" {
		return schema.Restriction{}, &schema.Error{Code: schema.CodeInvalid, Message: "the end of a " + string(kind) + " needs a reason", Fix: "say why; it is kept in the audit trail"}
	}
	var ended schema.Restriction
	err := s.inTx(ctx, "end "+string(kind), func(ctx context.Context, t *tx) error {
		if err := t.lockRestrictions(ctx); err != nil {
			return err
		}
		r, ok, err := maybe[schema.Restriction](ctx, t, `select `+restrictionColumns+` from restriction r where r.id = @id and r.kind = @kind`,
			args{"id": id, "kind": kind})
		if err != nil {
			return err
		}
		if !ok {
			return notFound(string(kind), string(id))
		}
		if !r.EndedAt.IsZero() {
			return conflict(string(kind)+" "+string(id)+" has ended already", "nothing is left to end")
		}
		if err := t.refuseOwn(ctx, r, by); err != nil {
			return err
		}
		r.EndedBy, r.EndedAt, r.EndReason = by.Name, t.now, reason
		err = t.changeOne(ctx, `update restriction set ended_by = @by, ended_at = @now, end_reason = @reason where id = @id and ended_at is null`,
			args{"id": id, "by": by.Name, "now": t.now, "reason": reason})
		if err != nil {
			return err
		}
		ended = r
		return t.recordRestriction(ctx, r, by, "ended", map[string]string{"reason": reason})
	})
	return ended, err
}

// refuseOwn refuses a principal whom the restriction is on, by the address of
// their token: as the person, as the login of the account or of its person, or as
// a login that the pattern matches.
func (t *tx) refuseOwn(ctx context.Context, r schema.Restriction, by schema.Principal) error {
	if by.Email == "" {
		return nil
	}
	own, err := scalar[bool](ctx, t, `select exists (select 1 from restriction r where r.id = @id and (
		(r.subject = 'person' and (r.email = lower(@own) or exists (select 1 from person_email mine join person_email named using (person_id)
			where mine.email = lower(@own) and named.email = r.email)))
		or (r.subject = 'pattern' and lower(@own) like r.like_pattern)
		or exists (select 1 from account a
			left join person_account ap on ap.account_id = a.id left join person_email p on p.person_id = ap.person_id
			join connection ac on ac.id = a.connection_id left join connection rc on rc.id = r.connection_id
			where (a.login_key = lower(@own) or p.email = lower(@own)) and (
				(r.subject = 'account' and (ac.vendor, ac.enterprise_id) = (rc.vendor, rc.enterprise_id) and a.external_id = r.external_id)
				or (r.subject = 'person' and (a.login_key = r.email or exists (select 1 from person_email other where other.person_id = ap.person_id and other.email = r.email)))
				or (r.subject = 'pattern' and lower(a.login) like r.like_pattern
					and (r.connection_id is null or (ac.vendor, ac.enterprise_id) = (rc.vendor, rc.enterprise_id)))))))`,
		args{"id": r.ID, "own": by.Email})
	if err == nil && own {
		err = &schema.Error{Code: schema.CodeForbidden, Message: "nobody ends a " + string(r.Kind) + " on themselves", Fix: "let another admin do it"}
	}
	return err
}

// ListRestrictions lists the restrictions of a kind, newest first: those that are
// live, or with ended also those that have ended or expired.
func (s *Store) ListRestrictions(ctx context.Context, kind schema.RestrictionKind, ended bool, after string, limit int) ([]schema.Restriction, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	list, err := all[schema.Restriction](ctx, s.pool, `select `+restrictionColumns+` from restriction r
		where r.kind = @kind and (@first or (r.created_at, r.id) < (@at, @id))
		and (@ended or (r.ended_at is null and (r.expires_at is null or r.expires_at > now())))
		order by r.created_at desc, r.id desc limit @limit`,
		args{"kind": kind, "ended": ended, "first": after == "", "at": from.At, "id": schema.RestrictionID(from.ID), "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list restrictions", err)
	}
	list, next := page(list, limit, func(r schema.Restriction) cursor { return cursor{r.CreatedAt, string(r.ID)} })
	return list, next, nil
}

// RestrictionsDuring returns the restrictions that applied to the vendor's account
// at any instant from from to to, oldest first: also those that have ended.
func (s *Store) RestrictionsDuring(ctx context.Context, c schema.ConnectionID, id schema.ExternalID, login string, from, to time.Time) ([]schema.Restriction, error) {
	list, err := all[schema.Restriction](ctx, s.pool, `select `+restrictionColumns+` from restriction r
		where r.created_at <= @to and (r.ended_at is null or r.ended_at >= @from) and (r.expires_at is null or r.expires_at >= @from)
		and `+restrictionMatches+` order by r.id`, args{"connection": c, "account": id, "login": login, "from": from, "to": to})
	return list, translate("read holds and protections", err)
}
