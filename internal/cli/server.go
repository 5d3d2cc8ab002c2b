package cli

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/internal/app"
)

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
		b, err := os.ReadFile(filepath.Join(in.data, app.TokenFileName))
		if err != nil {
			return nil, usage("the data directory "+in.data+" holds no readable admin token", "set SENDOFF_TOKEN, or run this as the user who started sendoff up")
		}
		token = strings.TrimSpace(string(b))
	}
	return apiclient.New(local.URL, token)
}

func readLocalServer(data string) (app.Address, error) {
	var local app.Address
	b, err := os.ReadFile(filepath.Join(data, app.ServerFileName))
	if errors.Is(err, fs.ErrNotExist) {
		return local, &apiclient.Error{
			Code: apiclient.CodeUnreachable, Message: "no server is known: SENDOFF_URL is not set and " + data + " holds no " + app.ServerFileName,
			Fix: "start one with: sendoff up; or set SENDOFF_URL and SENDOFF_TOKEN; or name its directory with --data",
		}
	}
	if err == nil {
		err = json.Unmarshal(b, &local)
	}
	if err != nil || local.URL == "" {
		return local, usage("the file "+filepath.Join(data, app.ServerFileName)+" cannot be used", "start sendoff up again; it writes the file anew")
	}
	return local, nil
}
