package match

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
)

// maxCost is what one evaluation may cost, in CEL's units: a comparison is about
// one, a text a tenth of its length. A million takes some 20 ms.
const maxCost = 1_000_000

// What an account is taken to have at most, when costs are estimated.
const (
	textSize     = 256
	groupsSize   = 2000
	trackingSize = 100
)

// sizes tells CEL how long things are.
type sizes struct{}

// EstimateSize implements cost.CostEstimator.
func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	if n.Type() == nil || n.ComputedSize() != nil {
		return nil
	}
	size := uint64(1)
	switch n.Type().Kind() {
	case types.StringKind, types.BytesKind:
		size = textSize
	case types.ListKind:
		size = groupsSize
	case types.MapKind:
		size = trackingSize
	}
	return &cost.SizeEstimate{Max: size}
}

// EstimateCallCost implements cost.CostEstimator: CEL knows its own functions.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// cost refuses an expression that could keep a review busy with one account.
func (f *faults) costs(checked *cel.Ast) {
	estimate, err := f.language.env.EstimateCost(checked, sizes{})
	if err == nil && estimate.Max <= maxCost {
		return
	}
	f.add(checked.NativeRep().Expr().ID(), fmt.Sprintf("the expression may cost more than %d steps for an account in %d groups", maxCost, groupsSize),
		"put no loop over groups inside another one, and build no long texts")
}
