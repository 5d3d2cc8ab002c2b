package store

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// PersonRef returns the person of an id or of an address they have or had.
// CodeNotFound when there is none.
func (s *Store) PersonRef(ctx context.Context, ref string) (schema.PersonID, error) {
	id, err := personRef(ctx, s.pool, ref)
	return id, translate("find person", err)
}

func personRef(ctx context.Context, q querier, ref string) (schema.PersonID, error) {
	ref = strings.TrimSpace(ref)
	sql := `select person_id as id from person_email where email = @ref`
	if uuid.Validate(ref) == nil {
		sql = `select coalesce(merged_into, id) as id from person where id = @ref::text::uuid`
	}
	row, ok, err := maybe[struct{ ID schema.PersonID }](ctx, q, sql, args{"ref": strings.ToLower(ref)})
	if err == nil && !ok {
		err = &schema.Error{Code: schema.CodeNotFound, Message: "nobody is known by that address or id", Fix: "sendoff people list shows everybody"}
	}
	return row.ID, err
}

// AccountRef returns an account of a connection by the vendor's id or the login it
// has now. CodeNotFound, or CodeAmbiguous for a login of several.
func (s *Store) AccountRef(ctx context.Context, connection, ref string) (schema.Account, error) {
	const op = "find account"
	c, err := s.ConnectionByName(ctx, connection)
	if err != nil {
		return schema.Account{}, err
	}
	found, err := all[schema.Account](ctx, s.pool, `select `+accountColumns+` from account
		where connection_id = @connection and (external_id = @ref or login_key = lower(@ref)) order by external_id = @ref desc, id limit 2`,
		args{"connection": c.ID, "ref": strings.TrimSpace(ref)})
	switch {
	case err != nil:
		return schema.Account{}, translate(op, err)
	case len(found) == 0:
		return schema.Account{}, &schema.Error{
			Code: schema.CodeNotFound, Message: "connection " + c.Name + " has no such account that we know of",
			Fix: "give the vendor's id or the login it has now; sendoff sync " + c.Name + " lists the accounts anew",
		}
	case len(found) > 1 && string(found[0].ExternalID) != strings.TrimSpace(ref):
		return schema.Account{}, &schema.Error{Code: schema.CodeAmbiguous, Message: "several accounts have that login", Fix: "give the vendor's id"}
	}
	return found[0], nil
}

// LinkAccount says that an account is a person's. It wins over all evidence, until
// UnlinkAccount. Audited.
func (s *Store) LinkAccount(ctx context.Context, account schema.AccountID, person schema.PersonID, reason string, by schema.Principal) error {
	if err := checkPrincipal(by); err != nil {
		return err
	}
	return s.inTx(ctx, "link the account", func(ctx context.Context, t *tx) error {
		if err := t.lockPeople(ctx, false); err != nil {
			return err
		}
		before, err := t.lockAccount(ctx, account)
		if err != nil {
			return err
		}
		if before.Kind != string(schema.KindPerson) {
			return &schema.Error{Code: schema.CodeInvalid, Message: "the account is a " + before.Kind + " account, not a person's", Fix: "link accounts of people alone"}
		}
		known, err := scalar[bool](ctx, t, `select exists (select 1 from person where id = @id and merged_into is null)`, args{"id": person})
		if err != nil {
			return err
		}
		if !known {
			return notFound("person", string(person))
		}
		for _, sql := range []string{
			`update account set person_id = @person, person_by = 'link' where id = @account`,
			`insert into person_account (account_id, person_id) values (@account, @person) on conflict do nothing`,
			`delete from correlation_issue where account_id = @account`,
		} {
			if err := t.runWith(ctx, sql, args{"account": account, "person": person}); err != nil {
				return err
			}
		}
		t.recordLink(person, account, by, "person.account_linked", map[string]string{"before": string(before.PersonID), "before_by": before.PersonBy, "reason": reason})
		return nil
	})
}

// UnlinkAccount ends an explicit link; then evidence counts again. CodeConflict
// when the account is not linked. Audited.
func (s *Store) UnlinkAccount(ctx context.Context, account schema.AccountID, reason string, by schema.Principal) error {
	if err := checkPrincipal(by); err != nil {
		return err
	}
	return s.inTx(ctx, "unlink the account", func(ctx context.Context, t *tx) error {
		if err := t.lockPeople(ctx, false); err != nil {
			return err
		}
		before, err := t.lockAccount(ctx, account)
		if err != nil {
			return err
		}
		if before.PersonBy != string(schema.MatchedByLink) {
			return conflict("nobody linked the account: whose it is follows from evidence", "link it to whom it belongs: sendoff people link, or correct the roster")
		}
		if err := t.changeOne(ctx, `update account set person_id = null, person_by = '' where id = @id`, args{"id": account}); err != nil {
			return err
		}
		if _, err := t.correlate(ctx, before.ConnectionID); err != nil {
			return err
		}
		t.recordLink(before.PersonID, account, by, "person.account_unlinked", map[string]string{"reason": reason})
		return nil
	})
}

func (t *tx) recordLink(p schema.PersonID, a schema.AccountID, by schema.Principal, action string, details map[string]string) {
	t.record(audit.PersonStream(string(p)), principal(by), action, audit.Subject{PersonID: string(p), AccountID: string(a)}, details)
}

type heldAccount struct {
	PersonID       schema.PersonID
	PersonBy, Kind string
	ConnectionID   schema.ConnectionID
}

func (t *tx) lockAccount(ctx context.Context, id schema.AccountID) (heldAccount, error) {
	a, ok, err := maybe[heldAccount](ctx, t, `select person_id, person_by, kind, connection_id from account where id = @id for no key update`, args{"id": id})
	if err == nil && !ok {
		err = notFound("account", string(id))
	}
	return a, err
}

// SetCorrelationRule names the vendor's attribute that holds the employee number
// of a connection's accounts; "" = none does. Accounts are matched anew. Audited.
func (s *Store) SetCorrelationRule(ctx context.Context, connection, attribute string, by schema.Principal) (schema.CorrelationResult, error) {
	var result schema.CorrelationResult
	if err := checkPrincipal(by); err != nil {
		return result, err
	}
	c, err := s.ConnectionByName(ctx, connection)
	if err != nil {
		return result, err
	}
	err = s.inTx(ctx, "set the rule", func(ctx context.Context, t *tx) (err error) {
		if err := t.lockPeople(ctx, false); err != nil {
			return err
		}
		sql := `insert into correlation_rule (connection_id, attribute) values (@id, @attribute)
			on conflict (connection_id) do update set attribute = excluded.attribute`
		if attribute == "" {
			sql = `delete from correlation_rule where connection_id = @id`
		}
		if err := t.runWith(ctx, sql, args{"id": c.ID, "attribute": attribute}); err != nil {
			return err
		}
		result, err = t.correlate(ctx, c.ID)
		t.record(audit.ConnectionStream(string(c.ID)), principal(by), "connection.correlation_rule", audit.Subject{ConnectionID: string(c.ID)},
			map[string]string{"attribute": attribute})
		return err
	})
	return result, err
}

// CorrelationRule returns the attribute that holds the employee number, "" = none.
func (s *Store) CorrelationRule(ctx context.Context, id schema.ConnectionID) (string, error) {
	found, err := scalars[string](ctx, s.pool, `select attribute from correlation_rule where connection_id = @id`, args{"id": id})
	if err != nil || len(found) == 0 {
		return "", translate("read the rule", err)
	}
	return found[0], nil
}

// SetDepartmentOwner names who answers for a department; "" = nobody. Audited.
func (s *Store) SetDepartmentOwner(ctx context.Context, department string, owner schema.PersonID, by schema.Principal) error {
	if err := checkPrincipal(by); err != nil {
		return err
	}
	if department == "" {
		return &schema.Error{Code: schema.CodeInvalid, Message: "no department is named", Fix: "sendoff people departments shows them"}
	}
	return s.inTx(ctx, "set the department's owner", func(ctx context.Context, t *tx) error {
		if err := t.lockPeople(ctx, false); err != nil {
			return err
		}
		known, err := scalar[bool](ctx, t, `select exists (select 1 from employment where department = @name) or exists (select 1 from department_owner where department = @name)`,
			args{"name": department})
		if err != nil {
			return err
		}
		if !known {
			return &schema.Error{Code: schema.CodeNotFound, Message: "nobody works in a department of that name", Fix: "sendoff people departments shows them as they are written"}
		}
		sql := `insert into department_owner (department, person_id, updated_at) values (@name, @owner, @now)
			on conflict (department) do update set person_id = excluded.person_id, updated_at = excluded.updated_at`
		if owner == "" {
			sql = `delete from department_owner where department = @name`
		}
		if err := t.runWith(ctx, sql, args{"name": department, "owner": owner, "now": t.now}); err != nil {
			return err
		}
		t.record(audit.SystemStream, principal(by), "department.owner_set", audit.Subject{PersonID: string(owner)}, map[string]string{"department": department})
		return nil
	})
}
