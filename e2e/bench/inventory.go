package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/schema"
)

const (
	aimDownload  = 1.5 // of a sync or a read of events to the bare download of the same pages
	aimInventory = 256 // MiB, of the worker
	// groupsAtOnce is how many groups the product lists side by side; so does the
	// download beside it.
	groupsAtOnce = 4
	wholeYear    = 365 * 24 * time.Hour
)

// inventory measures a sync of a big company, the second sync of it unchanged, and
// the reading of a year's events, each beside the bare download of the same pages.
func (b *bench) inventory(ctx context.Context) (figures []figure, err error) {
	in, err := b.install(ctx, place{name: "inventory", scale: b.set.scale})
	defer func() {
		if closeErr := in.close(); err == nil {
			err = closeErr
		}
	}()
	if err != nil {
		return nil, err
	}
	v := boxsim.Volume{Users: b.set.accounts, Groups: b.set.groupCount, Memberships: b.set.memberships, Events: b.set.events}
	b.say("a company of %d accounts, %d groups, %d memberships, %d events", v.Users, v.Groups, v.Memberships, v.Events)
	if err := in.connectTo(ctx, boxsim.Config{Seed: 1, Scale: float64(b.set.scale), Volume: v}); err != nil {
		return nil, err
	}
	if b.set.answer > 0 {
		err := in.sim.AddFaults(simkit.Fault{Op: simkit.AnyOp, Action: simkit.ActionDelay, DelayMS: b.set.answer.Milliseconds()})
		if err != nil {
			return nil, err
		}
	}
	_, err = in.sql.Exec(ctx, `insert into connection_schedule select id, 0, 0, 86400, $1 from connection`, int64(wholeYear/time.Second))
	if err != nil {
		return nil, err
	}
	d, err := in.downloader(ctx)
	if err != nil {
		return nil, err
	}
	resting, err := in.worker.memory("VmRSS")
	if err != nil {
		return nil, err
	}
	bareLists, err := timed(func() error { return d.lists(ctx) })
	if err != nil {
		return nil, err
	}
	first, err := in.carryOut(ctx, schema.RunSync)
	if err != nil {
		return nil, err
	}
	second, err := in.carryOut(ctx, schema.RunSync)
	if err != nil {
		return nil, err
	}
	bareEvents, err := timed(func() error { return d.events(ctx) })
	if err != nil {
		return nil, err
	}
	events, err := in.carryOut(ctx, schema.RunActivity)
	if err != nil {
		return nil, err
	}
	peak, err := in.worker.memory("VmHWM")
	if err != nil {
		return nil, err
	}
	return []figure{
		figure{Name: "first sync", Ours: seconds(first, "from its start to its end, as its row says")}.
			against(seconds(bareLists, "the same pages, fetched and thrown away")).ratioAim(aimDownload).note("%d pages", d.pages.Load()),
		figure{Name: "second sync, unchanged", Ours: seconds(second, "as above")}.against(seconds(first, "the first sync")),
		figure{Name: "a year of events", Ours: seconds(events, "from the run's start to its end")}.
			against(seconds(bareEvents, "the same pages, fetched and thrown away")).ratioAim(aimDownload).note("%d events came", d.came.Load()),
		figure{Name: "peak memory, worker that syncs", Ours: value{Number: peak, Unit: "MiB", What: "VmHWM of its process after all that"}}.
			against(value{Number: resting, Unit: "MiB", What: "the same process before, idle"}).oursAim(aimInventory),
	}, nil
}

func timed(do func() error) (time.Duration, error) {
	began := time.Now()
	err := do()
	return time.Since(began), err
}

func seconds(d time.Duration, what string) value {
	return value{Number: d.Seconds(), Unit: "s", What: what}
}

// carryOut starts a run and returns how long it took.
func (in *installation) carryOut(ctx context.Context, kind schema.RunKind) (time.Duration, error) {
	var connection string
	if err := in.sql.QueryRow(ctx, `select name from connection`).Scan(&connection); err != nil {
		return 0, err
	}
	runs, err := in.api.StartRuns(ctx, connection, string(kind))
	if err != nil {
		return 0, err
	}
	var state string
	var took float64
	err = await(ctx, in.b.set.patience, 50*time.Millisecond, string(kind)+" ends", func() (bool, error) {
		err := in.sql.QueryRow(ctx, `select state, coalesce(extract(epoch from ended_at - started_at), 0)::float8 from run where id = $1`, runs[0].RunID).
			Scan(&state, &took)
		return state != "queued" && state != "running", err
	})
	if err == nil && state != string(schema.RunDone) {
		err = fmt.Errorf("the %s ended %s", kind, state)
	}
	in.b.say("%s took %.1f s", kind, took)
	return time.Duration(took * float64(time.Second)), err
}

// downloader fetches what the product fetches and keeps nothing of it.
type downloader struct {
	base, token string
	http        *http.Client
	groups      []string
	pages, came atomic.Int64
}

func (in *installation) downloader(ctx context.Context) (*downloader, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {in.vendor.ClientID}, "client_secret": {in.vendor.ClientSecret},
		"box_subject_type": {"user"}, "box_subject_id": {in.vendor.AdminID},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, in.vendor.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	d := &downloader{base: in.vendor.BaseURL + "/2.0", http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: groupsAtOnce}}}
	resp, err := d.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	d.token = answer.Token
	return d, err
}

// listed is what a download has to know of a page to fetch the next one.
type listed struct {
	Next     string          `json:"next_marker"`
	Position json.RawMessage `json:"next_stream_position"`
	Total    int             `json:"total_count"`
	Entries  []struct {
		ID string `json:"id"`
	} `json:"entries"`
}

func (d *downloader) get(ctx context.Context, path string, query url.Values) (p listed, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return p, err
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	resp, err := d.http.Do(req)
	if err != nil {
		return p, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return p, fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	d.pages.Add(1)
	return p, json.NewDecoder(resp.Body).Decode(&p)
}

// lists fetches accounts, groups, and what each group holds and reaches.
func (d *downloader) lists(ctx context.Context) error {
	q := url.Values{
		"usemarker": {"true"}, "limit": {"1000"}, "user_type": {"managed"},
		"fields": {"id,name,login,role,status,space_used,space_amount,enterprise,is_platform_access_only,created_at,tracking_codes"},
	}
	for {
		p, err := d.get(ctx, "/users", q)
		if err != nil {
			return err
		}
		if p.Next == "" {
			break
		}
		q.Set("marker", p.Next)
	}
	err := d.byOffset(ctx, "/groups", func(p listed) {
		for _, e := range p.Entries {
			d.groups = append(d.groups, e.ID)
		}
	})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(groupsAtOnce)
	for _, list := range []string{"/memberships", "/collaborations"} {
		for _, id := range d.groups {
			g.Go(func() error { return d.byOffset(ctx, "/groups/"+id+list, func(listed) {}) })
		}
	}
	return g.Wait()
}

func (d *downloader) byOffset(ctx context.Context, path string, keep func(listed)) error {
	for offset := 0; ; offset += 1000 {
		p, err := d.get(ctx, path, url.Values{"limit": {"1000"}, "offset": {strconv.Itoa(offset)}})
		if err != nil {
			return err
		}
		keep(p)
		if offset+1000 >= p.Total {
			return nil
		}
	}
}

// events fetches a year of events.
func (d *downloader) events(ctx context.Context) error {
	q := url.Values{"stream_type": {"admin_logs"}, "limit": {"500"}, "created_after": {time.Now().Add(-wholeYear).UTC().Format(time.RFC3339)}}
	for {
		p, err := d.get(ctx, "/events", q)
		if err != nil || len(p.Entries) == 0 {
			return err
		}
		d.came.Add(int64(len(p.Entries)))
		q.Set("stream_position", strings.Trim(string(p.Position), `"`))
	}
}
