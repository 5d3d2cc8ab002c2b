package store

import (
	"context"
	"encoding/json"

	"sendoff/schema"
)

// ExplainAccounts carries out the query of ListAccounts and returns how Postgres
// did it.
func (s *Store) ExplainAccounts(ctx context.Context, f schema.AccountFilter) (Explained, error) {
	from, err := parseKeyCursor(f.After, false, true)
	if err != nil {
		return Explained{}, err
	}
	connections, err := chosenConnections(ctx, s.pool, f.ConnectionID)
	if err != nil {
		return Explained{}, err
	}
	sql, a := accountList(f, from, connections)
	return s.explain(ctx, sql, a)
}

// Explained is a node of a plan that was carried out.
type Explained struct {
	NodeType string      `json:"Node Type"`
	Relation string      `json:"Relation Name"`
	Index    string      `json:"Index Name"`
	Rows     float64     `json:"Actual Rows"`
	Loops    float64     `json:"Actual Loops"`
	Removed  float64     `json:"Rows Removed by Filter"`
	Plans    []Explained `json:"Plans"`
}

// Walk calls fn for the node and all below it.
func (e Explained) Walk(fn func(Explained)) {
	fn(e)
	for _, p := range e.Plans {
		p.Walk(fn)
	}
}

func (s *Store) explain(ctx context.Context, sql string, a args) (Explained, error) {
	text, err := scalar[string](ctx, s.pool, `explain (analyze, timing off, format json) `+sql, a)
	if err != nil {
		return Explained{}, err
	}
	var plans []struct{ Plan Explained }
	err = json.Unmarshal([]byte(text), &plans)
	return plans[0].Plan, err
}
