package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/internal/campaign"
	"sendoff/schema"
)

// printItem writes everything that helps to decide about an item.
func (in *invocation) printItem(out io.Writer, i apiclient.CampaignItem) {
	line := func(format string, args ...any) {
		_, _ = fmt.Fprintln(out, schema.VisibleLine(fmt.Sprintf(format, args...)))
	}
	f, c := i.Facts, i.Context
	line("item         %s of campaign %s, version %d: %s", i.ID, i.CampaignID, i.Version, i.State)
	if i.Why != "" {
		line("             %s", i.Why)
	}
	line("holds        %s", heldText(i))
	line("account      %s%s of %s; %s, %s, role %s; seen %s", f.Login, named(c.Name), c.Connection, f.AccountKind, f.AccountStatus, orDash(f.Role), atOr(c.ObservedAt, "never"))
	line("holder       %s", holderText(i))
	line("since        %s; granted by %s", sinceText(c), cmp.Or(c.GrantedBy, "somebody who is not known"))
	line("use          %s", useText(i))
	line("peers        %s", peersText(c))
	line("last time    %s", lastText(c))
	line("licence      %s", licenceText(c))
	if i.Kind == "account" {
		line("content      %s owned", size(c.Bytes))
	}
	answer := "neither: decide by what you know"
	if i.Recommendation.Answer != "" {
		answer = i.Recommendation.Answer
	}
	line("speaks for   %s", answer)
	sentences(out, i.Recommendation.Reasons)
	line("risk         %s (%d)", i.Risk.Level, i.Risk.Score)
	sentences(out, i.Risk.Reasons)
	if i.Control != nil && *i.Control {
		line("control      it is made up to see how its reviewer decides, and removes nothing")
	}
	line("reviewer     %s", reviewerText(i))
	if i.Answer != "" {
		line("answer       %s by %s %s%s", i.Answer, orDash(i.DecidedBy), atOr(i.DecidedAt, ""), reasonText(i.Reason))
	}
	if i.Removal != "" {
		line("removal      %s (%s)", i.Removal, i.RemovalID)
	}
}

// sentences writes reasons as sentences, each with its code.
func sentences(out io.Writer, codes []string) {
	for _, code := range codes {
		_, _ = fmt.Fprintf(out, "  - %s (%s)\n", cmp.Or(campaign.Explain(code), "No words are known for this reason: the server is newer."), code)
	}
}

func named(name string) string {
	if name == "" {
		return ""
	}
	return " (" + name + ")"
}

// heldText says what is held.
func heldText(i apiclient.CampaignItem) string {
	f, text := i.Facts, ""
	switch i.Kind {
	case "account":
		text = "an account"
	case "role":
		text = "the role " + cmp.Or(f.Access, f.Role)
	case "collaboration":
		text = fmt.Sprintf("%q as %s, through the group %q", f.Target, orDash(f.Access), f.Group)
	default:
		text = fmt.Sprintf("membership of the group %q as %s", f.Group, orDash(f.Access))
	}
	if f.Provenance != "" {
		text += ", which " + f.Provenance + " feeds"
	}
	if i.Context.Everybody {
		text += ", which everybody is in"
	}
	if !f.Held {
		text += ": not any more"
	}
	return text
}

func holderText(i apiclient.CampaignItem) string {
	c := i.Context
	if i.Facts.HolderID == "" {
		return "nobody is known to hold it"
	}
	text := cmp.Or(c.Holder, "a person without a name")
	if c.HolderEmail != "" {
		text += " <" + c.HolderEmail + ">"
	}
	for _, part := range []string{strings.TrimSpace(c.EmploymentKind + " " + strings.ReplaceAll(i.Facts.Employment, "_", " ")), c.Department} {
		if part != "" {
			text += ", " + part
		}
	}
	if c.Manager != "" {
		text += "; manager " + c.Manager
	}
	return text
}

func sinceText(c apiclient.ItemContext) string {
	switch {
	case c.Since == nil:
		return "not known"
	case c.SinceSeen:
		return at(*c.Since) + ", when it was first seen"
	}
	return at(*c.Since) + ", by the vendor"
}

// useText says what is known of the use: the grade, by what, and how old that is.
func useText(i apiclient.CampaignItem) string {
	c := i.Context
	text := strings.ReplaceAll(i.Facts.Grade, "_", " ")
	if c.LastActiveAt != nil {
		text += "; last use " + at(*c.LastActiveAt)
		if c.LastEvent != "" {
			text += " (" + c.LastEvent + ")"
		}
	} else {
		text += "; no use was ever seen"
	}
	if c.CoveredFrom == nil {
		return text + "; its use is not collected"
	}
	return text + "; " + cmp.Or(c.Source, "an unnamed source") + " covers " + at(*c.CoveredFrom) + " to " + atOr(c.CoveredTo, "now")
}

func peersText(c apiclient.ItemContext) string {
	if c.Peers.People == 0 {
		return "none are known"
	}
	return fmt.Sprintf("%d of %d others of the department have the same", c.Peers.With, c.Peers.People)
}

func lastText(c apiclient.ItemContext) string {
	l := c.LastDecision
	if l == nil {
		return "nobody decided about it before"
	}
	text := l.Answer + " by " + cmp.Or(l.By, "nobody: silence") + " " + at(l.At) + reasonText(l.Reason)
	if l.Carried > 0 {
		text += fmt.Sprintf(" (taken over %d times since)", l.Carried)
	}
	if c.Changed {
		return text + "; it is other since"
	}
	return text + "; unchanged since"
}

func licenceText(c apiclient.ItemContext) string {
	switch {
	case !c.FreesSeat:
		return "revoking it frees no seat"
	case c.SeatPerYear == nil:
		return "revoking it frees a seat; what that costs is not known"
	}
	return "revoking it frees a seat of " + c.SeatPerYear.Amount + " " + c.SeatPerYear.Currency + " a year"
}

func reviewerText(i apiclient.CampaignItem) string {
	if i.Reviewer == "" {
		return "nobody"
	}
	text := fmt.Sprintf("%s, stage %d, place %d in the chain, since %s", i.Reviewer, i.Stage+1, i.Position+1, atOr(i.AssignedAt, "not known"))
	if i.EscalateAt != nil {
		text += "; the next is asked " + at(*i.EscalateAt)
	}
	return text
}
