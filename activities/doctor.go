package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

const (
	// probePatience bounds one probe.
	probePatience = 30 * time.Second
	// skewWorth is from when on two clocks that differ are worth saying. Tokens by
	// signed assertion fail from about skewLimit on, as assertions live no longer
	// (https://developer.box.com/guides/authentication/jwt/without-sdk/).
	skewWorth = 30 * time.Second
	skewLimit = time.Minute
)

// ProbeOpener opens connectors for the doctor alone: with a token of its own, so
// that a sign-in is proven and not remembered. The caller closes them.
type ProbeOpener interface {
	// OpenProbe fails with CodeClosed for a connection that is not enabled:
	// nothing goes out over it.
	OpenProbe(ctx context.Context, c schema.Connection) (connectors.Connector, error)
}

// Doctor finds out what connections can do. It only reads.
type Doctor struct {
	opener ProbeOpener
	now    func() time.Time
}

// NewDoctor returns a doctor; a nil now is the clock.
func NewDoctor(opener ProbeOpener, now func() time.Time) *Doctor {
	if now == nil {
		now = time.Now
	}
	return &Doctor{opener: opener, now: now}
}

// Diagnose implements Diagnoser. A stored connection has worked once: nothing is
// stored before it did.
func (d *Doctor) Diagnose(ctx context.Context, c schema.Connection) (schema.Diagnosis, error) {
	connector, err := d.opener.OpenProbe(ctx, c)
	if err != nil {
		return schema.Diagnosis{}, err
	}
	defer connector.Close()
	return Visit{Connection: c, Connector: connector, Worked: true, At: d.now()}.Diagnose(ctx)
}

// Visit is one look at one connection.
type Visit struct {
	Connection schema.Connection
	Connector  connectors.Connector
	// Worked tells that these credentials, or those before them, were accepted once.
	Worked bool
	At     time.Time
}

// Diagnose asks for one ability after the other. It stops where nothing that
// follows could be told: without a sign-in or an identity, in a wrong enterprise,
// and when the vendor does not answer. Its error is a fault of ours, or the end of
// ctx; what is wrong at the vendor is a finding.
func (v Visit) Diagnose(ctx context.Context) (schema.Diagnosis, error) {
	x := &examination{Visit: v, out: schema.Diagnosis{ConnectionID: v.Connection.ID, At: v.At}}
	x.prober, _ = v.Connector.(connectors.Prober)
	for _, a := range x.abilities() {
		r, err := x.ask(ctx, a)
		if err != nil {
			return schema.Diagnosis{}, err
		}
		x.out.Results = append(x.out.Results, r)
	}
	if x.prober != nil {
		x.judgeClock(x.prober.ClockSkew())
		if x.known {
			x.out.Limits = x.prober.Limits(x.standing())
		}
	}
	x.out.Health = healthOf(x.out)
	return x.out, nil
}

// examination is a visit under way.
type examination struct {
	Visit
	prober   connectors.Prober // nil = the connector can only be checked
	out      schema.Diagnosis
	identity connectors.Identity
	known    bool   // identity is
	stopped  string // the ability at which probing ended; "" = it goes on
}

// abilities are what is asked for; of a connector without a Prober, who it acts as.
func (x *examination) abilities() []schema.Ability {
	if x.prober != nil {
		return x.prober.Abilities()
	}
	return []schema.Ability{{Name: connectors.AbilityIdentity, Serves: "everything", Required: true}}
}

func (x *examination) ask(ctx context.Context, a schema.Ability) (schema.ProbeResult, error) {
	r := schema.ProbeResult{Ability: a, Code: schema.ProbeNotProbed}
	switch {
	case a.Writes:
		r.Message = "only a write could tell; nothing was sent"
		return r, nil
	case x.stopped != "":
		x.out.Partial = true
		r.Message = "not asked: " + x.stopped + " comes first"
		return r, nil
	}
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	err := x.probe(ctx, a)
	if ours := fault(ctx, err); ours != nil {
		return r, ours
	}
	if errors.Is(err, connectors.ErrNothingToProbe) {
		r.Message = "not asked: no account or group can be listed that it could be asked of"
		return r, nil
	}
	r = x.judge(a, err)
	if stops(r) {
		x.stopped = a.Name
	}
	return r, nil
}

// probe asks for one ability. Who the connection acts as is told by the check.
func (x *examination) probe(ctx context.Context, a schema.Ability) error {
	if a.Name != connectors.AbilityIdentity {
		return x.prober.Probe(ctx, a.Name)
	}
	id, err := x.Connector.Check(ctx)
	if err != nil {
		return err
	}
	x.identity, x.known = id, true
	x.out.Identity = schema.DiagnosedIdentity{
		ExternalID: id.ExternalID, Role: id.Role, EnterpriseID: id.EnterpriseID, Service: id.Service,
	}
	return nil
}

// fault is an error that tells nothing of the vendor.
func fault(ctx context.Context, err error) error {
	var vendor *connectors.Error
	var ours *schema.Error
	switch {
	case err == nil, errors.Is(err, connectors.ErrNothingToProbe):
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case errors.As(err, &ours), !errors.As(err, &vendor):
		return err
	case vendor.Kind == connectors.Blocked:
		return err
	}
	return nil
}

// stops tells whether nothing that follows could be told.
func stops(r schema.ProbeResult) bool {
	switch r.Code {
	case schema.ProbeOK:
		return false
	case schema.ProbeBaseURLUnreachable, schema.ProbeRateExhausted:
		return true
	}
	return r.Ability.Name == connectors.AbilitySignIn || r.Ability.Name == connectors.AbilityIdentity
}

// judgeClock notes clocks that differ, where the sign-in works all the same: the
// next one may not, and times of events are the vendor's.
func (x *examination) judgeClock(skew time.Duration) {
	if skew.Abs() < skewWorth || len(x.out.Results) == 0 || x.out.Results[0].Code != schema.ProbeOK {
		return
	}
	r := &x.out.Results[0]
	where := "ahead of"
	if skew < 0 {
		where = "behind"
	}
	r.Code = schema.ProbeClockSkew
	r.Message = fmt.Sprintf("it works, and the vendor's clock is %s %s this machine's", skew.Abs(), where)
	if skew.Abs() > skewLimit {
		r.Message += ": sign-in by signed assertion works only because the vendor's time is used for it"
	}
	r.Fix = fixClock
}

// standing is the role whose limits hold: a service account counts as a co-admin,
// whatever role the vendor shows for it.
func (x *examination) standing() schema.AccountRole {
	if x.identity.Service && x.identity.Role == schema.RoleMember {
		return schema.RoleCoadmin
	}
	return x.identity.Role
}

// healthOf is what the findings come to: failed only for what somebody has to
// mend before the connection can be used.
func healthOf(d schema.Diagnosis) schema.Health {
	health := schema.HealthActive
	for _, r := range d.Faults() {
		health = schema.HealthDegraded
		if r.Ability.Required && !r.Code.Passing() && !worksYet(r) {
			return schema.HealthFailed
		}
	}
	return health
}

// worksYet tells whether a finding is about something that works for now.
func worksYet(r schema.ProbeResult) bool {
	return r.Code == schema.ProbeClockSkew && r.Detail == ""
}
