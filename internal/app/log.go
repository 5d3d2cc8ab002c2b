package app

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// NewLogger returns a logger that writes JSON lines with UTC times to the paths
// ("stderr" or files), from the level up.
func NewLogger(level string, paths ...string) (*zap.Logger, error) {
	l, err := zap.ParseAtomicLevel(level)
	if err != nil {
		return nil, err
	}
	cfg := zap.NewProductionConfig()
	cfg.Level, cfg.OutputPaths, cfg.ErrorOutputPaths, cfg.Sampling = l, paths, []string{"stderr"}, nil
	cfg.DisableStacktrace = true
	cfg.EncoderConfig.TimeKey, cfg.EncoderConfig.EncodeTime = "time", zapcore.RFC3339NanoTimeEncoder
	return cfg.Build()
}
