package cli

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sendoff/internal/apiclient"
)

// The files by which a local server is found in its data directory.
const (
	ServerFile     = "server.json" // LocalServer as JSON
	AdminTokenFile = "admin-token" // the first admin token, readable by its owner alone
)

// LocalServer is what a local server leaves in its data directory.
type LocalServer struct {
	URL        string `json:"url"`
	TemporalUI string `json:"temporal_ui"`
}

// client speaks to the server that the environment or the data directory names.
func (in *invocation) client() (*apiclient.Client, error) {
	url, token := in.getenv("SENDOFF_URL"), in.getenv("SENDOFF_TOKEN")
	if url != "" {
		return apiclient.New(url, token)
	}
	local, err := readLocalServer(in.data)
	if err != nil {
		return nil, err
	}
	if token == "" {
		b, err := os.ReadFile(filepath.Join(in.data, AdminTokenFile))
		if err != nil {
			return nil, usage("the data directory "+in.data+" holds no readable admin token", "set SENDOFF_TOKEN, or run this as the user who started sendoff up")
		}
		token = strings.TrimSpace(string(b))
	}
	return apiclient.New(local.URL, token)
}

func readLocalServer(data string) (LocalServer, error) {
	var local LocalServer
	b, err := os.ReadFile(filepath.Join(data, ServerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return local, &apiclient.Error{
			Code: apiclient.CodeUnreachable, Message: "no server is known: SENDOFF_URL is not set and " + data + " holds no " + ServerFile,
			Fix: "start one with: sendoff up; or set SENDOFF_URL and SENDOFF_TOKEN; or name its directory with --data",
		}
	}
	if err == nil {
		err = json.Unmarshal(b, &local)
	}
	if err != nil || local.URL == "" {
		return local, usage("the file "+filepath.Join(data, ServerFile)+" cannot be used", "start sendoff up again; it writes the file anew")
	}
	return local, nil
}
