package cli

import (
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/internal/intake"
	"sendoff/schema"
)

// planExit is done for a plan that may start, else refused, or ambiguous when
// that is all that is wrong.
func planExit(p apiclient.Plan) exitStatus {
	if !p.Refused {
		return ExitDone
	}
	for _, d := range p.Drafts {
		for _, f := range allFindings(d) {
			if !f.Warning && f.Code != string(schema.AmbiguousLogin) {
				return ExitRefused
			}
		}
	}
	return ExitNotFound
}

func allFindings(d apiclient.Draft) []apiclient.Finding {
	all := append([]apiclient.Finding(nil), d.Findings...)
	for _, a := range d.Accounts {
		all = append(all, a.Findings...)
	}
	return all
}

func (in *invocation) printPlan(p apiclient.Plan) {
	for _, d := range p.Drafts {
		in.print("%s: template %s, begins %s", d.Email, d.Template, atOr(d.EffectiveAt, "at once"))
		for _, a := range d.Accounts {
			in.print("  %s account %s (%s, %s)", a.Connection, a.AccountID, a.Role, a.Status)
			in.print("    steps     %s", stepNames(a.Steps))
			switch {
			case a.Receiver != nil:
				in.print("    receiver  %s (account %s) gets %s", a.Receiver.Login, a.Receiver.AccountID, size(a.PlannedBytes))
			default:
				in.print("    receiver  none")
			}
			in.printFindings("    ", a.Findings)
		}
		in.printFindings("  ", d.Findings)
		if d.Approvals > 0 {
			in.print("  approvals %d needed before the first write", d.Approvals)
		}
	}
	in.print("hash %s", p.Hash)
	if p.Refused {
		in.print("Refused: this would not be started.")
	} else {
		in.print("Nothing was started. To start exactly this, add: --confirm %s", p.Hash)
	}
}

func stepNames(steps []apiclient.DraftStep) string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.Kind
		if s.WaitSeconds > 0 {
			names[i] += " " + intake.FormatDuration(time.Duration(s.WaitSeconds)*time.Second)
		}
		if s.Irreversible {
			names[i] += " (irreversible)"
		}
	}
	return strings.Join(names, " > ")
}

func (in *invocation) printFindings(indent string, findings []apiclient.Finding) {
	for _, f := range findings {
		kind := "REFUSED"
		if f.Warning {
			kind = "warning"
		}
		where := ""
		if f.Connection != "" {
			where = " (" + f.Connection + ")"
		}
		in.print("%s%s %s%s: %s", indent, kind, f.Code, where, f.Message)
		if f.Fix != "" {
			in.print("%s  fix: %s", indent, f.Fix)
		}
	}
}

func (in *invocation) printStarted(cases []apiclient.Case) {
	for _, c := range cases {
		in.print("Case %s for %s: %s, begins %s, hash %s", c.CaseID, c.Email, c.State, atOr(c.EffectiveAt, "at once"), c.Hash)
	}
	if len(cases) == 1 {
		in.note("Follow it with: sendoff cases watch %s", cases[0].CaseID)
	} else {
		in.note("Follow them with: sendoff cases list")
	}
}
