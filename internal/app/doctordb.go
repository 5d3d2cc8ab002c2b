package app

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"sendoff/internal/audit"
	"sendoff/internal/store"
	"sendoff/workflows"
)

const (
	leastPostgres = 15
	mostSkew      = 2 * time.Second  // between two clocks
	mostLag       = 30 * time.Second // of the sealer, which works each second
	mostWait      = time.Minute      // of an outbox row
)

func queues() []string {
	return []string{workflows.QueueEngine, workflows.QueueSuspend, workflows.QueueTransfer, workflows.QueueInventory}
}

// database looks at Postgres as it is, and with a schema that fits also at what
// lies in it.
func (d *doctor) database(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	const check = "postgres"
	if d.cfg.DatabaseURL == "" {
		d.say(check, VerdictWarn, "set SENDOFF_DATABASE_URL as the server has it; a local stack must run", "no database is named here")
		return
	}
	facts, err := store.Diagnose(ctx, d.cfg.DatabaseURL)
	if err != nil {
		d.fails(check, err, "check SENDOFF_DATABASE_URL, and that Postgres runs")
		return
	}
	d.say(check, VerdictOK, "", "answers in %s", facts.Took.Round(time.Millisecond))
	d.databaseTLS()
	v := VerdictOK
	if facts.Version < leastPostgres {
		v = VerdictFail
	}
	d.say("postgres-version", v, fmt.Sprintf("upgrade to Postgres %d or newer", leastPostgres), "Postgres %d", facts.Version)
	d.durability(facts)
	d.clock(facts)
	if d.role(facts) && d.migrations(facts) && d.keyFits(facts) {
		d.contents(ctx)
	}
}

func (d *doctor) databaseTLS() {
	u, err := url.Parse(d.cfg.DatabaseURL)
	if err != nil {
		return // configuration has said so
	}
	host := u.Hostname()
	if socket := u.Query().Get("host"); host == "" || strings.HasPrefix(socket, "/") {
		host = "localhost"
	}
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	switch mode := u.Query().Get("sslmode"); {
	case loopback:
		d.say("postgres-tls", VerdictOK, "", "reached on loopback")
	case mode == "verify-full":
		d.say("postgres-tls", VerdictOK, "", "reached over TLS, the server proves its name")
	case mode == "require" || mode == "verify-ca":
		d.say("postgres-tls", VerdictWarn, "use sslmode=verify-full with the server's root certificate", "reached over TLS, but any server with that address would do (sslmode=%s)", mode)
	default:
		d.say("postgres-tls", VerdictWarn, "use sslmode=verify-full unless the network between is private", "%s", transport(false, false))
	}
}

func (d *doctor) durability(f store.Diagnosis) {
	d.say("fsync", failUnless(f.Fsync == "on"), "set fsync = on in postgresql.conf and restart Postgres", "fsync is %s", f.Fsync)
	off := f.SynchronousCommit == "off" || f.SynchronousCommit == "local"
	d.say("synchronous-commit", verdict(!off), "set synchronous_commit = on in postgresql.conf; sendoff's own sessions switch it on",
		"synchronous_commit is %s by default", f.SynchronousCommit)
}

func failUnless(good bool) Verdict {
	if good {
		return VerdictOK
	}
	return VerdictFail
}

func (d *doctor) clock(f store.Diagnosis) {
	skew := time.Since(f.Now).Abs()
	v := VerdictOK
	if skew > mostSkew+f.Took {
		v = VerdictWarn
	}
	d.say("clock-postgres", v, "set both clocks by NTP", "this machine and Postgres differ by %s at most", skew.Round(time.Millisecond))
}

func (d *doctor) role(f store.Diagnosis) bool {
	switch {
	case !f.MayAssumeRole:
		d.say("role", VerdictFail, "run sendoff migrate once with the owner's URL, or grant sendoff_app to the user", "the database user is not sendoff_app and cannot become it")
		return false
	case len(f.ExcessRights) > 0:
		d.say("role", VerdictFail, "revoke them, as the owner: the audit log must only grow", "sendoff_app has rights on the audit log that it must not have: %s", strings.Join(f.ExcessRights, ", "))
	case f.Migration > 0:
		d.say("role", VerdictOK, "", "sendoff_app may read and add to the audit log, nothing else")
	}
	return true
}

func (d *doctor) migrations(f store.Diagnosis) bool {
	fix := "run sendoff migrate"
	if f.Migration > f.Wanted {
		fix = "run a release that is as new as the database"
	}
	d.say("migrations", failUnless(f.Migration == f.Wanted), fix, "the database is at migration %d, this program needs %d", f.Migration, f.Wanted)
	return f.Migration == f.Wanted
}

func (d *doctor) keyFits(f store.Diagnosis) bool {
	const check = "key"
	switch {
	case d.keys == nil:
		return false // said already
	case f.KeyCheck == nil:
		d.say(check, VerdictWarn, "start a server: the first start binds the database to its key", "the database has not been started with a key yet")
		return false
	}
	if err := d.keys.VerifyKeyCheck(f.KeyCheck); err != nil { // it names keys by their ids
		d.say(check, VerdictFail, "point SENDOFF_KEY_FILE at the key the database was set up with", "%s", err)
		return false
	}
	d.say(check, VerdictOK, "", "the root key is the one the database was set up with")
	return true
}

// contents looks at what lies in the database.
func (d *doctor) contents(ctx context.Context) {
	s, err := store.Open(ctx, store.Config{URL: d.cfg.DatabaseURL, Sealer: sealer{d.keys}, MaxConnections: 2, AllowUnsafe: true})
	if err != nil {
		d.fails("postgres", err, "see Postgres's log")
		return
	}
	defer s.Close()
	g, err := s.Gauges(ctx)
	if err != nil {
		d.fails("postgres", err, "see Postgres's log")
		return
	}
	v := VerdictOK
	if g.OutboxOldest > mostWait || g.OutboxFailing > 0 {
		v = VerdictWarn
	}
	d.say("outbox", v, "start a server, and a worker; a server's log says why rows fail", "%d rows wait, the oldest for %s, %d were tried in vain",
		g.OutboxDepth, g.OutboxOldest.Round(time.Second), g.OutboxFailing)
	d.say("sealer", verdict(g.AuditLag <= mostLag), "start a server; its log says why the audit log is not sealed",
		"%d audit records are not sealed, the oldest for %s", g.AuditUnsealed, g.AuditLag.Round(time.Second))
	d.checkpoint(ctx, s)
	d.say("pause", verdict(!g.Paused), "sendoff unpause, once the reason is gone", "%s", map[bool]string{true: "the engine is paused: nothing is written", false: "the engine may write"}[g.Paused])
	parked := int64(0)
	for _, n := range g.ParkedByCause {
		parked += n
	}
	d.say("parked", verdict(parked == 0), "sendoff cases list --state parked, and docs/cases.md for each cause", "%d plans are parked", parked)
}

// checkpoint verifies the newest checkpoint's signature with the log's own key.
func (d *doctor) checkpoint(ctx context.Context, s *store.Store) {
	const check, fix = "checkpoint", "stop every server and verify an export: sendoff audit verify"
	note, err := s.NewestCheckpoint(ctx)
	if err != nil {
		d.fails(check, err, fix)
		return
	}
	if note == nil {
		d.say(check, VerdictWarn, "start a server: it seals each second", "the audit log has no checkpoint yet")
		return
	}
	// There is a checkpoint, so there is a seed: the one given is not stored.
	seed, err := s.EnsureAuditSeed(ctx, make([]byte, audit.SeedSize))
	if err != nil {
		d.fails(check, err, fix)
		return
	}
	signer, err := audit.NewSigner(auditOrigin, seed)
	if err == nil {
		var c audit.Checkpoint
		if c, err = audit.OpenCheckpoint(note, signer.VerifierKey()); err == nil {
			d.say(check, VerdictOK, "", "the newest checkpoint verifies: %d records at %s", c.Size, c.Time.UTC().Format(time.RFC3339))
			return
		}
	}
	d.say(check, VerdictFail, fix, "the newest checkpoint is not signed by this installation's key")
}
