package app

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// StackFileName is where a running local stack says how to reach its parts. It
// holds the local database's password and is readable by its owner alone.
const StackFileName = "stack.json"

// stackFile is what lies in StackFileName.
type stackFile struct {
	DatabaseURL     string `json:"database_url"`
	KeyFile         string `json:"key_file"`
	TemporalAddress string `json:"temporal_address,omitempty"` // "" = not ours
	Namespace       string `json:"namespace,omitempty"`
}

func (l *Local) writeStack() error {
	s := stackFile{DatabaseURL: l.cfg.Config.DatabaseURL, KeyFile: l.cfg.Config.KeyFile}
	if s.KeyFile == "" {
		s.KeyFile = l.path(KeyFileName)
	}
	if l.temporal != nil {
		s.TemporalAddress, s.Namespace = l.temporal.Address(), l.temporal.Namespace()
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(l.path(StackFileName), append(text, '\n'))
}

func readStack(dir string) (stackFile, error) {
	var s stackFile
	text, err := os.ReadFile(filepath.Join(dir, StackFileName))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}
