package reviewer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/reviewer"
	"sendoff/schema"
)

// company: ann is managed by bob, bob by cleo, cleo by herself. Dora owns the app,
// and the campaign is olga's.
func company() *schema.Directory {
	dir := &schema.Directory{
		People: map[schema.PersonID]schema.Colleague{}, Owner: "olga", AppOwners: map[schema.ConnectionID]schema.PersonID{"c1": "dora"},
		GroupOwners: map[schema.GroupKey][]schema.PersonID{{ConnectionID: "c1", GroupID: "g1"}: {"eve", "finn"}},
		Candidates:  map[schema.CandidateKey][]schema.PersonID{},
	}
	managers := map[schema.PersonID]schema.PersonID{"ann": "bob", "bob": "cleo", "cleo": "cleo"}
	for _, id := range []schema.PersonID{"ann", "bob", "cleo", "dora", "eve", "finn", "olga"} {
		dir.People[id] = schema.Colleague{ID: id, Emails: []string{string(id) + "@example.com"}, ManagerID: managers[id]}
	}
	return dir
}

func away(dir *schema.Directory, who, delegate schema.PersonID) {
	p := dir.People[who]
	p.Absences = append(p.Absences, schema.Absence{ID: "a", PersonID: who, From: now.Add(-time.Hour), DelegateID: delegate})
	dir.People[who] = p
}

func chain(kinds ...schema.ReviewerKind) schema.AccessReviewRule {
	stage := schema.ReviewStage{Name: "first"}
	for _, k := range kinds {
		stage.Who = append(stage.Who, schema.ReviewerCandidate{Whom: k})
	}
	return schema.AccessReviewRule{Stages: []schema.ReviewStage{stage}}
}

func annsItem() schema.Unassigned {
	return schema.Unassigned{
		ItemID: "i1", Version: 2, ConnectionID: "c1", HolderID: "ann", ManagerID: "bob", Logins: []string{"ann@example.com"},
		Group: schema.GroupKey{ConnectionID: "c1", GroupID: "g1"}, Applies: "1111",
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	const left = "nobody is left to decide: reassign it to somebody who does not hold the account and has not decided about it"
	type via = []schema.Via
	tests := map[string]struct {
		rule schema.AccessReviewRule
		dir  func(*schema.Directory)
		item func(*schema.Unassigned)
		who  schema.PersonID
		at   int
		via  via
		why  string
	}{
		"the manager": {rule: chain("manager"), who: "bob", via: via{{From: "ann", To: "bob", Why: "manager"}}},
		"the manager's manager": {
			rule: chain("managers_manager"), who: "cleo",
			via: via{{From: "ann", To: "bob", Why: "manager"}, {From: "bob", To: "cleo", Why: "manager"}},
		},
		"a delegate of a delegate": {
			rule: chain("manager"), who: "eve",
			dir: func(d *schema.Directory) { away(d, "bob", "finn"); away(d, "finn", "eve") },
			via: via{{From: "ann", To: "bob", Why: "manager"}, {From: "bob", To: "finn", Why: "delegate"}, {From: "finn", To: "eve", Why: "delegate"}},
		},
		"delegations in a circle end": {
			rule: chain("manager", "app_owner"), who: "dora", at: 1,
			dir: func(d *schema.Directory) { away(d, "bob", "finn"); away(d, "finn", "bob") },
			via: via{{To: "dora", Why: "fallback"}},
			why: "delegate of manager: is absent, and nobody decides for them; manager: is absent, and nobody decides for them",
		},
		"who holds it gets it by no delegation": {
			rule: chain("manager"), who: "olga", at: 1, dir: func(d *schema.Directory) { away(d, "bob", "ann") },
			via: via{{To: "olga", Why: "fallback"}},
			why: "delegate of manager: holds the account; manager: is absent, and nobody decides for them",
		},
		"who holds it hands nothing on": {
			rule: chain("app_owner"), who: "olga", at: 1,
			dir: func(d *schema.Directory) { d.AppOwners["c1"] = "ann"; away(d, "ann", "eve") },
			via: via{{To: "olga", Why: "fallback"}}, why: "app_owner: holds the account",
		},
		"who holds it names nobody's delegate": {
			rule: chain("manager"), who: "finn",
			dir: func(d *schema.Directory) {
				away(d, "bob", "eve")
				away(d, "bob", "finn")
				d.People["bob"].Absences[0].SetBy = "ann"
				d.People["bob"].Absences[1].SetBy = "dora"
			},
			via: via{{From: "ann", To: "bob", Why: "manager"}, {From: "bob", To: "finn", Why: "delegate"}},
		},
		"who holds it sends nobody away": {
			rule: chain("manager", "app_owner"), who: "bob",
			dir: func(d *schema.Directory) {
				away(d, "bob", "")
				d.People["bob"].Absences[0].SetBy = "ann"
			},
			via: via{{From: "ann", To: "bob", Why: "manager"}},
		},
		"who held it before decides nothing, and names nobody": {
			rule: chain("app_owner", "manager"), who: "bob", at: 1,
			item: func(i *schema.Unassigned) { i.Holders = []schema.PersonID{"dora"} },
			dir: func(d *schema.Directory) {
				away(d, "bob", "eve")
				d.People["bob"].Absences[0].SetBy = "dora"
			},
			via: via{{To: "bob", Why: "fallback"}, {From: "ann", To: "bob", Why: "manager"}},
			why: "app_owner: holds the account",
		},
		"the app owner alone is no hop": {rule: chain("app_owner"), who: "dora", via: nil},
		"least load of several": {
			rule: chain("entitlement_owner"), who: "finn", dir: func(d *schema.Directory) { d.Load = map[schema.PersonID]int{"eve": 1} },
			via: via{{To: "finn", Why: "load"}},
		},
		"then the id": {rule: chain("entitlement_owner"), who: "eve", via: via{{To: "eve", Why: "load"}}},
		"an item of no group has no entitlement owner": {
			rule: chain("entitlement_owner"), item: func(i *schema.Unassigned) { i.Group = schema.GroupKey{} }, who: "olga", at: 1,
			dir: func(d *schema.Directory) { d.GroupOwners[schema.GroupKey{}] = []schema.PersonID{"eve"} },
			via: via{{To: "olga", Why: "fallback"}}, why: "entitlement_owner: nobody is known",
		},
		"self-management ends the candidate": {
			rule: chain("managers_manager", "app_owner"), item: func(i *schema.Unassigned) { i.ManagerID = "cleo" }, who: "dora", at: 1,
			via: via{{To: "dora", Why: "fallback"}}, why: "managers_manager: manages themselves or is managed by whom they manage",
		},
		"a candidate that does not apply": {
			rule: chain("manager", "app_owner"), item: func(i *schema.Unassigned) { i.Applies = "01" }, who: "dora", at: 1,
			via: via{{To: "dora", Why: "fallback"}},
		},
		"escalated": {
			rule: chain("manager", "app_owner"), item: func(i *schema.Unassigned) { i.From, i.Past = 1, []schema.PersonID{"bob"} }, who: "dora", at: 1,
			via: via{{From: "bob", To: "dora", Why: "escalation"}},
		},
		"taken from who went away: their delegate": {
			rule: chain("manager"), item: func(i *schema.Unassigned) { i.Past = []schema.PersonID{"bob"} }, who: "eve",
			dir: func(d *schema.Directory) { away(d, "bob", "eve") },
			via: via{{From: "ann", To: "bob", Why: "manager"}, {From: "bob", To: "eve", Why: "delegate"}},
		},
		"reassigned": {
			rule: chain("manager"), item: func(i *schema.Unassigned) { i.To = "finn" }, who: "finn", via: via{{To: "finn", Why: "reassigned"}},
		},
		"reassigned to whoever had it before and has enough": {
			rule: func() schema.AccessReviewRule { r := chain("manager"); r.LoadCap = 1; return r }(), who: "finn",
			item: func(i *schema.Unassigned) { i.To, i.Past = "finn", []schema.PersonID{"finn"} },
			dir:  func(d *schema.Directory) { d.Load = map[schema.PersonID]int{"finn": 3} }, via: via{{To: "finn", Why: "reassigned"}},
		},
		"a delegate of whom it was reassigned to had it before": {
			rule: chain("manager"), who: "bob",
			item: func(i *schema.Unassigned) { i.To, i.Past = "finn", []schema.PersonID{"eve"} },
			dir:  func(d *schema.Directory) { away(d, "finn", "eve") }, via: via{{From: "ann", To: "bob", Why: "manager"}},
			why: "delegate of reassigned: had the item before; reassigned: is absent, and nobody decides for them",
		},
		"reassigned to the holder": {
			rule: chain("manager"), item: func(i *schema.Unassigned) { i.To = "ann" }, who: "bob",
			via: via{{From: "ann", To: "bob", Why: "manager"}}, why: "reassigned: holds the account",
		},
		"who has enough, who has left, who decided before": {
			rule: func() schema.AccessReviewRule {
				r := chain("manager", "app_owner", "entitlement_owner")
				r.LoadCap = 2
				return r
			}(),
			dir: func(d *schema.Directory) {
				d.Load = map[schema.PersonID]int{"bob": 2, "olga": 9}
				p := d.People["dora"]
				p.Left = true
				d.People["dora"] = p
			},
			item: func(i *schema.Unassigned) { i.Deciders = []schema.PersonID{"eve", "finn"} }, who: "olga", at: 3,
			via: via{{To: "olga", Why: "fallback"}},
			why: "manager: has as many items as one may have; app_owner: has left; entitlement_owner: decided in another stage",
		},
		"the owner's delegate has no cap in the owner's place": {
			rule: func() schema.AccessReviewRule { r := chain(); r.LoadCap = 1; return r }(),
			dir:  func(d *schema.Directory) { away(d, "olga", "eve"); d.Load = map[schema.PersonID]int{"eve": 5} },
			who:  "eve", via: via{{From: "olga", To: "eve", Why: "delegate"}},
		},
		"the owner holds it": {
			rule: chain("manager"), dir: func(d *schema.Directory) { d.Owner = "ann"; away(d, "bob", "") }, at: 2,
			why: "manager: is absent, and nobody decides for them; owner: holds the account; " + left,
		},
		"an unmatched account of the owner, by its login": {
			rule: chain("manager"), at: 2,
			item: func(i *schema.Unassigned) { i.HolderID, i.ManagerID, i.Logins = "", "", []string{"olga@example.com"} },
			why:  "manager: nobody is known; owner: holds the account; " + left,
		},
		"after the owner there is nobody": {rule: chain("manager"), item: func(i *schema.Unassigned) { i.From = 2 }, at: 2, why: left},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, item := company(), annsItem()
			if test.dir != nil {
				test.dir(dir)
			}
			if test.item != nil {
				test.item(&item)
			}
			got := reviewer.New(test.rule, dir, now).Choose(item)
			require.Equal(t, schema.Assignment{ItemID: "i1", Version: 2, Stage: item.Stage, From: item.From, To: item.To, ReviewerID: test.who, Place: test.at, Via: test.via, Why: test.why}, got)
		})
	}
}
