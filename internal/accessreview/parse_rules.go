package accessreview

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

const (
	maxReminders = 10
	maxDue       = 365 * day
	maxCarry     = 12
	maxDecoys    = 100
	maxControls  = 20 // of one reviewer
	leastShare   = 50 // percent: below, ordinary decisions would be alarms
	never        = "never"
)

// decisions reads how decisions are taken.
func (r reviewReader) decisions(n *yaml.Node) schema.DecisionRule {
	d := schema.DecisionRule{HighRiskReason: true, BulkBelow: schema.RiskMedium, Abstain: true}
	if n == nil {
		return d
	}
	m := r.Some(n, "decisions", "reason_for", "high_risk_reason", "bulk_below", "abstain", "carry")
	if v := m["reason_for"]; v != nil {
		d.ReasonFor = yamlfile.Chosen(r.Reader, v, "decisions.reason_for", schema.ItemAnswers(), nil)
	}
	r.truth(m, "decisions", "high_risk_reason", &d.HighRiskReason)
	r.truth(m, "decisions", "abstain", &d.Abstain)
	if v := m["bulk_below"]; v != nil {
		d.BulkBelow = r.level(v, "decisions.bulk_below", never)
	}
	if v := m["carry"]; v != nil {
		own := r.Mapping(v, "decisions.carry", "below", "times")
		if own == nil {
			return d
		}
		d.CarryTimes = 1
		if b := r.Need(v, own, "decisions.carry", "below", "write below: medium, which carries what is of low risk, or below: high"); b != nil {
			d.Carry = r.level(b, "decisions.carry.below")
		}
		r.number(own, "decisions.carry", "times", 1, maxCarry, &d.CarryTimes)
	}
	return d
}

// level reads a level of risk that something may be below: nothing is below low,
// and no member says all, so that high risk is decided one by one and each time.
func (r reviewReader) level(n *yaml.Node, path string, more ...string) schema.RiskLevel {
	if yamlfile.IsText(n) && n.Value == string(schema.RiskLow) {
		r.Fault(n, path, "no_effect", "nothing is below low", "write medium for what is of low risk, or remove the member")
		return ""
	}
	word := r.Choice(n, path, append([]string{string(schema.RiskMedium), string(schema.RiskHigh)}, more...)...)
	if word == never {
		return ""
	}
	return schema.RiskLevel(word)
}

// time reads when what happens.
func (r reviewReader) time(n *yaml.Node) schema.CampaignTime {
	t := schema.CampaignTime{Due: DefaultDue, EscalateFor: DefaultEscalateFor, Silence: schema.SilenceEscalates, WorkingDays: true}
	var m map[string]*yaml.Node
	if n != nil {
		m = r.Some(n, "time", "due", "remind", "escalate_after", "escalate_for", "silence", "working_days")
	}
	if v := m["due"]; v != nil {
		t.Due = r.length(v, "time.due", "nobody could answer in no time", "14d")
		if t.Due > maxDue {
			r.Fault(v, "time.due", "too_long", "the deadline is more than a year away", "write 365d at most")
		}
	}
	t.Remind = r.reminders(m["remind"], t.Due)
	if v := m["escalate_after"]; v != nil {
		t.EscalateAfter = r.length(v, "time.escalate_after", "each item would go through its chain at once", "7d")
		if t.EscalateAfter >= t.Due && t.Due > 0 {
			r.Warn(v, "time.escalate_after", "no_effect", "the deadline is before it", "write less than due, or remove the member")
		}
	}
	if v := m["escalate_for"]; v != nil {
		t.EscalateFor = r.length(v, "time.escalate_for", "nobody could answer in no time", "3d")
	}
	t.Silence = cmp.Or(yamlfile.Word(r.Reader, m, "time", "silence", schema.SilenceKeeps, schema.SilenceRevokes, schema.SilenceEscalates), schema.SilenceEscalates)
	r.truth(m, "time", "working_days", &t.WorkingDays)
	return t
}

// reminders reads how long before the deadline reviewers are reminded, longest
// first. Of those that nobody said, the ones within the time are taken.
func (r reviewReader) reminders(list *yaml.Node, due time.Duration) []time.Duration {
	if list == nil {
		return slices.DeleteFunc([]time.Duration{7 * day, 2 * day, day}, func(d time.Duration) bool { return d >= due })
	}
	var out []time.Duration
	for i, n := range r.UpTo(list, "time.remind", maxReminders) {
		at := yamlfile.Index("time.remind", i)
		d := r.length(n, at, "that is the deadline itself", "2d")
		switch {
		case d == 0 || due == 0:
		case d >= due:
			r.Fault(n, at, "beyond", "the reminder is before the campaign opens, which is "+intake.FormatDuration(due)+" before the deadline", "write less than due")
		case slices.Contains(out, d):
			r.Fault(n, at, "duplicate", "it is named twice", "name it once")
		default:
			out = append(out, d)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

// quality reads when decisions are doubted.
func (r reviewReader) quality(n *yaml.Node) schema.QualityRule {
	q := schema.QualityRule{MinItems: DefaultMinItems, MinSeconds: DefaultMinSeconds, ApproveAll: DefaultApproveAll, Against: DefaultAgainst}
	if n == nil {
		return q
	}
	m := r.Some(n, "quality", "min_items", "min_seconds", "approve_all", "against", "controls")
	r.number(m, "quality", "min_items", 1, maxLoad, &q.MinItems)
	r.number(m, "quality", "min_seconds", 0, 3600, &q.MinSeconds)
	if v := m["approve_all"]; v != nil {
		q.ApproveAll = r.share(v, "quality.approve_all")
	}
	if v := m["against"]; v != nil {
		q.Against = r.share(v, "quality.against")
	}
	if v := m["controls"]; v != nil {
		q.Controls = r.controls(v)
	}
	return q
}

// share reads a percentage, or never, which is 0.
func (r reviewReader) share(n *yaml.Node, path string) int {
	if yamlfile.IsText(n) && n.Value == never {
		return 0
	}
	digits, isPercent := strings.CutSuffix(n.Value, "%")
	share, err := strconv.Atoi(digits)
	text := n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!int" || isPercent)
	if !text || err != nil || strconv.Itoa(share) != digits || share < leastShare || share > 100 {
		r.Fault(n, path, "out_of_range", "this is not a share from 50% to 100%", "write for example 98%, or never for no alarm")
		return 0
	}
	return share
}

// controls reads the made up items: each reviewer gets some of the decoys.
func (r reviewReader) controls(n *yaml.Node) schema.ControlRule {
	var c schema.ControlRule
	m := r.Mapping(n, "quality.controls", "each", "decoys")
	if m == nil {
		return c
	}
	if v := r.Need(n, m, "quality.controls", "each", "write how many each reviewer gets, such as 2"); v != nil {
		c.Each, _ = r.Integer(v, "quality.controls.each", 1, maxControls)
	}
	v := r.Need(n, m, "quality.controls", "decoys", "write accounts that do not exist: - {login: temp.admin@example.com, name: Temp Admin, note: nobody of that name}")
	if v == nil {
		return c
	}
	first := map[string]string{}
	for i, one := range r.Items(v, "quality.controls.decoys", maxDecoys) {
		path := yamlfile.Index("quality.controls.decoys", i)
		d := r.decoy(one, path)
		if other := first[d.Login]; other != "" && d.Login != "" {
			r.Fault(one, path, "duplicate", "the same login as "+other, "name it once")
		}
		first[d.Login] = path
		c.Decoys = append(c.Decoys, d)
	}
	if len(c.Decoys) > 0 && c.Each > len(c.Decoys) {
		r.Fault(m["each"], "quality.controls.each", "too_many", "there are fewer decoys than each reviewer gets", "add decoys, or write "+strconv.Itoa(len(c.Decoys))+" at most")
	}
	return c
}

func (r reviewReader) decoy(n *yaml.Node, path string) schema.Decoy {
	var d schema.Decoy
	m := r.Mapping(n, path, "login", "name", "note")
	if m == nil {
		return d
	}
	if v := r.Need(n, m, path, "login", "write the login of an account that does not exist"); v != nil {
		d.Login, _ = r.Address(v, yamlfile.Under(path, "login"), intake.ParseAddress)
	}
	if v := m["name"]; v != nil {
		d.Name = r.Line(v, yamlfile.Under(path, "name"))
	}
	if v := m["note"]; v != nil {
		d.Note = r.Line(v, yamlfile.Under(path, "note"))
	}
	return d
}
