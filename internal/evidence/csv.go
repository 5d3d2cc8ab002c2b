package evidence

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"sendoff/schema"
)

// header names the columns: the item, what is held of which account by whom, how it
// was used (last_used is empty when no use was ever seen), how risky it is and what
// the facts spoke for, whether it is a control item, who had it in which order, what
// was answered to which version, how often in a row it was carried over, what became
// of a revocation, and what came back.
func header() []string {
	return []string{
		"item_id", "kind", "connection", "login", "external_id", "holder", "holder_email", "held", "access", "group", "target", "since", "account_status",
		"grade", "last_used", "risk", "risk_for", "recommended", "recommended_for", "control", "control_note", "stage", "reviewers", "state", "answer", "reason",
		"decided_by", "decided_at", "version_seen", "carried", "removal", "removal_id", "case_id", "proven_at", "removal_why", "way", "returned_by",
		"returned_at", "why",
	}
}

// CSV writes one row for each item (RFC 4180): UTF-8, a header, lines end with CR LF,
// instants are RFC 3339 in UTC. A text that a spreadsheet could take for a formula
// has an apostrophe in front.
func CSV(w io.Writer, e schema.CampaignEvidence) error {
	t := csv.NewWriter(w)
	t.UseCRLF = true
	if err := t.Write(header()); err != nil {
		return err
	}
	p := newPages(e)
	for _, i := range p.e.Items {
		if err := t.Write(p.cells(orderedItem(i))); err != nil {
			return err
		}
	}
	t.Flush()
	return t.Error()
}

func (p *pages) cells(i schema.EvidenceItem) []string {
	removal, returned := p.removals[i.RemovalID], p.lastReturn(i.ID)
	i = seen(i)
	f, c := i.Facts, i.Context
	cells := []string{
		string(i.ID), string(f.Kind), c.Connection, f.Login, string(f.ExternalID), c.Holder, c.HolderEmail, held(f), f.Access, f.Group, f.Target,
		at(c.Since).text(), string(f.AccountStatus), string(f.Grade), at(c.LastActiveAt).text(), string(i.Risk.Level), strings.Join(i.Risk.Reasons, " "),
		string(i.Recommendation.Answer), strings.Join(i.Recommendation.Reasons, " "), yes(i.Control), c.Decoy, p.stage(i.Stage), reviewersOf(i),
		string(i.State), string(i.Answer), i.Reason, i.DecidedBy, at(i.DecidedAt).text(), versionSeen(i), carried(i), string(i.Removal), string(i.RemovalID),
		string(removal.CaseID), at(removal.ProvenAt).text(), removal.Why, removal.Way, returned.Cause, at(returned.SeenAt).text(), i.Why,
	}
	for n := range cells {
		cells[n] = cell(cells[n])
	}
	return cells
}

// cell is a text as a cell of a CSV file that a spreadsheet may open: one that it
// could take for a formula, or that begins with a control character, gets an
// apostrophe in front. OWASP names the first characters that do it
// (https://owasp.org/www-community/attacks/CSV_Injection); spreadsheets skip blanks,
// and take the full-width forms for the same.
func cell(s string) string {
	first := strings.TrimLeftFunc(s, func(r rune) bool { return !unicode.IsControl(r) && (unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)) })
	if first == "" {
		return s
	}
	if r := []rune(first[:min(len(first), 4)])[0]; unicode.IsControl(r) || strings.ContainsRune("=+-@＝＋－＠", r) {
		return "'" + s
	}
	return s
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// held says what is held, in words.
func held(f schema.ItemFacts) string {
	as := ""
	if f.Access != "" {
		as = " as " + f.Access
	}
	switch f.Kind {
	case schema.ItemAccount:
		return "the account"
	case schema.ItemRole:
		return "the role " + string(f.Role)
	case schema.ItemGroup:
		return "a member of " + f.Group + as
	case schema.ItemCollaboration:
		return f.Target + as + " through " + f.Group
	}
	return string(f.Kind)
}

// reviewersOf are those who had an item, each once, in order.
func reviewersOf(i schema.EvidenceItem) string {
	var names []string
	for _, a := range i.Assignments {
		if !slices.Contains(names, a.Reviewer) {
			names = append(names, a.Reviewer)
		}
	}
	return strings.Join(names, "; ")
}

// deciding is the decision that counts: of the last stage that decided.
func deciding(i schema.EvidenceItem) (schema.CampaignDecision, bool) {
	var out schema.CampaignDecision
	found := false
	for _, d := range i.Decisions {
		if d.Current && d.Answer == i.Answer && (!found || d.Stage >= out.Stage) {
			out, found = d, true
		}
	}
	return out, found
}

// seen is an item with what whoever decided it was shown, as far as that was kept; one
// that nobody decided as it is.
func seen(i schema.EvidenceItem) schema.EvidenceItem {
	d, ok := deciding(i)
	for _, s := range i.Shown {
		if !ok || s.Version != d.Version || s.Version == i.Version {
			continue
		}
		if i.Version, i.Facts = s.Version, s.Facts; s.Weighed != nil {
			decoy := i.Context.Decoy
			i.Context, i.Recommendation, i.Risk = s.Weighed.Context, s.Weighed.Recommendation, s.Weighed.Risk
			i.Context.Decoy = decoy
		}
	}
	return i
}

func versionSeen(i schema.EvidenceItem) string {
	if d, ok := deciding(i); ok {
		return strconv.Itoa(d.Version)
	}
	return ""
}

// carried is how often the last decision was taken over in a row, this time
// included; "" of an item that was not carried.
func carried(i schema.EvidenceItem) string {
	if i.State != schema.ItemCarried {
		return ""
	}
	if i.Context.Last == nil {
		return "1"
	}
	return strconv.Itoa(i.Context.Last.Carried + 1)
}
