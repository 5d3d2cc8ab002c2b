package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/apiclient"
)

const (
	// perRequest is how many leavers one request brings: pre-flight looks all of a
	// request up, and the server allows itself two minutes for that.
	perRequest = 25
	// gateway504Every is how often a transfer dies at the gateway.
	gateway504Every = 10
	// gateway504Lasts is how long such a job goes on at the vendor.
	gateway504Lasts = 5 * time.Minute

	aimLeavers = 1.15
	aimPeak    = 256 // MiB, of server and of worker
	aimIdle    = 100 // MiB, of both together
)

// leavers offboards everybody at once at the vendor's real rate, and reads what
// memory that took.
func (b *bench) leavers(ctx context.Context) ([]figure, error) {
	in, err := b.install(ctx, place{name: "leavers", scale: b.set.scale, limit: b.set.limit})
	if err != nil {
		return nil, err
	}
	defer in.close() //nolint:errcheck // killed processes; figures are taken
	idle, err := in.idle(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.connect(ctx); err != nil {
		return nil, err
	}
	wave, err := in.hireWave()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := in.offboardWave(ctx, wave); err != nil {
		return nil, err
	}
	total := time.Since(began)
	if err := in.judgeWave(wave); err != nil {
		return nil, err
	}
	if err := in.writeLog(b.set.log); err != nil {
		return nil, err
	}
	memory, err := in.peaks(idle)
	if err != nil {
		return nil, err
	}
	return append([]figure{in.throughput(wave, began, total)}, memory...), nil
}

// wave is who leaves, and to whom their content goes.
type wave struct {
	leavers, receivers []person
}

func (w wave) receiverOf(i int) person { return w.receivers[i%len(w.receivers)] }

func (in *installation) hireWave() (w wave, err error) {
	for i := range in.b.set.receivers {
		p, err := in.hire("receiver", i)
		if err != nil {
			return w, err
		}
		w.receivers = append(w.receivers, p)
	}
	for i := range in.b.set.leavers {
		mode := boxsim.ModeQuick
		if i%gateway504Every == gateway504Every-1 {
			mode = boxsim.ModeGateway504
		}
		p, err := in.hireLeaver("leaver", i, mode)
		if err == nil && mode == boxsim.ModeGateway504 {
			err = in.sim.SetTransferMode(p.id, mode, gateway504Lasts)
		}
		if err != nil {
			return w, err
		}
		w.leavers = append(w.leavers, p)
	}
	return w, nil
}

// offboardWave hands the leavers in and waits until every case is done.
func (in *installation) offboardWave(ctx context.Context, w wave) error {
	var requests []apiclient.Request
	for i, p := range w.leavers {
		requests = append(requests, apiclient.Request{Email: p.login, Receivers: []string{w.receiverOf(i).login}, Grace: "1m"})
	}
	for some := range slices.Chunk(requests, perRequest) {
		if _, err := in.api.CreateCases(ctx, some, "", "csv"); err != nil {
			return err
		}
	}
	in.b.say("all %d are handed in", len(requests))
	said := time.Now()
	return await(ctx, in.b.set.patience, 200*time.Millisecond, "all cases are done", func() (bool, error) {
		states, err := in.planStates(ctx)
		if err != nil {
			return false, err
		}
		if time.Since(said) > 30*time.Second {
			said = time.Now()
			in.b.say("plans: %v", states)
		}
		if states["parked"] > 0 {
			return false, fmt.Errorf("%d plans parked: %w", states["parked"], in.parkedBecause(ctx))
		}
		return states["done"] == len(w.leavers), nil
	})
}

// planStates counts plans by state. It asks Postgres, for asking the server so
// often would be load of its own.
func (in *installation) planStates(ctx context.Context) (map[string]int, error) {
	rows, err := in.sql.Query(ctx, `select state::text, count(*)::int from plan group by state`)
	if err != nil {
		return nil, err
	}
	states := map[string]int{}
	var state string
	var n int
	for rows.Next() {
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		states[state] = n
	}
	return states, rows.Err()
}

func (in *installation) parkedBecause(ctx context.Context) error {
	page, err := in.api.Cases(ctx, "parked", "", "", 5)
	for _, c := range page.Cases {
		for _, a := range c.Accounts {
			if a.CauseDetail != nil {
				err = errors.Join(err, errors.New(a.Cause+": "+a.CauseDetail.Message))
			}
		}
	}
	return err
}

// judgeWave holds the vendor's books against what was asked: figures of a run
// that harmed something, or left something, would be worth nothing.
func (in *installation) judgeWave(w wave) error {
	books := in.sim.Ledger()
	deleted := 0
	for _, a := range books.Accounts {
		if a.Deleted {
			deleted++
		}
		if a.MaxConcurrentJobs > 1 {
			return fmt.Errorf("%d jobs at once touched one account", a.MaxConcurrentJobs)
		}
	}
	switch {
	case deleted != len(w.leavers):
		return fmt.Errorf("%d of %d accounts are deleted", deleted, len(w.leavers))
	case len(books.Jobs) != len(w.leavers):
		return fmt.Errorf("%d transfers for %d leavers", len(books.Jobs), len(w.leavers))
	case books.Totals.DestroyedByRequests() > 0 || len(books.Forced) > 0 || books.Totals.Alive != books.Totals.OwnedBefore:
		return fmt.Errorf("of %d items %d are alive, %d destroyed", books.Totals.OwnedBefore, books.Totals.Alive, books.Totals.DestroyedByRequests())
	}
	return nil
}

// writeLog keeps the vendor's log, for whoever wants to know where the calls went.
func (in *installation) writeLog(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	for _, r := range in.sim.Requests() {
		if err := enc.Encode(r); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// throughput is the total against its floor: no engine can make its calls faster
// than the vendor takes them, nor run the transfers of one receiver side by side.
func (in *installation) throughput(w wave, began time.Time, total time.Duration) figure {
	log := in.sim.Requests()
	calls, paying, refused := callsOf(log)
	byLimit := time.Duration(float64(paying) / float64(in.b.set.limit) * float64(time.Minute))
	lane := longestLane(in.sim.Ledger().Jobs, log, in.place.scale)
	f := figure{
		Name: fmt.Sprintf("%d leavers, %d receivers", len(w.leavers), len(w.receivers)),
		Ours: value{Number: total.Seconds(), Unit: "s", What: "from the first request until the last case is done"},
	}.against(value{Number: max(byLimit, lane).Seconds(), Unit: "s", What: "the floor, the longer of calls / limit and longest lane"}).ratioAim(aimLeavers)
	return f.
		note("calls / limit: %d calls of the busiest acting user / %d a minute = %s s", paying, in.b.set.limit, number(byLimit.Seconds())).
		note("longest lane: %s s of transfers for one receiver", number(lane.Seconds())).
		note("%.1f calls per leaver: %s", float64(allOf(calls))/float64(len(w.leavers)), perLeaver(calls, len(w.leavers))).
		note("calls a second in each tenth of the time, the limit is %.1f: %s", float64(in.b.set.limit)/60, tenths(log, began, total)).
		note("answers 429: %d; the product is set to %d calls a minute", refused, in.b.set.ownLimit()).
		note("clocks and jobs run %d times as fast, the rate and the calls' own time do not", in.place.scale)
}

func allOf(calls map[string]int) (n int) {
	for _, c := range calls {
		n += c
	}
	return n
}

// callsOf counts calls by operation, those that the busiest acting user pays for,
// and the refusals for going too fast. Asking for a token is no call of the API.
func callsOf(log []simkit.Record) (calls map[string]int, paying, refused int) {
	calls = map[string]int{}
	payers := map[string]int{}
	for _, r := range log {
		if r.Op == "token" || r.TokenUser == "" {
			continue
		}
		if r.Status == http.StatusTooManyRequests {
			refused++
			continue
		}
		calls[r.Op]++
		payers[r.TokenUser]++
		if r.ActingUser != r.TokenUser {
			payers[r.ActingUser]++
		}
	}
	for _, n := range payers {
		paying = max(paying, n)
	}
	return calls, paying, refused
}

func perLeaver(calls map[string]int, leavers int) string {
	ops := slices.SortedFunc(maps.Keys(calls), func(a, b string) int {
		return cmp.Or(cmp.Compare(calls[b], calls[a]), cmp.Compare(a, b))
	})
	parts := make([]string, len(ops))
	for i, op := range ops {
		parts[i] = fmt.Sprintf("%s %.1f", op, float64(calls[op])/float64(leavers))
	}
	return strings.Join(parts, ", ")
}

// longestLane is the sum of the transfers of the busiest receiver: how long the
// call took where it waited for the job, else how long the job was told to last.
func longestLane(jobs []boxsim.LedgerJob, log []simkit.Record, scale int64) time.Duration {
	took := map[string]time.Duration{}
	for _, r := range log {
		if r.Op == "users.transfer" && r.Status == http.StatusOK {
			took[r.Subject] = time.Duration(r.DurationMS) * time.Millisecond
		}
	}
	lanes := map[string]time.Duration{}
	var longest time.Duration
	for _, j := range jobs {
		lasted := took[j.Source]
		if j.Mode == boxsim.ModeGateway504 {
			lasted = gateway504Lasts / time.Duration(scale)
		}
		lanes[j.Dest] += lasted
		longest = max(longest, lanes[j.Dest])
	}
	return longest
}

// tenths tells when the limit was not used: calls a second over time.
func tenths(log []simkit.Record, began time.Time, total time.Duration) string {
	const parts = 10
	var counts [parts]int
	for _, r := range log {
		if at := r.Time.Sub(began); r.Op != "token" && at >= 0 && at < total {
			counts[int(at*parts/total)]++
		}
	}
	out := make([]string, parts)
	for i, n := range counts {
		out[i] = fmt.Sprintf("%.1f", float64(n)/(total.Seconds()/parts))
	}
	return strings.Join(out, " ")
}
