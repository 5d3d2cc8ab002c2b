package store_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

// modelPopulation is a population that is known account by account.
type modelPopulation struct {
	now         time.Time
	connections []schema.ConnectionID
	covered     map[schema.ConnectionID]schema.Interval
	accounts    []modelAccount
}

type modelAccount struct {
	schema.Account
	used       time.Time
	employment schema.EmploymentKind
	kept       time.Time
}

// drawPopulation stores connections that cover whatever they cover and accounts of
// every sort, on a grid of hours and the microsecond beside it, so that borders meet.
func drawPopulation(rt *rapid.T, conn *pgx.Conn, now time.Time) modelPopulation {
	m := modelPopulation{now: now, covered: map[schema.ConnectionID]schema.Interval{}}
	batch := &pgx.Batch{}
	at := func(label string, most int) time.Time {
		off := time.Duration(rapid.IntRange(-1, 1).Draw(rt, label+" off")) * time.Microsecond
		return now.Add(-time.Duration(rapid.IntRange(0, most).Draw(rt, label)) * time.Hour).Add(off)
	}
	for range rapid.IntRange(1, 3).Draw(rt, "connections") {
		c := schema.ConnectionID(uuid.NewString())
		m.connections = append(m.connections, c)
		batch.Queue(`insert into connection (id, name, vendor, state, read_only, base_url, token_url, client_id, enterprise_id, as_user, created_at, updated_at, version)
			values ($1::text::uuid, $1::text, 'box', 'enabled', true, '', '', '', '900', '', now(), now(), 1)`, string(c))
		batch.Queue(`insert into activity_feed (connection_id, source, live, updated_at) values ($1::text::uuid, 'a', $2, now())`,
			string(c), map[bool]string{true: "1"}[rapid.IntRange(0, 4).Draw(rt, "has a feed") > 0])
		m.drawCoverage(rt, batch, c, at)
		for n := range rapid.IntRange(0, 8).Draw(rt, "accounts") {
			m.drawAccount(rt, batch, c, n, at)
		}
	}
	require.NoError(rt, conn.SendBatch(rt.Context(), batch).Close())
	return m
}

// drawCoverage declares sources or none, the first of which may have nothing.
func (m *modelPopulation) drawCoverage(rt *rapid.T, batch *pgx.Batch, c schema.ConnectionID, at func(string, int) time.Time) {
	declared := rapid.SampledFrom([][]string{nil, {"a"}, {"b", "a"}, {"b"}}).Draw(rt, "declared")
	spans := map[string]schema.Interval{}
	for _, source := range []string{"a", "b"} {
		for range rapid.IntRange(0, 2).Draw(rt, "spans of "+source) {
			to := at("to", 60)
			i := schema.Interval{From: to.Add(-time.Duration(rapid.IntRange(0, 200).Draw(rt, "span")) * time.Hour), To: to}
			if last, ok := spans[source]; ok && !i.From.After(last.To) {
				continue // the later one, with a hole before it
			}
			spans[source] = i
			batch.Queue(`insert into activity_interval values ($1::text::uuid, $2, $3, $4)`, string(c), source, i.From, i.To)
		}
	}
	for rank, source := range declared {
		batch.Queue(`insert into activity_source values ($1::text::uuid, $2, $3)`, string(c), rank, source)
	}
	batch.Queue(`delete from activity_feed where connection_id = $1::text::uuid and live = ''`, string(c))
	m.covered[c] = schema.Interval{}
	for _, source := range declared {
		if m.covered[c].Empty() {
			m.covered[c] = spans[source]
		}
	}
	if len(declared) == 0 {
		m.covered[c] = spans["a"] // where the feed has begun: read by the caller
	}
}

func (m *modelPopulation) drawAccount(rt *rapid.T, batch *pgx.Batch, c schema.ConnectionID, n int, at func(string, int) time.Time) {
	a := modelAccount{Account: schema.Account{
		ID: schema.AccountID(uuid.NewString()), ConnectionID: c, ExternalID: schema.ExternalID(strconv.Itoa(n)), Login: fmt.Sprint("u", n, "@example.com"),
		Name: fmt.Sprint("U ", n), VendorStatus: "x", EnterpriseID: "900", SpaceAmount: -1, ObservedAt: m.now,
		Role:   rapid.SampledFrom([]schema.AccountRole{"member", "member", "coadmin", "admin", "auditor"}).Draw(rt, "role"),
		Status: rapid.SampledFrom([]schema.AccountStatus{"active", "active", "active", "suspended", "restricted", "missing", "deleted"}).Draw(rt, "status"),
		Kind:   rapid.SampledFrom([]schema.AccountKind{"person", "person", "person", "service", "app", "external"}).Draw(rt, "kind"),
	}, used: time.Time{}}
	a.SpaceUsed = int64(rapid.IntRange(0, 3).Draw(rt, "space"))
	if rapid.Bool().Draw(rt, "creation is known") {
		a.CreatedAt = at("created", 240)
	}
	if rapid.Bool().Draw(rt, "used") {
		a.used = at("used", 240)
	}
	if rapid.IntRange(0, 3).Draw(rt, "with tracking") == 0 {
		a.Tracking = map[string]string{"number": fmt.Sprint(n)}
	}
	if rapid.Bool().Draw(rt, "of a person") {
		a.PersonID = schema.PersonID(uuid.NewString())
		a.employment = rapid.SampledFrom([]schema.EmploymentKind{"", "employee", "contractor"}).Draw(rt, "employment")
		batch.Queue(`insert into person (id, name, kind, created_at) values ($1::text::uuid, 'P', $2, now())`, string(a.PersonID), a.employment)
		if a.employment != "" {
			batch.Queue(`insert into employment (source, external_id, person_id, kind, name, email, updated_at)
				values ('hr', $1::text, $1::text::uuid, $2, 'P', '', now())`, string(a.PersonID), a.employment)
		}
	}
	batch.Queue(`insert into account (id, connection_id, external_id, person_id, login, name, role, status, vendor_status, kind, enterprise_id,
			space_used, space_amount, created_at, observed_at, tracking, last_active_at, last_event, last_source)
		values ($1::text::uuid, $2::text::uuid, $3, nullif($4, '')::uuid, $5, $6, $7, $8, $9, $10, '900', $11, -1, $12, $13, coalesce($14::jsonb, '{}'), $15, '', '')`,
		string(a.ID), string(a.ConnectionID), string(a.ExternalID), string(a.PersonID), a.Login, a.Name, string(a.Role), string(a.Status), a.VendorStatus,
		string(a.Kind), a.SpaceUsed, orNull(a.CreatedAt), a.ObservedAt, a.Tracking, orNull(a.used))
	for i := range rapid.IntRange(0, 2).Draw(rt, "kept") {
		kept := at("kept at", 240).Add(time.Duration(i) * 300 * time.Hour) // twice at one instant it cannot be
		if kept.After(a.kept) {
			a.kept = kept
		}
		batch.Queue(`insert into account_kept (account_id, kept_at, by_name, reason) values ($1::text::uuid, $2, 'p', 'r')`, string(a.ID), kept)
	}
	m.accounts = append(m.accounts, a)
}

func orNull(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// drawQuery is a rule over all connections but perhaps the last.
func (m modelPopulation) drawQuery(rt *rapid.T) schema.PopulationQuery {
	hours := func(label string) time.Duration {
		return time.Duration(rapid.IntRange(0, 120).Draw(rt, label)) * time.Hour
	}
	q := schema.PopulationQuery{
		Connections: m.connections[:rapid.IntRange(min(1, len(m.connections)), len(m.connections)).Draw(rt, "of")], Now: m.now,
		Kinds:     rapid.SliceOfN(rapid.SampledFrom([]schema.AccountKind{"person", "person", "service", "app", "external"}), 0, 3).Draw(rt, "kinds"),
		Statuses:  rapid.SliceOfN(rapid.SampledFrom([]schema.AccountStatus{"active", "active", "suspended", "restricted", "missing"}), 0, 3).Draw(rt, "statuses"),
		Grades:    rapid.SliceOfN(rapid.SampledFrom([]schema.Grade{"inactive", "never", "active", "unknown", "not_collected"}), 0, 5).Draw(rt, "grades"),
		Threshold: schema.Threshold{Default: hours("threshold")},
		Needs:     schema.Needs{Person: rapid.Bool().Draw(rt, "person"), Groups: rapid.Bool().Draw(rt, "groups")},
	}
	for range rapid.IntRange(0, 2).Draw(rt, "kind thresholds") {
		q.Threshold.Kinds = append(q.Threshold.Kinds, schema.KindThreshold{
			Kind: rapid.SampledFrom([]schema.AccountKind{"person", "service"}).Draw(rt, "kind"), For: hours("for kind"),
		})
	}
	for range rapid.IntRange(0, 2).Draw(rt, "role thresholds") {
		q.Threshold.Roles = append(q.Threshold.Roles, schema.RoleThreshold{
			Role: rapid.SampledFrom([]schema.AccountRole{"member", "coadmin", "admin"}).Draw(rt, "role"), For: hours("for role"),
		})
	}
	for range rapid.IntRange(0, 2).Draw(rt, "bounds") {
		q.Bounds = append(q.Bounds, drawBound(rt))
	}
	return q
}

func drawBound(rt *rapid.T) schema.Bound {
	values := map[schema.BoundField][]string{
		schema.BoundStatus: {"active", "suspended"}, schema.BoundKind: {"person", "service"}, schema.BoundRole: {"member", "coadmin"},
		schema.BoundPrivileged: {"true", "false"}, schema.BoundKnown: {"true", "false"}, schema.BoundEmployment: {"", "employee", "contractor"},
		schema.BoundSpaceUsed: {"0", "1", "2"},
	}
	fields := []schema.BoundField{
		schema.BoundStatus, schema.BoundKind, schema.BoundRole, schema.BoundPrivileged, schema.BoundKnown, schema.BoundEmployment, schema.BoundSpaceUsed,
	}
	b := schema.Bound{Field: rapid.SampledFrom(fields).Draw(rt, "field")}
	ops := []schema.BoundOp{schema.BoundIn, schema.BoundNotIn}
	if b.Field == schema.BoundSpaceUsed {
		ops = append(ops, schema.BoundLess, schema.BoundAtMost, schema.BoundMore, schema.BoundAtLeast)
	}
	b.Op = rapid.SampledFrom(ops).Draw(rt, "op")
	most := 2
	if b.Op != schema.BoundIn && b.Op != schema.BoundNotIn {
		most = 1
	}
	b.Values = rapid.SliceOfN(rapid.SampledFrom(values[b.Field]), most/2+most%2, most).Draw(rt, "values")
	return b
}

// meets is a bound over what is known of an account.
func (a modelAccount) meets(b schema.Bound) bool {
	fact := map[schema.BoundField]string{
		schema.BoundStatus: string(a.Status), schema.BoundKind: string(a.Kind), schema.BoundRole: string(a.Role),
		schema.BoundPrivileged: strconv.FormatBool(a.Role.Privileged()), schema.BoundKnown: strconv.FormatBool(a.PersonID != ""),
		schema.BoundEmployment: string(a.employment), schema.BoundSpaceUsed: strconv.FormatInt(a.SpaceUsed, 10),
	}[b.Field]
	switch b.Op {
	case schema.BoundIn:
		return slices.Contains(b.Values, fact)
	case schema.BoundNotIn:
		return !slices.Contains(b.Values, fact)
	}
	limit, _ := strconv.ParseInt(b.Values[0], 10, 64)
	return map[schema.BoundOp]bool{
		schema.BoundLess: a.SpaceUsed < limit, schema.BoundAtMost: a.SpaceUsed <= limit,
		schema.BoundMore: a.SpaceUsed > limit, schema.BoundAtLeast: a.SpaceUsed >= limit,
	}[b.Op]
}

// expect judges an account as schema does; empty = it is handed out.
func (m modelPopulation) expect(q schema.PopulationQuery, a modelAccount) (schema.VerdictReason, schema.Grade) {
	if !slices.Contains(q.Kinds, a.Kind) {
		return schema.ReasonKind, ""
	}
	if !slices.Contains(q.Statuses, a.Status) {
		return schema.ReasonStatus, ""
	}
	activity := schema.Activity{LastActiveAt: a.used, Covered: m.covered[a.ConnectionID]}
	grade := schema.GradeOf([]schema.Activity{activity}, q.Threshold.Of(a.Kind, a.Role), a.CreatedAt, m.now)
	switch {
	case grade == schema.GradeNotCollected:
		return schema.ReasonNotCollected, grade
	case grade == schema.GradeUnknown:
		return schema.ReasonUnknown, grade
	case !slices.Contains(q.Grades, grade):
		return schema.ReasonGrade, grade
	case slices.ContainsFunc(q.Bounds, func(b schema.Bound) bool { return !a.meets(b) }):
		return schema.ReasonNoMatch, grade
	}
	return "", grade
}

// TestPopulationIsWhatSchemaSays: what is counted and handed out is what GradeOf and
// Threshold.Of say of every account, one by one.
func TestPopulationIsWhatSchemaSays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := b.sql()
	seen := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		m := drawPopulation(rt, conn, ago(0))
		for c := range m.covered {
			basis, err := b.PopulationBasis(t.Context(), []schema.ConnectionID{c})
			require.NoError(rt, err)
			if basis[0].Covered.Empty() && !m.covered[c].Empty() { // no order, and the feed has not begun
				sources, err := b.SourcesOf(t.Context(), c)
				require.NoError(rt, err)
				require.Empty(rt, sources)
				m.covered[c] = schema.Interval{}
			}
			require.Equal(rt, m.covered[c], basis[0].Covered)
		}
		for range 3 {
			m.check(rt, b, m.drawQuery(rt), seen)
		}
	})
	require.GreaterOrEqual(t, len(seen), 10, "the draw has to bring most verdicts: %v", seen)
}

func (m modelPopulation) check(rt *rapid.T, b *bundle, q schema.PopulationQuery, seen map[string]int) {
	reasons, want, total := map[schema.VerdictReason]int64{}, map[schema.AccountID]schema.Subject{}, int64(0)
	for _, a := range m.accounts {
		if !slices.Contains(q.Connections, a.ConnectionID) || a.Status == schema.AccountMissing || a.Status == schema.AccountDeleted {
			continue
		}
		total++
		reason, grade := m.expect(q, a)
		seen[string(reason)+" "+string(grade)]++
		if reason != "" {
			reasons[reason]++
			continue
		}
		require.NotContains(rt, []schema.Grade{schema.GradeUnknown, schema.GradeNotCollected}, grade)
		want[a.ID] = m.subject(a, q.Needs)
	}
	got, handed := map[schema.AccountID]schema.Subject{}, int64(0)
	p, err := b.Population(b.t.Context(), q, func(batch []schema.Subject) error {
		for _, s := range batch {
			got[s.Account.ID] = s
			handed++
		}
		return nil
	})
	require.NoError(rt, err)
	require.Equal(rt, want, got)
	require.Len(rt, got, int(handed), "none twice")
	require.Equal(rt, total, p.Total)
	sum := handed
	for _, r := range p.Reasons {
		require.Equal(rt, reasons[r.Reason], r.Count, r.Reason)
		require.Positive(rt, r.Count)
		sum += r.Count
	}
	require.Equal(rt, total, sum)
	for id, s := range got {
		alone, err := b.Subject(b.t.Context(), id, q.Needs)
		require.NoError(rt, err)
		require.Equal(rt, s, alone)
		break
	}
}

func (m modelPopulation) subject(a modelAccount, needs schema.Needs) schema.Subject {
	s := schema.Subject{
		Account: a.Account, Connection: string(a.ConnectionID), KeptAt: a.kept,
		Activity: schema.Activity{LastActiveAt: a.used, Covered: m.covered[a.ConnectionID]},
	}
	if needs.Person && a.PersonID != "" {
		s.Person = &schema.Holder{ID: a.PersonID, Name: "P", Employment: a.employment}
	}
	if needs.Groups {
		s.Groups = []schema.HeldGroup{}
	}
	return s
}
