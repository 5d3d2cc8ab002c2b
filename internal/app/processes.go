package app

import (
	"context"
	"net"

	"go.uber.org/zap"

	"sendoff/internal/config"
	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/internal/temporalx"
	"sendoff/schema"
)

// Where processes serve health and metrics unless they are told.
const (
	workerPages = "127.0.0.1:8081"
	serverPages = "127.0.0.1:8082"
)

// openProduction opens the engine of a server or worker process: database and
// key must be configured.
func openProduction(ctx context.Context, cfg config.Config, log *zap.Logger) (*Engine, error) {
	var problems []schema.Problem
	if cfg.DatabaseURL == "" {
		problems = append(problems, schema.Problem{Where: config.DatabaseURL, Message: "is not set", Fix: "set SENDOFF_DATABASE_URL"})
	}
	if cfg.KeyFile == "" {
		problems = append(problems, schema.Problem{Where: config.KeyFile, Message: "is not set", Fix: "set SENDOFF_KEY_FILE to a file with 32 random bytes in base64"})
	}
	if len(problems) > 0 {
		return nil, &schema.Error{
			Code: schema.CodeInvalid, Message: "the configuration is not complete", Problems: problems,
			Fix: "for a stack on this machine alone use: sendoff up",
		}
	}
	keys, err := secret.LoadKeyring(cfg.KeyFile)
	if err != nil {
		return nil, err
	}
	return OpenEngine(ctx, cfg, keys, temporalx.Options{}, log)
}

// Server runs the API server of a production installation until ctx ends.
func Server(ctx context.Context, cfg config.Config, log *zap.Logger, version string) error {
	e, err := openProduction(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer e.Close()
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return &schema.Error{Code: schema.CodeInvalid, Message: "cannot listen on " + cfg.Listen, Fix: "choose another address with --listen"}
	}
	pages, err := listenPages(cfg.HealthListen, serverPages, log)
	if err != nil {
		return err
	}
	return e.runServer(ctx, l, pages, version)
}

// Worker runs a worker of a production installation until ctx ends.
func Worker(ctx context.Context, cfg config.Config, log *zap.Logger) error {
	e, err := openProduction(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer e.Close()
	pages, err := listenPages(cfg.HealthListen, workerPages, log)
	if err != nil {
		return err
	}
	return e.runWorker(ctx, pages)
}

// Migrate brings the database up to this program and, when tokenFile is named
// and there is no token yet, makes the first admin token there.
func Migrate(ctx context.Context, cfg config.Config, tokenFile string, progress func(string)) error {
	url := cfg.DatabaseOwnerURL
	if url == "" {
		url = cfg.DatabaseURL
	}
	if url == "" {
		return &schema.Error{Code: schema.CodeInvalid, Message: "the database is not named", Fix: "set SENDOFF_DATABASE_OWNER_URL"}
	}
	if err := store.Migrate(ctx, url, progress); err != nil || tokenFile == "" {
		return err
	}
	s, err := store.Open(ctx, store.Config{URL: url})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = bootstrapToken(ctx, s, tokenFile)
	return err
}
