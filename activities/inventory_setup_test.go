package activities_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/connectors/box/boxsim"
	"sendoff/schema"
)

// survey is the activities of runs over a real store, the real connector of Box,
// and its simulator.
type survey struct {
	*bundle
	sim       *boxsim.Sim
	vendor    boxsim.Banner
	box       schema.Connection
	inventory *activities.Inventory
	told      *mailbox
}

// unlimited lets every call through.
type unlimited struct{}

func (unlimited) Wait(context.Context, schema.ConnectionID, schema.ExternalID, connectors.Priority) error {
	return nil
}

// probes opens connectors for the doctor, which closes what it is given.
type probes struct{ s *survey }

func (p probes) OpenProbe(_ context.Context, c schema.Connection) (connectors.Connector, error) {
	return p.s.open(c)
}

func newSurvey(t *testing.T, cfg boxsim.Config) *survey {
	t.Helper()
	s := &survey{bundle: setup(t)}
	if cfg.Scale == 0 {
		cfg.Scale = 600
	}
	cfg.Seed = 1
	var err error
	s.sim, err = boxsim.New(cfg)
	require.NoError(t, err)
	server, banner, err := s.sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	s.vendor, s.told = banner, &mailbox{}
	s.box, err = s.CreateConnection(t.Context(), schema.Connection{
		Name: "box", Vendor: "box", BaseURL: banner.BaseURL, TokenURL: banner.TokenURL, ClientID: banner.ClientID,
		EnterpriseID: banner.EnterpriseID, AsUser: schema.ExternalID(banner.AdminID), Owner: "owner@example.com", ReadOnly: true,
	}, banner.ClientSecret, s.admin)
	require.NoError(t, err)
	connector, err := s.open(s.box)
	require.NoError(t, err)
	t.Cleanup(connector.Close)
	s.vendors[s.box.ID] = connector
	s.inventory = activities.NewInventory(activities.InventoryConfig{
		Store: s.Store, Connectors: s.vendors, Doctor: activities.NewDoctor(probes{s}, s.now), Correlator: s.Store,
		Notifier: s.told, Clocks: schema.DefaultClocks().Scaled(600), Now: s.now,
	})
	return s
}

func (s *survey) open(c schema.Connection) (connectors.Connector, error) {
	return box.Factory{}.Open(connectors.Config{
		Connection: c, Secret: s.vendor.ClientSecret, Limiter: unlimited{}, Guard: s.Store, Now: time.Now,
	})
}

// begin starts a run by hand.
func (s *survey) begin(kind schema.RunKind) schema.Run {
	s.t.Helper()
	run, err := s.StartRun(s.t.Context(), "box", kind, schema.TriggerPerson, s.admin)
	require.NoError(s.t, err)
	return run
}

// try carries out one activity of a run.
func (s *survey) try(fn func(context.Context, activities.RunInput) error, id schema.RunID) error {
	env := newEnv(worker.Options{}, zap.NewNop())
	env.RegisterActivity(s.inventory)
	_, err := env.ExecuteActivity(fn, activities.RunInput{RunID: id})
	return err
}

func (s *survey) must(fn func(context.Context, activities.RunInput) error, id schema.RunID) {
	s.t.Helper()
	require.NoError(s.t, s.try(fn, id))
}

func (s *survey) examine(id schema.RunID) activities.Examined {
	s.t.Helper()
	env := newEnv(worker.Options{}, zap.NewNop())
	env.RegisterActivity(s.inventory)
	v, err := env.ExecuteActivity(s.inventory.Examine, activities.RunInput{RunID: id})
	require.NoError(s.t, err)
	var out activities.Examined
	require.NoError(s.t, v.Get(&out))
	return out
}

// list carries out all listings of a sync.
func (s *survey) list(id schema.RunID) {
	s.t.Helper()
	v := s.inventory
	for _, fn := range []func(context.Context, activities.RunInput) error{
		v.ListAccounts, v.ListGroups, v.ListMemberships, v.ListCollaborations, v.CheckAbsences,
	} {
		s.must(fn, id)
	}
}

// publish ends a sync and returns it.
func (s *survey) publish(id schema.RunID) schema.Run {
	s.t.Helper()
	env := newEnv(worker.Options{}, zap.NewNop())
	env.RegisterActivity(s.inventory)
	_, err := env.ExecuteActivity(s.inventory.Publish, activities.RunInput{RunID: id})
	require.NoError(s.t, err)
	run, err := s.Run(s.t.Context(), id)
	require.NoError(s.t, err)
	return run
}

// sync carries out a whole sync.
func (s *survey) sync() schema.Run {
	s.t.Helper()
	run := s.begin(schema.RunSync)
	require.Nil(s.t, s.examine(run.ID).Cause)
	s.list(run.ID)
	return s.publish(run.ID)
}

// read carries out a whole read of events.
func (s *survey) read() {
	s.t.Helper()
	run := s.begin(schema.RunActivity)
	out := s.examine(run.ID)
	require.Nil(s.t, out.Cause)
	require.NotContains(s.t, out.Without, schema.DataActivity)
	s.must(s.inventory.BeginFeed, run.ID)
	require.Eventually(s.t, func() bool { return s.try(s.inventory.ReadPast, run.ID) == nil }, 20*time.Second, 20*time.Millisecond)
	s.must(s.inventory.ReadLive, run.ID)
	s.end(run.ID)
}

func (s *survey) end(id schema.RunID) {
	s.t.Helper()
	env := newEnv(worker.Options{}, zap.NewNop())
	env.RegisterActivity(s.inventory)
	_, err := env.ExecuteActivity(s.inventory.EndRun, activities.EndRunInput{RunID: id, State: schema.RunDone})
	require.NoError(s.t, err)
}

// known returns the account of a login.
func (s *survey) known(login string) schema.AccountRow {
	s.t.Helper()
	list, _, err := s.ListAccounts(s.t.Context(), schema.AccountFilter{LoginPrefix: login, Limit: 50})
	require.NoError(s.t, err)
	for _, a := range list {
		if a.Login == login {
			return a
		}
	}
	require.Fail(s.t, "no such account", login)
	return schema.AccountRow{}
}
