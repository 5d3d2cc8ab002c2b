package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"sendoff/schema"
)

const (
	// historiesAtOnce is how many accounts are handed out together.
	historiesAtOnce = 500
	// longestHistory bounds the span of a replay.
	longestHistory = 3 * 366
	// daysInWord is how many days of use a column of bits holds.
	daysInWord = 64
)

// historySettings keep a read of whole tables from being planned for a few rows.
const historySettings = `select set_config('jit', 'off', true), set_config('work_mem', '64MB', true), set_config('plan_cache_mode', 'force_custom_plan', true),
	set_config('enable_nestloop', 'off', true)`

// UseHistory hands out all accounts of the connections and kinds by id, whatever
// became of them, with the days on which a declared source saw them used. The slice
// and the days in it are used again. Postgres sums the days of each account to bits,
// so that a row of each account comes over instead of one of each day.
func (s *Store) UseHistory(ctx context.Context, q schema.ReplayQuery, each func([]schema.UsedAccount) error) error {
	days, err := daysOf(q.From, q.To)
	if err != nil {
		return err
	}
	q.Connections = orAll(q.Connections, nil)
	return s.readTx(ctx, "read the history of use", func(ctx context.Context, tx querier) error {
		if _, err := tx.Exec(ctx, historySettings); err != nil {
			return err
		}
		basis, err := populationBasis(ctx, tx, q.Connections, q.To)
		if err != nil {
			return err
		}
		everybody, err := everybodyGroups(ctx, tx, q.Connections, q.Needs)
		if err != nil {
			return err
		}
		sql, a, err := historySQL(ctx, tx, q, days)
		if err != nil {
			return err
		}
		h := historyReader{subjectReader: newSubjectReader(basis, everybody, q.Needs), days: days, batch: make([]schema.UsedAccount, 0, historiesAtOnce)}
		err = readSubjects(ctx, tx, sql, a, h.subjectReader, func(v *schema.Subject) error {
			if err := h.add(v); err != nil || len(h.batch) < historiesAtOnce {
				return err
			}
			return h.flush(each)
		})
		if err != nil || len(h.batch) == 0 {
			return err
		}
		return h.flush(each)
	})
}

// ReplayCoverage returns what is known of the use of the connections' accounts, in
// their order; CodeNotFound when one of them does not exist.
func (s *Store) ReplayCoverage(ctx context.Context, connections []schema.ConnectionID) ([]schema.UseCoverage, error) {
	var out []schema.UseCoverage
	err := s.readTx(ctx, "read the coverage of activity", func(ctx context.Context, q querier) error {
		basis, err := populationBasis(ctx, q, connections, time.Now().UTC())
		for _, b := range basis {
			c := schema.UseCoverage{ConnectionID: b.ConnectionID, Connection: b.Connection}
			sources, err := sourcesOf(ctx, q, b.ConnectionID)
			if err != nil {
				return err
			}
			for _, source := range sources {
				f, _, err := readFeed(ctx, q, b.ConnectionID, source, ``)
				if err != nil {
					return err
				}
				c.Sources = append(c.Sources, schema.SourceCoverage{Source: source, Covered: f.Covered, Backfill: f.Backfill, Events: f.Events})
			}
			out = append(out, c)
		}
		return err
	})
	return out, err
}

// daysOf are the UTC days of a span, both ends included.
func daysOf(from, to time.Time) ([]schema.Date, error) {
	first, last := schema.DateOf(from.UTC()), schema.DateOf(to.UTC())
	var days []schema.Date
	for d := first; !last.Before(d) && len(days) <= longestHistory; d = addDays(d, 1) {
		days = append(days, d)
	}
	if from.IsZero() || len(days) == 0 || len(days) > longestHistory {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "the span is not one of up to three years", Fix: "give its first and its last instant"}
	}
	return days, nil
}

// statusMoves are the kinds of change that tell of an account's status.
func statusMoves() []string {
	return []string{"status", "account_missing", "account_deleted", "account_returned"}
}

// historySQL reads accounts with their bits of days, the last day before, moves of
// their status, and when they went. Each connection's days are one range of the key
// of activity_day, which alone has all that is asked for.
func historySQL(ctx context.Context, q querier, r schema.ReplayQuery, days []schema.Date) (string, args, error) {
	a := args{
		"connections": r.Connections, "kinds": r.Kinds, "from": r.From, "to": r.To, "first": days[0].String(), "last": days[len(days)-1].String(), "moves": statusMoves(),
	}
	var ranges, words []string
	for i, c := range r.Connections {
		sources, err := sourcesOf(ctx, q, c)
		if err != nil {
			return "", nil, err
		}
		a[fmt.Sprintf("connection_%d", i)], a[fmt.Sprintf("sources_%d", i)] = c, sources
		ranges = append(ranges, fmt.Sprintf(`select connection_id, external_id, day from activity_day
			where connection_id = @connection_%d and source = any(@sources_%d) and day <= @last::date`, i, i))
	}
	if len(ranges) == 0 {
		ranges = append(ranges, `select connection_id, external_id, day from activity_day where day <= @last::date and false`)
	}
	for w := range (len(days) + daysInWord - 1) / daysInWord {
		words = append(words, fmt.Sprintf(`coalesce(bit_or(1::bigint << (day - @first::date - %[1]d)) filter (where day >= @first::date + %[1]d and day < @first::date + %[2]d), 0)`,
			w*daysInWord, (w+1)*daysInWord))
	}
	return `select ` + subjectColumns(r.Needs) + `, u.before, u.words, w.moves,
			case when a.status in ('missing', 'deleted') then coalesce(
				(select min(h.seen_at) from inventory_change h where h.account_id = a.id and h.kind in ('account_missing', 'account_deleted')
					and h.seen_at > coalesce((select max(n.seen_at) from inventory_change n where n.account_id = a.id and n.kind = 'account_returned'), '-infinity')),
				a.missing_since, a.observed_at) end` +
		subjectFrom(r.Needs, r.Needs.Person, true, a, r.To) + `
		left join (select connection_id, external_id, max(day) filter (where day < @first::date) as before, array[` + strings.Join(words, `, `) + `] as words
			from (` + strings.Join(ranges, ` union all `) + `) d group by connection_id, external_id) u
			on u.connection_id = a.connection_id and u.external_id = a.external_id
		left join (select h.account_id, jsonb_agg(jsonb_build_object('at', (extract(epoch from h.seen_at) * 1000000)::bigint, 'before', h.before, 'after', h.after)
				order by h.seen_at, h.id) as moves
			from inventory_change h where h.connection_id = any(@connections) and h.kind = any(@moves) and h.account_id is not null
				and h.seen_at >= @from and h.seen_at <= @to group by h.account_id) w on w.account_id = a.id
		where a.connection_id = any(@connections) and a.kind = any(@kinds) order by a.id`, a, nil
}

// historyReader reads what follows the columns of a subject.
type historyReader struct {
	*subjectReader
	days  []schema.Date
	used  [][]schema.Date // of each place in the batch, used again
	batch []schema.UsedAccount
}

type historyMove struct {
	At            int64
	Before, After schema.AccountStatus
}

func (h *historyReader) add(v *schema.Subject) error {
	u := schema.UsedAccount{Subject: *v, Before: h.day()}
	place := len(h.batch)
	if place == len(h.used) {
		h.used = append(h.used, nil)
	}
	h.used[place] = h.bits(h.used[place][:0])
	u.Days = h.used[place]
	var moves []historyMove
	h.document(&moves)
	for _, m := range moves {
		u.Changes = append(u.Changes, schema.StatusMove{At: time.UnixMicro(m.At).UTC(), Before: m.Before, After: m.After})
	}
	u.GoneAt = h.instant()
	h.batch = append(h.batch, u)
	return h.err
}

// bits appends the days whose bit is set in an array of bigint, none of which is
// null: of each element the length and then the value, behind the array's head.
func (h *historyReader) bits(days []schema.Date) []schema.Date {
	const head, element = 20, 12
	b := h.next(0)
	for n := 0; len(b) >= head+(n+1)*element; n++ {
		at := head + n*element
		for i, x := 0, binary.BigEndian.Uint64(b[at+4:at+element]); x != 0; i, x = i+1, x>>1 {
			if day := n*daysInWord + i; x&1 != 0 && day < len(h.days) {
				days = append(days, h.days[day])
			}
		}
	}
	return days
}

func (h *historyReader) flush(each func([]schema.UsedAccount) error) error {
	err := each(h.batch)
	clear(h.batch)
	h.batch = h.batch[:0]
	return err
}
