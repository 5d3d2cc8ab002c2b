package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/e2e/harness"
	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
)

const (
	// perWave is how many leavers share a stack and the death of its victim.
	perWave = 12
	// simScale and engineScale divide the vendor's and the engine's clocks: ten
	// minutes of the vendor's last a second, a day of the engine's nine.
	simScale, engineScale = 600, 10_000
	// connections of a process to its database: leavers who are held at points of
	// the dispatcher hold one each.
	connections = "&pool_max_conns=24"
	// untilHeld bounds the wait for all leavers to be at their points, untilEnded
	// the one for their plans to end after that.
	untilHeld, untilEnded = 3 * time.Minute, 4 * time.Minute
)

// wave is a stack of its own with leavers in it, one for each recipe: all are
// held at their points, the victim is killed, and all go on.
type wave struct {
	t       *testing.T
	victim  string
	dir     string
	sim     *boxsim.Sim
	gate    *gate
	stage   *stage
	vendor  boxsim.Banner // the simulator itself, past the gate
	api     *apiclient.Client
	leavers []*leaver

	postgres *postgresServer
	temporal *temporalServer
	database string
	listen   string
	env      []string
	mu       sync.Mutex
	children map[string]*harness.Child
}

// newWave starts a stack and hires the leavers.
func newWave(t *testing.T, victim string) *wave {
	t.Helper()
	w := &wave{t: t, victim: victim, dir: t.TempDir(), stage: newStage(), children: map[string]*harness.Child{}}
	w.startVendor()
	w.startServers()
	w.spawn(killServer)
	w.spawn(killWorker)
	w.connect()
	return w
}

func (w *wave) startVendor() {
	sim, err := boxsim.New(boxsim.Config{Seed: 1, Scale: simScale})
	require.NoError(w.t, err)
	direct, banner, err := sim.Start("127.0.0.1:0")
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, direct.Close()) })
	w.sim, w.vendor, w.gate = sim, banner, newGate(sim, w.stage)
}

// startServers takes Postgres and Temporal and makes everything children need.
func (w *wave) startServers() {
	t := w.t
	var err error
	w.postgres, w.temporal, err = serversFor(t, w.victim)
	require.NoError(t, err)
	w.database = w.postgres.newDatabase(t)
	namespace := w.temporal.newNamespace(t)
	port, err := harness.FreePort()
	require.NoError(t, err)
	w.listen = "127.0.0.1:" + port
	_, err = secret.LoadOrCreateKeyring(filepath.Join(w.dir, app.KeyFileName))
	require.NoError(t, err)
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "GOMAXPROCS=2",
		envHooks + "=" + w.stage.serve(t),
		"SENDOFF_SCHEDULES=off", "SENDOFF_TIME_SCALE=" + strconv.Itoa(engineScale), "SENDOFF_RATE_PER_MINUTE=600000", "SENDOFF_LOG_LEVEL=info",
		"SENDOFF_DATABASE_URL=" + w.database + connections, "SENDOFF_KEY_FILE=" + filepath.Join(w.dir, app.KeyFileName),
		"SENDOFF_LISTEN=" + w.listen, "TEMPORAL_ADDRESS=" + w.temporal.address(), "TEMPORAL_NAMESPACE=" + namespace,
	}
}

// spawn starts a child and has it killed when the test ends.
func (w *wave) spawn(kind string) {
	said, err := os.OpenFile(filepath.Join(w.dir, kind+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(w.t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append([]string{envChild + "=" + kind}, w.env...)
	c, err := harness.StartChild(cmd, said)
	require.NoError(w.t, err)
	require.NoError(w.t, said.Close()) // the child has its own
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.children[kind] == nil {
		w.t.Cleanup(func() { w.child(kind).Kill() })
	}
	w.children[kind] = c
}

func (w *wave) child(kind string) *harness.Child {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.children[kind]
}

// connect makes a client with the first admin's token and connects the vendor,
// through the gate.
func (w *wave) connect() {
	t := w.t
	text, err := os.ReadFile(w.postgres.token(t, w.database, w.dir))
	require.NoError(t, err)
	w.api, err = apiclient.New("http://"+w.listen, strings.TrimSpace(string(text)))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	gate, err := w.gate.serve(ctx)
	require.NoError(t, err)
	localtest.Wait(t, untilHeld, "the server takes the connection", func() bool {
		_, err = w.api.Connect(t.Context(), apiclient.NewConnection{
			Name: "box", Vendor: "box", BaseURL: gate.BaseURL, TokenURL: gate.TokenURL, ClientID: gate.ClientID,
			Secret: apiclient.Secret{ClientSecret: gate.ClientSecret}, EnterpriseID: gate.EnterpriseID, AsUser: gate.AdminID,
		})
		return err == nil
	})
	_, err = w.api.ApplyTemplates(t.Context(), []apiclient.TemplateFile{{File: "chaos.yaml", Source: templateFile()}}, false)
	require.NoError(t, err)
}

// templateName is what everybody leaves by.
const templateName = "chaos"

func templateFile() string {
	text := "apiVersion: sendoff/v1\nkind: Template\nname: " + templateName + "\nsteps:\n"
	for _, kind := range stepKinds() {
		text += "  - " + string(kind) + "\n"
	}
	return text
}

// hire adds a leaver with content, and a receiver, for a recipe.
func (w *wave) hire(run int, r recipe) {
	l := &leaver{run: run, recipe: r, name: fmt.Sprintf("leaver-%d", run), gate: w.gate}
	hire := func(name string) person {
		login := name + "@example.com"
		id, err := w.sim.AddUser(boxsim.UserSpec{Name: name, Login: login})
		require.NoError(w.t, err)
		return person{id, login}
	}
	l.source, l.receiver = hire(l.name), hire(fmt.Sprintf("receiver-%d", run))
	folder, err := w.sim.AddFolder(boxsim.ItemSpec{Owner: l.source.id, Name: "Projects"})
	require.NoError(w.t, err)
	for _, spec := range []boxsim.ItemSpec{
		{Parent: folder, Name: "plan.txt", SizeBytes: 5 << 20}, {Owner: l.source.id, Name: "notes.txt", SizeBytes: 1 << 20},
	} {
		_, err := w.sim.AddFile(spec)
		require.NoError(w.t, err)
	}
	_, err = w.sim.AddGroup(boxsim.GroupSpec{Name: "Team " + l.name, Members: []string{l.receiver.id, l.source.id}})
	require.NoError(w.t, err)
	require.NoError(w.t, w.sim.SetTransferMode(l.source.id, boxsim.Mode(r.mode()), 0))
	w.stage.add(l, w.memberships(l)...)
	w.leavers = append(w.leavers, l)
}

// memberships are the ids by which the vendor names a leaver's places in groups.
func (w *wave) memberships(l *leaver) (ids []string) {
	text, err := w.byHand(w.t.Context(), http.MethodGet, "users/"+l.source.id+"/memberships", "")
	require.NoError(w.t, err)
	var list struct {
		Entries []struct {
			ID string `json:"id"`
		} `json:"entries"`
	}
	require.NoError(w.t, json.Unmarshal(text, &list))
	for _, m := range list.Entries {
		ids = append(ids, m.ID)
	}
	require.Len(w.t, ids, 1)
	return ids
}

// play sends all leavers off, kills the victim once each is held at its point,
// and returns when their plans have ended.
func (w *wave) play() {
	ctx, cancel := context.WithTimeout(w.t.Context(), untilHeld+untilEnded)
	defer cancel()
	var all sync.WaitGroup
	begin := func(l *leaver) { all.Go(func() { l.sendOff(ctx, w) }) }
	var last []*leaver
	for _, l := range w.leavers {
		if w.victim == killServer && l.recipe.op() == opFindUser {
			l.spoil() // then the server meets it
		}
		if p := l.recipe.point(); p == beforeDispatch || p == afterDispatch {
			last = append(last, l) // held, they take dispatchers from the others
			continue
		}
		begin(l)
	}
	held := w.awaitHeld(ctx, len(w.leavers)-len(last))
	for _, l := range last {
		begin(l)
	}
	held = held && w.awaitHeld(ctx, len(w.leavers))
	if !held {
		w.t.Logf("not all leavers came to their points within %s", untilHeld)
	}
	w.kill(ctx)
	all.Wait()
}

// awaitHeld waits until that many leavers are held or have ended.
func (w *wave) awaitHeld(ctx context.Context, n int) bool {
	ctx, cancel := context.WithTimeout(ctx, untilHeld/2)
	defer cancel()
	for ctx.Err() == nil {
		there := 0
		for _, l := range w.leavers {
			if l.heldOrEnded() {
				there++
			}
		}
		if there >= n {
			return true
		}
		pause(ctx, 20*time.Millisecond)
	}
	return false
}

// kill kills the victim, lets everybody go on while it is dead, and starts it
// again.
func (w *wave) kill(ctx context.Context) {
	var again func() error
	switch w.victim {
	case killWorker, killServer:
		w.child(w.victim).Kill()
		again = func() error { w.spawn(w.victim); return nil }
	case killTemporal:
		w.temporal.kill()
		again = func() error { return w.temporal.start(ctx) }
	case killPostgres:
		w.postgres.kill()
		again = func() error { return w.postgres.start(ctx) }
	}
	close(w.stage.killed)
	if again != nil {
		require.NoError(w.t, again())
	}
}

// moveByHand transfers a leaver's content as the vendor's admin would in the
// browser: nothing of ours, and nothing we are told.
func (w *wave) moveByHand(ctx context.Context, l *leaver) error {
	_, err := w.byHand(ctx, http.MethodPut, "users/"+l.source.id+"/folders/0", `{"owned_by":{"id":"`+l.receiver.id+`"}}`)
	return err
}

// byHand calls the simulator itself, past the gate, as its admin.
func (w *wave) byHand(ctx context.Context, method, path, body string) ([]byte, error) {
	res, err := http.PostForm(w.vendor.TokenURL, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {w.vendor.ClientID}, "client_secret": {w.vendor.ClientSecret},
		"box_subject_type": {"user"}, "box_subject_id": {w.vendor.AdminID},
	})
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&token); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, w.vendor.BaseURL+"/2.0/"+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token.AccessToken)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s by hand was answered with %d", method, answer.StatusCode)
	}
	return text, err
}
