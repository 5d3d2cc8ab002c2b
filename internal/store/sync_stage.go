package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"sendoff/schema"
)

// Staging is a run's own: pages are stored with the marker of the next one by
// compare-and-set, so a try that was overtaken stores nothing (CodeStale), and a
// run that ended takes nothing more. The run's row is held shared meanwhile.

// Progress is how far the run is with the data set.
func (s *Store) Progress(ctx context.Context, id schema.RunID, d schema.Dataset) (schema.DatasetProgress, error) {
	p, ok, err := maybe[schema.DatasetProgress](ctx, s.pool, `select `+progressColumns+` from run_dataset where run_id = @id and dataset = @dataset`,
		args{"id": id, "dataset": d})
	if err == nil && !ok {
		err = notFound("data set "+string(d)+" of run", string(id))
	}
	return p, translate("read how far a run is", err)
}

// stagingRow is a run's data set, locked, with the state of its run.
type stagingRow struct {
	schema.DatasetProgress
	ID       schema.RunID
	RunState schema.RunState
}

// lockDataset locks a run's data set for a change by whoever carries the run out.
func (t *tx) lockDataset(ctx context.Context, id schema.RunID, d schema.Dataset) (schema.DatasetProgress, error) {
	row, ok, err := maybe[stagingRow](ctx, t, `select r.id, r.state as run_state,
			d.dataset, d.state, d.reason, d.generation, d.pages, d.rows, d.marker, d.updated_at
		from run r join run_dataset d on d.run_id = r.id
		where r.id = @id and d.dataset = @dataset for share of r for no key update of d`, args{"id": id, "dataset": d})
	switch {
	case err != nil:
	case !ok:
		err = notFound("data set "+string(d)+" of run", string(id))
	case !row.RunState.Open():
		err = runEnded(schema.Run{ID: id, State: row.RunState})
	}
	return row.DatasetProgress, err
}

// lockPage is lockDataset for a try that believes the run to be at a page.
func (t *tx) lockPage(ctx context.Context, id schema.RunID, at schema.DatasetProgress) error {
	now, err := t.lockDataset(ctx, id, at.Dataset)
	if err != nil {
		return err
	}
	listing := now.State == schema.DatasetPending || now.State == schema.DatasetCollecting
	if !listing || now.Generation != at.Generation || now.Pages != at.Pages || now.Marker != at.Marker {
		return overtaken(id, at.Dataset)
	}
	return nil
}

func overtaken(id schema.RunID, d schema.Dataset) error {
	return &schema.Error{Code: schema.CodeStale, Message: fmt.Sprintf("the listing of %s in run %s went on without this try", d, id)}
}

// StageAccounts stores a page of accounts with the marker of the next one; the
// last page completes the data set. An entry takes the place of one that came
// before. CodeStale when the run is not at that page.
func (s *Store) StageAccounts(ctx context.Context, id schema.RunID, at schema.DatasetProgress, entries []schema.Account, next string) (schema.DatasetProgress, error) {
	at.Dataset = schema.DataAccounts
	return s.stagePage(ctx, id, at, next, func(ctx context.Context, t *tx) (int64, error) {
		return t.stageAccounts(ctx, id, at.Generation, at.Pages+1, entries)
	})
}

// StageGroups is StageAccounts for groups.
func (s *Store) StageGroups(ctx context.Context, id schema.RunID, at schema.DatasetProgress, entries []schema.Group, next string) (schema.DatasetProgress, error) {
	at.Dataset = schema.DataGroups
	return s.stagePage(ctx, id, at, next, func(ctx context.Context, t *tx) (int64, error) {
		return t.stageGroups(ctx, id, at.Generation, at.Pages+1, entries)
	})
}

// stagePage stores a page by stage, which returns how many of its entries are
// new, and moves the run past it.
func (s *Store) stagePage(ctx context.Context, id schema.RunID, at schema.DatasetProgress, next string, stage func(context.Context, *tx) (int64, error)) (schema.DatasetProgress, error) {
	after := at
	err := s.inTx(ctx, "stage a page of "+string(at.Dataset), func(ctx context.Context, t *tx) error {
		if err := t.lockPage(ctx, id, at); err != nil {
			return err
		}
		fresh, err := stage(ctx, t)
		if err != nil {
			return err
		}
		to := schema.DatasetCollecting
		if next == "" {
			to = schema.DatasetCollected
		}
		after, err = one[schema.DatasetProgress](ctx, t, `update run_dataset set state = @to, pages = pages + 1, rows = rows + @fresh, marker = @next, updated_at = @now
			where run_id = @id and dataset = @dataset returning `+progressColumns,
			args{"id": id, "dataset": at.Dataset, "to": to, "fresh": fresh, "next": next, "now": t.now})
		return err
	})
	return after, err
}

// lastOfEach keeps the last entry of each key: one statement cannot change a row
// twice, and vendors list things twice.
func lastOfEach[T any](entries []T, key func(T) schema.ExternalID) []T {
	at := make(map[schema.ExternalID]int, len(entries))
	out := make([]T, 0, len(entries))
	for _, e := range entries {
		if i, twice := at[key(e)]; twice {
			out[i] = e
			continue
		}
		at[key(e)] = len(out)
		out = append(out, e)
	}
	return out
}

// nullable is an instant for an array, where the zero one must be told apart.
func nullable(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (t *tx) stageAccounts(ctx context.Context, id schema.RunID, generation, page int, entries []schema.Account) (int64, error) {
	entries = lastOfEach(entries, func(a schema.Account) schema.ExternalID { return a.ExternalID })
	n := len(entries)
	texts := make([][]string, 9)
	for i := range texts {
		texts[i] = make([]string, n)
	}
	used, amount := make([]int64, n), make([]int64, n)
	created, observed := make([]*time.Time, n), make([]*time.Time, n)
	for i, a := range entries {
		if a.ObservedAt.IsZero() {
			return 0, &schema.Error{Code: schema.CodeInternal, Message: "stage accounts: an observation carries no time"}
		}
		attributes, err := json.Marshal(tracking(a))
		if err != nil {
			return 0, err
		}
		for j, v := range []string{
			string(a.ExternalID), a.Login, a.Name, string(a.Role), string(a.Status), a.VendorStatus, string(a.Kind), a.EnterpriseID, string(attributes),
		} {
			texts[j][i] = v
		}
		used[i], amount[i], created[i], observed[i] = a.SpaceUsed, a.SpaceAmount, nullable(a.CreatedAt), &a.ObservedAt
	}
	return scalar[int64](ctx, t, `with staged as (
			insert into staged_account as s (run_id, generation, page, external_id, login, name, role, status, vendor_status, kind, enterprise_id,
				tracking, space_used, space_amount, created_at, observed_at)
			select @id, @generation, @page, p.external_id, p.login, p.name, p.role, p.status, p.vendor_status, p.kind, p.enterprise_id,
				p.tracking::jsonb, p.used, p.amount, p.created_at, p.observed_at
			from unnest(@ids::text[], @logins::text[], @names::text[], @roles::text[], @statuses::text[], @vendor_statuses::text[], @kinds::text[],
				@enterprises::text[], @tracking::text[], @used::bigint[], @amount::bigint[], @created::timestamptz[], @observed::timestamptz[])
				as p(external_id, login, name, role, status, vendor_status, kind, enterprise_id, tracking, used, amount, created_at, observed_at)
			on conflict (run_id, generation, external_id) do update set
				(page, login, name, role, status, vendor_status, kind, enterprise_id, tracking, space_used, space_amount, created_at, observed_at)
				= (excluded.page, excluded.login, excluded.name, excluded.role, excluded.status, excluded.vendor_status, excluded.kind,
					excluded.enterprise_id, excluded.tracking, excluded.space_used, excluded.space_amount, excluded.created_at, excluded.observed_at)
				where excluded.observed_at >= s.observed_at
			returning s.xmax = 0 as fresh)
		select count(*) filter (where fresh) from staged`,
		args{
			"id": id, "generation": generation, "page": page, "ids": texts[0], "logins": texts[1], "names": texts[2], "roles": texts[3],
			"statuses": texts[4], "vendor_statuses": texts[5], "kinds": texts[6], "enterprises": texts[7], "tracking": texts[8],
			"used": used, "amount": amount, "created": created, "observed": observed,
		})
}

// stageGroups stores groups. The members of a group of everybody are not listed:
// no vendor does.
func (t *tx) stageGroups(ctx context.Context, id schema.RunID, generation, page int, entries []schema.Group) (int64, error) {
	entries = lastOfEach(entries, func(g schema.Group) schema.ExternalID { return g.ExternalID })
	n := len(entries)
	ids, names, provenances := make([]string, n), make([]string, n), make([]string, n)
	everybody, created := make([]bool, n), make([]*time.Time, n)
	for i, g := range entries {
		ids[i], names[i], provenances[i], everybody[i], created[i] = string(g.ExternalID), g.Name, g.Provenance, g.Everybody, nullable(g.CreatedAt)
	}
	return scalar[int64](ctx, t, `with staged as (
			insert into staged_group as s (run_id, generation, page, external_id, name, everybody, provenance, created_at, members_state)
			select @id, @generation, @page, p.*, case when p.everybody then 'done' else 'pending' end
			from unnest(@ids::text[], @names::text[], @everybody::boolean[], @provenances::text[], @created::timestamptz[])
				as p(external_id, name, everybody, provenance, created_at)
			on conflict (run_id, generation, external_id) do update set
				(page, name, everybody, provenance, created_at)
				= (excluded.page, excluded.name, excluded.everybody, excluded.provenance, excluded.created_at)
			returning s.xmax = 0 as fresh)
		select count(*) filter (where fresh) from staged`,
		args{
			"id": id, "generation": generation, "page": page, "ids": ids, "names": names, "everybody": everybody,
			"provenances": provenances, "created": created,
		})
}

// RestartDataset begins the listing of accounts or groups anew, in the next
// generation; what was staged of it, and of what depends on it, is dropped.
func (s *Store) RestartDataset(ctx context.Context, id schema.RunID, at schema.DatasetProgress) (schema.DatasetProgress, error) {
	drop := map[schema.Dataset][]string{
		schema.DataAccounts: {"staged_account", "staged_absence"},
		schema.DataGroups:   {"staged_group", "staged_membership", "staged_collaboration"},
	}[at.Dataset]
	if drop == nil {
		return at, &schema.Error{Code: schema.CodeInternal, Message: "a listing of " + string(at.Dataset) + " does not begin anew by itself"}
	}
	after := at
	err := s.inTx(ctx, "list anew", func(ctx context.Context, t *tx) error {
		if err := t.lockPage(ctx, id, at); err != nil {
			return err
		}
		for _, table := range drop {
			if err := t.run(ctx, `delete from `+table+` where run_id = @id`, args{"id": id}); err != nil {
				return err
			}
		}
		also := []schema.Dataset{at.Dataset}
		if at.Dataset == schema.DataGroups {
			also = append(also, schema.DataMemberships, schema.DataCollaborations)
		}
		rows, err := all[schema.DatasetProgress](ctx, t, `update run_dataset
			set state = case when dataset = @dataset then 'collecting' else 'pending' end, reason = '', generation = generation + 1, pages = 0, rows = 0, marker = '', updated_at = @now
			where run_id = @id and dataset = any(@also) returning `+progressColumns,
			args{"id": id, "dataset": at.Dataset, "also": also, "now": t.now})
		for _, p := range rows {
			if p.Dataset == at.Dataset {
				after = p
			}
		}
		return err
	})
	return after, err
}
