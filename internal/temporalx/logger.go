package temporalx

import (
	"fmt"

	"go.temporal.io/sdk/log"
	"go.uber.org/zap"
)

// logger passes the SDK's log lines on to zap.
type logger struct {
	zap *zap.Logger
}

var (
	_ log.Logger          = logger{}
	_ log.WithLogger      = logger{}
	_ log.WithSkipCallers = logger{}
)

// NewLogger returns a logger for the SDK that writes to z. Workflow code does
// not use it directly: workflow.GetLogger keeps silent during replay.
func NewLogger(z *zap.Logger) log.Logger {
	return logger{zap: z.WithOptions(zap.AddCallerSkip(1))}
}

func (l logger) Debug(msg string, keyvals ...any) { l.zap.Debug(msg, fields(keyvals)...) }
func (l logger) Info(msg string, keyvals ...any)  { l.zap.Info(msg, fields(keyvals)...) }
func (l logger) Warn(msg string, keyvals ...any)  { l.zap.Warn(msg, fields(keyvals)...) }
func (l logger) Error(msg string, keyvals ...any) { l.zap.Error(msg, fields(keyvals)...) }

// With returns a logger that adds keyvals to each line.
func (l logger) With(keyvals ...any) log.Logger {
	return logger{zap: l.zap.With(fields(keyvals)...)}
}

// WithCallerSkip returns a logger that names a caller further up the stack.
func (l logger) WithCallerSkip(depth int) log.Logger {
	return logger{zap: l.zap.WithOptions(zap.AddCallerSkip(depth))}
}

// fields pairs keys with values; a value without a key is kept under its
// position rather than lost.
func fields(keyvals []any) []zap.Field {
	out := make([]zap.Field, 0, (len(keyvals)+1)/2)
	for i := 0; i < len(keyvals); i += 2 {
		if i+1 == len(keyvals) {
			out = append(out, zap.Any(fmt.Sprintf("unpaired%d", i), keyvals[i]))
			break
		}
		key, ok := keyvals[i].(string)
		if !ok {
			key = fmt.Sprint(keyvals[i])
		}
		out = append(out, zap.Any(key, keyvals[i+1]))
	}
	return out
}
