package secret

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// LoadKeyring reads a key file: one root key per line in base64, the current
// one first, older ones after it; empty lines and lines beginning with # are
// skipped. Others than the owner must have no access to the file.
func LoadKeyring(path string) (*Keyring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w; make one with: head -c 32 /dev/urandom | base64 > %s && chmod 600 %s", err, path, path)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("key file %s has mode %04o, others could read the key; run: chmod 600 %s", path, mode, path)
	}
	keys, err := parseKeys(bufio.NewScanner(f))
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	k, err := NewKeyring(keys[0], keys[1:]...)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return k, nil
}

// LoadOrCreateKeyring is LoadKeyring, and makes the file with a new key where
// there is none: for local use, where nobody else needs to know the key.
func LoadOrCreateKeyring(path string) (*Keyring, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createKeyFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("key file: %w", err)
		}
	}
	return LoadKeyring(path)
}

// createKeyFile makes the file whole or not at all: it fills a neighbour, syncs
// it, since losing the key loses all it sealed, and links it to its name, which
// fails with fs.ErrExist if another process was faster.
func createKeyFile(path string) error {
	draft, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = fmt.Fprintf(draft, "# sendoff root key. Keep a copy in a safe place: without it sealed credentials are lost.\n%s\n",
		base64.StdEncoding.EncodeToString(GenerateKey()))
	err = errors.Join(err, draft.Sync(), draft.Close())
	if err != nil {
		return err
	}
	return os.Link(draft.Name(), path)
}

func parseKeys(lines *bufio.Scanner) ([][]byte, error) {
	var keys [][]byte
	for number := 1; lines.Scan(); number++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, err := base64.StdEncoding.Strict().DecodeString(string(line))
		if err != nil || len(key) != RootKeyBytes {
			// The line itself may be a key with a typing error: do not quote it.
			return nil, fmt.Errorf("line %d is not %d bytes in base64", number, RootKeyBytes)
		}
		keys = append(keys, key)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no key")
	}
	return keys, nil
}
