package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"golang.org/x/sync/errgroup"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/workflows"
)

// hrFeed is the source of events and hrSecret what they are signed with.
const (
	hrFeed   = "feed"
	hrSecret = "whsec_c2VuZG9mZi10ZXN0LXNlY3JldC1vZi0zMi1ieXRlcyE="
)

// hr measures what HR's door costs: the way from an accepted event to a suspended
// account, and how many events are taken and applied in a second.
func (b *bench) hr(ctx context.Context) ([]figure, error) {
	in, err := b.install(ctx, place{name: "hr", scale: 1})
	if err != nil {
		return nil, err
	}
	defer in.close() //nolint:errcheck // killed processes; figures are taken
	if err := in.connect(ctx); err != nil {
		return nil, err
	}
	if err := in.addFeed(ctx); err != nil {
		return nil, err
	}
	figures, err := in.hrLatency(ctx)
	if err != nil {
		return nil, err
	}
	more, err := in.hrEvents(ctx)
	return append(figures, more...), err
}

// addFeed adds a source whose leavers no limit holds.
func (in *installation) addFeed(ctx context.Context) error {
	limit := 1_000_000
	_, err := in.api.AddSource(ctx, apiclient.NewSource{
		Name: hrFeed, Kind: "standard-webhooks", SourceSecrets: apiclient.SourceSecrets{Secret: hrSecret},
		SourceFields: apiclient.SourceFields{TimeZone: "UTC", Template: "suspend", Limit: &apiclient.StartLimitInput{Number: &limit}},
	})
	return err
}

// hrPost posts a signed event and returns when it was accepted.
func (in *installation) hrPost(ctx context.Context, id string, facts map[string]string) (time.Time, error) {
	body, err := json.Marshal(map[string]any{"type": "employment.changed", "timestamp": time.Now().UTC().Format(time.RFC3339), "data": facts})
	if err != nil {
		return time.Time{}, err
	}
	hook, err := standardwebhooks.NewWebhook(hrSecret)
	if err != nil {
		return time.Time{}, err
	}
	now := time.Now()
	signature, err := hook.Sign(id, now, body)
	if err != nil {
		return now, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, in.base+"/hooks/"+hrFeed, bytes.NewReader(body))
	if err != nil {
		return now, err
	}
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("webhook-signature", signature)
	res, err := in.http.Do(req)
	if err != nil {
		return now, err
	}
	accepted := time.Now()
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("an event was answered %d: %s", res.StatusCode, said)
	}
	return accepted, err
}

// hrLatency measures as latency does, from the answer to an event in the place of a
// request for a case.
func (in *installation) hrLatency(ctx context.Context) ([]figure, error) {
	e, err := in.startEmpties(ctx)
	if err != nil {
		return nil, err
	}
	s, err := in.warmUp(ctx, e)
	if err != nil {
		return nil, err
	}
	s.Parent++ // what plans the case
	var t times
	for i := range in.b.set.cases + 1 {
		one := &t
		if i == 0 {
			one = &times{} // the first pays for connections and caches
		}
		p, err := in.hireLeaver("told", i, boxsim.ModeQuick)
		if err != nil {
			return nil, err
		}
		if err := in.tellOne(ctx, e, p, i, one); err != nil {
			return nil, err
		}
		empty, err := e.run(ctx, "hr-"+strconv.Itoa(i), s)
		if err != nil {
			return nil, err
		}
		one.empty = append(one.empty, empty)
	}
	return t.hrFigures(s), nil
}

// tellOne tells that somebody leaves, and notes how long the suspension took.
func (in *installation) tellOne(ctx context.Context, e *empties, p person, i int, t *times) error {
	id := strconv.Itoa(i)
	if _, err := in.hrPost(ctx, "hire-"+id, map[string]string{"external_id": "e" + id, "email": p.login, "status": "active"}); err != nil {
		return err
	}
	if err := in.allApplied(ctx); err != nil {
		return err
	}
	accepted, err := in.hrPost(ctx, "leave-"+id, map[string]string{"external_id": "e" + id, "status": "ended"})
	if err != nil {
		return err
	}
	var closed string
	err = await(ctx, patience, 10*time.Millisecond, "the leaver's case is closed", func() (bool, error) {
		states, err := in.planStates(ctx)
		if err == nil && states["parked"] > 0 {
			return false, in.parkedBecause(ctx)
		}
		if err != nil {
			return false, err
		}
		row := in.sql.QueryRow(ctx, `select coalesce(max(c.id::text), '') from lifecycle_case c join person p on p.id = c.person_id
			where p.email = $1 and c.closed_at is not null`, p.login)
		return row.Scan(&closed) == nil && closed != "", nil
	})
	if err != nil {
		return err
	}
	id = workflows.OffboardingID(idOf[caseID](closed))
	if err := e.client.GetWorkflow(ctx, id, "").Get(ctx, nil); err != nil {
		return err
	}
	events, err := history(ctx, e.client, id)
	if err != nil {
		return err
	}
	t.dispatched = append(t.dispatched, events[0].GetEventTime().AsTime().Sub(accepted))
	return t.add(in.sim.Requests(), p, accepted)
}

func (in *installation) allApplied(ctx context.Context) error {
	return await(ctx, in.b.set.patience, 10*time.Millisecond, "events are applied", func() (bool, error) {
		var n int
		err := in.sql.QueryRow(ctx, `select count(*) from hr_event where state = 'pending'`).Scan(&n)
		return n == 0, err
	})
}

func (t *times) hrFigures(s shape) []figure {
	for _, list := range [][]time.Duration{t.suspended, t.dispatched, t.empty} {
		slices.Sort(list)
	}
	at := func(list []time.Duration, p int, what string) value {
		return value{Number: millis(percentile(list, p)), Unit: "ms", What: what}
	}
	row := func(p int) figure {
		return figure{Name: "webhook to suspended p" + strconv.Itoa(p), Ours: at(t.suspended, p, "from the answer to a signed event to the vendor's answer to the suspension")}.
			against(at(t.empty, p, fmt.Sprintf("an empty workflow, from the answer to its start to its last activity: %d activities, then a child with %d", s.Parent, s.Child))).
			ratioAim(aimSuspended)
	}
	return []figure{
		row(50).note("%d events and %d empty workflows, in turn", len(t.suspended), len(t.empty)).
			note("the case's workflow starts %s ms after the answer (median)", number(millis(percentile(t.dispatched, 50)))),
		row(95),
	}
}

// hrEvents measures how fast events are taken and applied, beside bare inserts of
// the same rows into a table like theirs, by as many clients.
func (in *installation) hrEvents(ctx context.Context) ([]figure, error) {
	n := in.b.set.hrEvents
	began := time.Now()
	err := in.each(ctx, n, func(ctx context.Context, i int) error {
		_, err := in.hrPost(ctx, fmt.Sprintf("event-%06d", i), map[string]string{
			"external_id": "x" + strconv.Itoa(i%1000), "email": fmt.Sprintf("x%d@example.com", i%1000), "status": "active", "department": strconv.Itoa(i),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	taken := time.Since(began)
	if err := in.allApplied(ctx); err != nil {
		return nil, err
	}
	applied := time.Since(began)
	bare, err := in.bareEvents(ctx)
	if err != nil {
		return nil, err
	}
	rate := func(took time.Duration, what string) value {
		return value{Number: float64(n) / took.Seconds(), Unit: "events/s", What: what}
	}
	base := rate(bare, "one insert of the same row for each commit, into a table with the same indexes")
	return []figure{
		figure{Name: "events taken", Ours: rate(taken, "signed, proven, written and answered 202")}.against(base).
			note("%d events, %d clients, synchronous_commit on; the ratio is of rates: 1 is as fast as the insert", n, in.b.set.clients),
		figure{Name: "events applied", Ours: rate(applied, "from the first post until the last is applied, with its audit record")}.against(base),
	}, nil
}

// each calls fn for each of n by as many clients as the settings say.
func (in *installation) each(ctx context.Context, n int, fn func(context.Context, int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	next := make(chan int)
	g.Go(func() error {
		defer close(next)
		for i := range n {
			select {
			case next <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range in.b.set.clients {
		g.Go(func() error {
			for i := range next {
				if err := fn(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// bareEvents inserts the rows of the events again, as many clients, each commit by
// itself and durable.
func (in *installation) bareEvents(ctx context.Context) (time.Duration, error) {
	config, err := pgxpool.ParseConfig(in.database)
	if err != nil {
		return 0, err
	}
	config.MaxConns = int32(in.b.set.clients) //nolint:gosec // a small count
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	for _, sql := range []string{
		`create table bare (like hr_event including all)`,
		`create table seeds as select id, row_number() over (order by seq) as n from hr_event where event_id like 'event-%'`,
		`create unique index on seeds (n)`,
	} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	err = in.each(ctx, in.b.set.hrEvents, func(ctx context.Context, i int) error {
		tag, err := pool.Exec(ctx, `insert into bare (id, source_id, event_id, kind, via, body_hash, body, change, state, received_at)
			select e.id, e.source_id, e.event_id, e.kind, e.via, e.body_hash, e.body, e.change, 'pending', now()
			from seeds s join hr_event e on e.id = s.id where s.n = $1`, i+1)
		if err == nil && tag.RowsAffected() != 1 {
			err = errors.New("a row was not inserted")
		}
		return err
	})
	return time.Since(began), err
}
