package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"sendoff/schema"
)

// shownChanges is how many changes an account's detail has.
const shownChanges = 20

// AccountDetail returns everything known of the account that is named by our id,
// by CONNECTION/ID with the vendor's id, or by its login: CodeAmbiguous when
// several have it. The grade is for the threshold, as of an instant.
func (s *Store) AccountDetail(ctx context.Context, ref string, threshold time.Duration, now time.Time) (schema.AccountDetail, error) {
	var d schema.AccountDetail
	err := s.readTx(ctx, "read account", func(ctx context.Context, q querier) (err error) {
		if d.AccountRow, err = findAccount(ctx, q, strings.TrimSpace(ref)); err != nil {
			return err
		}
		d.Threshold = threshold
		if err = readAccountActivity(ctx, q, &d, now); err != nil {
			return err
		}
		d.Issue, err = scalar[schema.AccountIssue](ctx, q, `select coalesce((select kind from correlation_issue where account_id = @id),
			case when @person::uuid is null then 'unmatched' else '' end)`, args{"id": d.ID, "person": d.PersonID})
		if err != nil {
			return err
		}
		d.Groups, err = scalar[int64](ctx, q, `select count(*) from group_membership where connection_id = @connection and account_id = @account`,
			args{"connection": d.ConnectionID, "account": d.ExternalID})
		if err != nil {
			return err
		}
		d.Changes, err = all[schema.Change](ctx, q, `select `+changeColumns+` from inventory_change h where h.account_id = @id
			order by h.seen_at desc, h.id desc limit @limit`, args{"id": d.ID, "limit": shownChanges})
		if err != nil {
			return err
		}
		d.Datasets, err = freshness(ctx, q, []schema.ConnectionID{d.ConnectionID}, now)
		return err
	})
	return d, err
}

// findAccount finds by exactly one of id, connection and vendor's id, and login.
func findAccount(ctx context.Context, q querier, ref string) (schema.AccountRow, error) {
	where, a := `a.login_key = lower(@ref) and c.state <> 'removed'`, args{"ref": ref}
	connection, external, named := strings.Cut(ref, "/")
	switch {
	case uuid.Validate(ref) == nil:
		where = `a.id = @ref`
	case named && !strings.Contains(connection, "@"):
		where, a = `c.name = @connection and c.state <> 'removed' and a.external_id = @ref`, args{"connection": connection, "ref": external}
	}
	found, err := all[schema.AccountRow](ctx, q, `select `+accountRowColumns+` from account a`+accountRowJoins+` where `+where+` order by c.name, a.id limit 2`, a)
	switch {
	case err != nil:
		return schema.AccountRow{}, err
	case len(found) == 0:
		return schema.AccountRow{}, &schema.Error{
			Code: schema.CodeNotFound, Message: "no account of that id or login is known",
			Fix: "name it by its whole login, by CONNECTION/ID with the vendor's id, or by our id; sendoff accounts list shows all",
		}
	case len(found) > 1:
		return schema.AccountRow{}, &schema.Error{
			Code: schema.CodeAmbiguous, Message: "several accounts have that login",
			Fix: "name one by CONNECTION/ID: " + found[0].Connection + "/" + string(found[0].ExternalID) + " or " +
				found[1].Connection + "/" + string(found[1].ExternalID),
		}
	}
	return found[0], nil
}

// accountSource is what one declared source knows of an account.
type accountSource struct {
	Source        schema.ActivitySource
	FirstActiveAt time.Time
	LastActiveAt  time.Time
	LastEvent     string
	CoveredFrom   time.Time
	CoveredTo     time.Time
}

// readAccountActivity reads the account's activity by source, in the declared order.
func readAccountActivity(ctx context.Context, q querier, d *schema.AccountDetail, now time.Time) error {
	sources, err := all[accountSource](ctx, q, `select s.source, u.first_active_at, u.last_active_at, coalesce(u.last_event, '') as last_event,
			i.from_at as covered_from, i.to_at as covered_to
		from (select @connection::uuid as id) c cross join lateral `+declaredSources+` s
		left join account_activity u on u.connection_id = c.id and u.external_id = @account and u.source = s.source
		left join lateral (select from_at, to_at from activity_interval i where i.connection_id = c.id and i.source = s.source
			order by from_at desc limit 1) i on true
		order by s.rank, s.source`, args{"connection": d.ConnectionID, "account": d.ExternalID})
	if err != nil {
		return err
	}
	var plain []schema.Activity
	for _, s := range sources {
		activity := schema.Activity{
			Source: s.Source, LastActiveAt: s.LastActiveAt, LastEvent: s.LastEvent,
			Covered: schema.Interval{From: s.CoveredFrom, To: s.CoveredTo},
		}
		if d.Basis.Source == "" && !activity.Covered.Empty() {
			d.Basis = schema.GradeBasis{Source: s.Source, Covered: activity.Covered}
		}
		plain = append(plain, activity)
		d.Activities = append(d.Activities, schema.SourceActivity{Activity: activity, FirstActiveAt: s.FirstActiveAt})
	}
	d.Grade = schema.GradeOf(plain, d.Threshold, d.CreatedAt, now)
	return nil
}
