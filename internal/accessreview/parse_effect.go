package accessreview

import (
	"cmp"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/template"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

const overBudget = "a campaign that is over it is held until two people release it"

// effect reads what a revocation does.
func (r reviewReader) effect(root, n *yaml.Node) schema.EffectRule {
	e := schema.EffectRule{When: schema.EffectAtClose, Role: schema.RoleMember}
	var m map[string]*yaml.Node
	if n != nil {
		root = n
		m = r.Some(n, "effect", "when", "account", "role", "receivers", "archive", "approvals", "budget")
	}
	e.When = cmp.Or(yamlfile.Word(r.Reader, m, "effect", "when", schema.EffectAtClose, schema.EffectAtOnce), schema.EffectAtClose)
	r.number(m, "effect", "approvals", 0, 2, &e.Approvals)
	if v := m["role"]; v != nil {
		r.role(v)
	}
	r.account(&e, root, m)
	e.Budget = r.Budget(m["budget"], "effect.budget", overBudget)
	return e
}

// role: what is given in place of a revoked role must not be one to revoke.
func (r reviewReader) role(n *yaml.Node) {
	if role := schema.AccountRole(n.Value); yamlfile.IsText(n) && role.Privileged() {
		r.Fault(n, "effect.role", "privileged", "a revoked role would be replaced by a privileged one", "write member")
		return
	}
	r.Choice(n, "effect.role", string(schema.RoleMember))
}

// account reads the steps for a revoked account, and who receives content. A wait
// without a length lasts as long as a template's does.
func (r reviewReader) account(e *schema.EffectRule, root *yaml.Node, m map[string]*yaml.Node) {
	written := m["account"]
	if written == nil {
		written = defaultSteps()
	}
	steps, receivers := template.ReadFlow(r.Reader, template.Flow{
		Of: "the effect", At: "effect", Member: "account", Root: root, Steps: written, Receivers: m["receivers"], Archive: m["archive"],
		Approvals: e.Approvals, Now: r.now,
	})
	e.Account, e.Receivers = steps.Facts(), receivers
	for i, s := range e.Account {
		if s.Kind == schema.StepWait && s.WaitSeconds == 0 && s.Until == "" {
			e.Account[i].WaitSeconds = int64(schema.DefaultGrace / time.Second)
		}
	}
	if i := steps.Find(schema.StepReactivate); i >= 0 {
		r.Fault(steps[i].Node, steps[i].Path, "reactivates", "a revocation would give an account back", "remove the step")
		return
	}
	if len(steps) > 0 && !acts(steps) && m["account"] != nil {
		r.Warn(m["account"], "effect.account", "no_effect", "nothing shuts a revoked account", "add - suspend or - delete, or a manual step for somebody")
	}
}

// acts tells whether the account is shut, be it by somebody.
func acts(steps template.Steps) bool {
	for _, s := range steps {
		if !s.Known || s.Kind == schema.StepSuspend || s.Kind == schema.StepDelete || s.Kind == schema.StepManual {
			return true
		}
	}
	return false
}

// defaultSteps are those of a file that names none.
func defaultSteps() *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, k := range []schema.StepKind{schema.StepSnapshot, schema.StepSuspend} {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(k)})
	}
	return list
}
