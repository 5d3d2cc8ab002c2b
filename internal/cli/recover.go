package cli

import (
	"bufio"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/internal/config"
	"sendoff/schema"
)

type recoverCommand struct {
	settingFlags
	AfterRestore  bool   `xor:"what" required:"" help:"The database was restored from a backup: what was sent since counts as sent."`
	NothingLost   bool   `xor:"what" required:"" help:"The database was moved or promoted and nothing that was committed is missing."`
	Reason        string `required:"" help:"Which backup was restored and why; kept in the audit log."`
	Plan          bool   `help:"Tell what would be done and do nothing."`
	Yes           bool   `help:"Do not ask."`
	AllowSessions bool   `help:"Go on beside other sessions of the database: none of them is sendoff's."`
}

// Run recovers with the database's own credential, as migrate does: the server
// must not run.
func (c *recoverCommand) Run(in *invocation) error {
	cfg, err := c.load(in, map[string]string{config.Data: in.data})
	if err != nil {
		return err
	}
	if in.json && !c.Plan && !c.Yes {
		return usage("a recovery asks before it acts, and JSON output cannot", "look with --plan, then repeat with --yes")
	}
	o := app.RecoverOptions{
		Reason: strings.TrimSpace(c.Reason), NothingLost: c.NothingLost, DryRun: true, AllowSessions: c.AllowSessions,
		Progress: func(line string) { in.note("%s", line) },
	}
	if !c.Yes || c.Plan {
		planned, err := app.Recover(in.ctx, cfg, o)
		if err != nil {
			return ownError(err)
		}
		if c.Plan {
			return in.result(planned, func() { c.print(in, planned) })
		}
		c.print(in, planned)
		if !in.confirms("Do this? [y/N] ") {
			return usage("nothing was done", "answer y, or give --yes")
		}
	}
	o.DryRun = false
	done, err := app.Recover(in.ctx, cfg, o)
	if err != nil {
		return ownError(err)
	}
	return in.result(done, func() { c.print(in, done) })
}

// confirms asks a person. No answer is no.
func (in *invocation) confirms(question string) bool {
	in.note("%s", question)
	answer, _ := in.typedLine(bufio.NewReader(in.stdin)) // what came before the end is the answer
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}

func (c *recoverCommand) print(in *invocation, r schema.Recovery) {
	would := "would be "
	if r.Done {
		would = ""
	}
	in.print("audit log    ends at %d records under its newest checkpoint; one kept elsewhere that covers more shows what was lost", r.CheckpointSize)
	if c.NothingLost {
		in.print("The database %staken for the one worked with before.", would)
		return
	}
	in.print("plans        %d open; their workflows %sstarted anew from their rows", r.Plans, would)
	in.print("writes       %d without an outcome %smarked unknown", r.Writes, would)
	in.print("connections  %s", orNone(strings.Join(r.Connections, ", "), would+"made read-only"))
	in.print("transfers    %s", orNone(countOf(len(r.Transfers)), would+"taken for sent"))
	for _, t := range r.Transfers {
		what := "evidence decides"
		if t.To == schema.TransferStalled {
			what = "an operator decides"
		}
		in.print("  case %s: %s -> %s, %s", t.CaseID, orNone(string(t.From), ""), t.To, what)
	}
	if r.Done {
		in.print("The engine is paused. Look at the vendor, then: start sendoff; sendoff connections allow-writes NAME --reason R; sendoff unpause.")
	}
}

func countOf(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// orNone is the text with what became of it, or none for "".
func orNone(text, became string) string {
	if text == "" {
		return "none"
	}
	return strings.TrimSpace(text + " " + became)
}

type allowWritesCommand struct {
	Name   string `arg:"" help:"Name of the connection."`
	Reason string `required:"" help:"What was looked at; kept in the audit trail."`
}

// Run lets a connection write.
func (c *allowWritesCommand) Run(in *invocation) error {
	return in.changeConnection((*apiclient.Client).AllowConnectionWrites, connectionChange(*c), "Allowed writes of")
}
