package app

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// LogFormat is how log lines are written.
type LogFormat = string

// The formats of log lines.
const (
	LogJSON    LogFormat = "json"    // one JSON object a line
	LogConsole LogFormat = "console" // columns, for people at a terminal
)

// NewLogger returns a logger that writes JSON lines with UTC times to the paths
// ("stderr" or files), from the level up.
func NewLogger(level string, paths ...string) (*zap.Logger, error) {
	return NewLoggerAs(LogJSON, level, paths...)
}

// NewLoggerAs is NewLogger with the format given.
func NewLoggerAs(format LogFormat, level string, paths ...string) (*zap.Logger, error) {
	l, err := zap.ParseAtomicLevel(level)
	if err != nil {
		return nil, err
	}
	cfg := zap.NewProductionConfig()
	cfg.Level, cfg.OutputPaths, cfg.ErrorOutputPaths, cfg.Sampling = l, paths, []string{"stderr"}, nil
	cfg.DisableStacktrace = true
	cfg.EncoderConfig.TimeKey, cfg.EncoderConfig.EncodeTime = "time", zapcore.RFC3339NanoTimeEncoder
	cfg.EncoderConfig.EncodeDuration = zapcore.StringDurationEncoder // with its unit
	if format == LogConsole {
		cfg.Encoding = LogConsole
	}
	return cfg.Build(zap.WithClock(utcClock{zapcore.DefaultClock}))
}

// utcClock writes times in UTC wherever the process runs.
type utcClock struct{ zapcore.Clock }

// Now implements zapcore.Clock.
func (c utcClock) Now() time.Time { return c.Clock.Now().UTC() }
