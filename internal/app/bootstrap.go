package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/schema"
)

// bootstrapToken makes the first admin token of an installation and keeps it in
// a file that only its owner can read. With tokens in the database already it
// returns what the file holds, "" when there is none.
func bootstrapToken(ctx context.Context, s *store.Store, path string) (string, error) {
	token, had, err := tokenFile(path)
	if err != nil {
		return "", err
	}
	hash, err := secret.HashToken(token)
	if err != nil {
		return "", &schema.Error{Code: schema.CodeInvalid, Message: path + " does not hold an API token", Fix: "remove the file, or put the admin token back"}
	}
	created, err := s.BootstrapToken(ctx, hash)
	if err != nil || created || had {
		return token, err
	}
	return "", os.Remove(path) // tokens exist, and their holders have them
}

// tokenFile returns the token in the file. It writes a new one when there is no
// file: a token whose text was lost between database and file could not be made
// again, so the file comes first.
func tokenFile(path string) (token string, had bool, err error) {
	kept, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(kept)), true, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("the admin token cannot be read: %w", err)
	}
	fresh, _ := secret.NewToken()
	return fresh.Reveal(), false, writePrivate(path, []byte(fresh.Reveal()+"\n"))
}

// writePrivate writes a file whole or not at all, readable by its owner alone.
func writePrivate(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone after the rename
	if _, err := f.Write(text); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
