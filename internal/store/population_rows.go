package store

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// holderEmployment is how the person of an account is employed; of nobody it is
// empty. It needs the joins of subjectFrom with people.
const holderEmployment = `coalesce(e.kind, p.kind, '')`

// subjectColumns are what a subjectReader reads, in its order.
func subjectColumns(needs schema.Needs) string {
	columns := `a.id, a.connection_id, a.external_id, a.person_id, a.login, a.name, a.role, a.status, a.vendor_status, a.kind,
		a.enterprise_id, a.space_used, a.space_amount, a.created_at, a.observed_at, nullif(a.tracking, '{}') as tracking,
		a.last_active_at, a.last_event, a.last_source, k.kept_at`
	if needs.Person {
		columns += `, coalesce(p.email, ''), coalesce(p.name, ''), ` + holderEmployment + `, coalesce(e.status, ''),
			coalesce(e.department, p.department, ''), coalesce(e.site, ''), coalesce(m.email, ''), e.hire_date,
			case when e.source is null then p.last_day else coalesce(e.last_working_day, e.terminated_on) end`
	}
	if needs.Groups {
		columns += `, (select jsonb_agg(jsonb_build_array(g.group_id, v.name, g.role) order by g.group_id)
			from group_membership g join vendor_group v on v.connection_id = g.connection_id and v.external_id = g.group_id
			where g.connection_id = a.connection_id and g.account_id = a.external_id)`
	}
	return columns
}

// subjectFrom joins an account, a, with what subjectColumns read. What counts of a
// person is the employment that counts now, or what stands with the person when no
// source tells of one. For many accounts all employments are sorted once; for few
// each is looked up.
func subjectFrom(needs schema.Needs, people, many bool, a args, now time.Time) string {
	from := ` from account a
		left join (select account_id, max(kept_at) as kept_at from account_kept group by account_id) k on k.account_id = a.id`
	if !people {
		return from
	}
	a["today"] = schema.DateOf(now.UTC())
	const columns = `e.person_id, e.source, e.kind, e.status, e.department, e.site, e.manager_id, e.hire_date, e.last_working_day, e.terminated_on`
	from += ` left join person p on p.id = a.person_id`
	if many {
		from += ` left join (select distinct on (e.person_id) ` + columns + ` from employment e order by e.person_id, ` + presentFirst + `) e on e.person_id = a.person_id`
	} else {
		from += ` left join lateral (select ` + columns + ` from employment e where e.person_id = a.person_id order by ` + presentFirst + ` limit 1) e on true`
	}
	if needs.Person {
		from += ` left join person m on m.id = case when e.source is null then p.manager_id else e.manager_id end`
	}
	return from
}

// everybodyGroups are the groups that every account of a connection is in: the
// vendor lists no members of them.
func everybodyGroups(ctx context.Context, q querier, connections []schema.ConnectionID, needs schema.Needs) (map[schema.ConnectionID][]schema.HeldGroup, error) {
	if !needs.Groups {
		return nil, nil //nolint:nilnil // none are asked for
	}
	rows, err := all[struct {
		ConnectionID     schema.ConnectionID
		ExternalID, Name string
	}](ctx, q, `select connection_id, external_id, name from vendor_group
		where connection_id = any(@connections) and everybody order by connection_id, external_id`, args{"connections": connections})
	out := map[schema.ConnectionID][]schema.HeldGroup{}
	for _, r := range rows {
		out[r.ConnectionID] = append(out[r.ConnectionID], schema.HeldGroup{ID: r.ExternalID, Name: r.Name})
	}
	return out, err
}

// readSubjects streams the rows of a query that selects subjectColumns. The subject
// is used again.
func readSubjects(ctx context.Context, q querier, sql string, a args, r *subjectReader, each func(*schema.Subject) error) error {
	rows, err := q.Query(ctx, sql, pgx.QueryResultFormats{pgx.BinaryFormatCode}, a)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r.begin(rows.RawValues())
		v := r.subject()
		if r.err != nil {
			return r.err
		}
		if err := each(&v); err != nil {
			return err
		}
	}
	return rows.Err()
}

// subjectReader reads rows in Postgres's binary format by hand: a population is up
// to a million of them, and words that come again and again are kept once.
type subjectReader struct {
	needs     schema.Needs
	basis     map[schema.ConnectionID]schema.PopulationBasis
	everybody map[schema.ConnectionID][]schema.HeldGroup
	words     map[string]string
	values    [][]byte
	own       []byte // the texts that are the row's own, so that it costs one string
	err       error
}

func newSubjectReader(basis []schema.PopulationBasis, everybody map[schema.ConnectionID][]schema.HeldGroup, needs schema.Needs) *subjectReader {
	r := &subjectReader{needs: needs, basis: map[schema.ConnectionID]schema.PopulationBasis{}, everybody: everybody, words: map[string]string{}}
	for _, b := range basis {
		r.basis[b.ConnectionID] = b
	}
	return r
}

func (r *subjectReader) begin(values [][]byte) { r.values, r.own = values, r.own[:0] }

func (r *subjectReader) subject() schema.Subject {
	var v schema.Subject
	a := &v.Account
	id, connection, external, person, login, name := r.ownID(), r.commonID(), r.ownText(), r.ownID(), r.ownText(), r.ownText()
	own := string(r.own)
	a.ID, a.ConnectionID, a.ExternalID = schema.AccountID(id.of(own)), schema.ConnectionID(connection), schema.ExternalID(external.of(own))
	a.PersonID, a.Login, a.Name = schema.PersonID(person.of(own)), login.of(own), name.of(own)
	a.Role, a.Status, a.VendorStatus = schema.AccountRole(r.word()), schema.AccountStatus(r.word()), r.word()
	a.Kind, a.EnterpriseID = schema.AccountKind(r.word()), r.word()
	a.SpaceUsed, a.SpaceAmount, a.CreatedAt, a.ObservedAt = r.number(), r.number(), r.instant(), r.instant()
	r.document(&a.Tracking)
	basis := r.basis[a.ConnectionID]
	v.Connection = basis.Connection
	v.Activity = schema.Activity{LastActiveAt: r.instant(), LastEvent: r.word(), Source: schema.ActivitySource(r.word()), Covered: basis.Covered}
	v.KeptAt = r.instant()
	if r.needs.Person {
		h := schema.Holder{ID: a.PersonID, Email: r.text(), Name: r.text(), Employment: schema.EmploymentKind(r.word()), Status: schema.EmploymentStatus(r.word())}
		h.Department, h.Site, h.Manager, h.HireDate, h.LastDay = r.word(), r.word(), r.word(), r.day(), r.day()
		if a.PersonID != "" {
			v.Person = &h
		}
	}
	if r.needs.Groups {
		var list [][3]string
		r.document(&list)
		v.Groups = make([]schema.HeldGroup, 0, len(list)+len(r.everybody[a.ConnectionID]))
		for _, g := range list {
			v.Groups = append(v.Groups, schema.HeldGroup{ID: g[0], Name: g[1], Role: g[2]})
		}
		v.Groups = append(v.Groups, r.everybody[a.ConnectionID]...)
	}
	return v
}

// next is the next column; nil = NULL.
func (r *subjectReader) next(size int) []byte {
	if len(r.values) == 0 || size > 0 && r.values[0] != nil && len(r.values[0]) != size {
		r.err = errors.New("a row has other columns than it was read for")
		return nil
	}
	b := r.values[0]
	r.values = r.values[1:]
	return b
}

func (r *subjectReader) text() string { return string(r.next(0)) }

// maxWords bounds what is kept of words, should they not come again after all.
const maxWords = 10_000

// word is text that comes again.
func (r *subjectReader) word() string {
	b := r.next(0)
	if s, ok := r.words[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(r.words) < maxWords {
		r.words[s] = s
	}
	return s
}

// part is a part of the row's own texts.
type part struct{ from, to int }

func (p part) of(own string) string { return own[p.from:p.to] }

func (r *subjectReader) ownText() part {
	from := len(r.own)
	r.own = append(r.own, r.next(0)...)
	return part{from, len(r.own)}
}

func (r *subjectReader) ownID() part {
	from := len(r.own)
	if b := r.next(16); len(b) == 16 {
		var text [36]byte
		writeID(&text, b)
		r.own = append(r.own, text[:]...)
	}
	return part{from, len(r.own)}
}

func (r *subjectReader) commonID() string {
	b := r.next(16)
	if len(b) != 16 {
		return ""
	}
	var text [36]byte
	writeID(&text, b)
	if s, ok := r.words[string(text[:])]; ok {
		return s
	}
	s := string(text[:])
	r.words[s] = s
	return s
}

// writeID writes a UUID as RFC 9562 section 4 does.
func writeID(text *[36]byte, b []byte) {
	hex.Encode(text[0:8], b[0:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:36], b[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
}

func (r *subjectReader) number() int64 {
	b := r.next(8)
	if len(b) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b)) //nolint:gosec // two's complement, as it was written
}

// postgresEpoch is the instant that Postgres counts microseconds and days from, as
// seconds of Unix.
const postgresEpoch = 946_684_800

func (r *subjectReader) instant() time.Time {
	b := r.next(8)
	if len(b) != 8 {
		return time.Time{}
	}
	micro := int64(binary.BigEndian.Uint64(b)) //nolint:gosec // two's complement, as it was written
	return time.Unix(postgresEpoch+micro/1e6, micro%1e6*1e3).UTC()
}

func (r *subjectReader) day() schema.Date {
	b := r.next(4)
	if len(b) != 4 {
		return schema.Date{}
	}
	days := int64(int32(binary.BigEndian.Uint32(b))) //nolint:gosec // two's complement, as it was written
	return schema.DateOf(time.Unix(postgresEpoch+days*86400, 0).UTC())
}

// document reads jsonb: one byte of version, then the text.
func (r *subjectReader) document(into any) {
	b := r.next(0)
	if len(b) > 1 {
		r.err = errors.Join(r.err, json.Unmarshal(b[1:], into))
	}
}
