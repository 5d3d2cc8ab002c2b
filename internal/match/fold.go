package match

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

type decorator = interpreter.InterpretableDecoratorV2

// folding computes calls of constants once, when an expression is planned:
// days(90), 10 * 1024 * 1024. CEL's own folding stops at conversions of type.
type folding struct {
	failed []int64 // nodes that no account could be judged by
}

func (f *folding) decorate(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok || len(call.Args()) == 0 {
		return i, nil
	}
	for _, arg := range call.Args() {
		if _, constant := arg.(interpreter.InterpretableConst); !constant {
			return i, nil
		}
	}
	value := call.Eval(cel.NoVars())
	if types.IsUnknownOrError(value) {
		f.failed = append(f.failed, call.ID())
		return i, nil
	}
	return interpreter.NewConstValue(call.ID(), value), nil
}
