package cli

import (
	"io"
	"os"
	"strings"

	"sendoff/internal/apiclient"
)

// What the files of secrets hold at most; anything longer is another file.
const (
	maxSecretBytes     = 4096
	maxConfigFileBytes = 64 << 10
)

// secretFlags name a file with a secret. No flag takes a secret itself: it would
// stand in the shell's history and the list of processes.
type secretFlags struct {
	ClientSecretFile string `required:"" xor:"secret" placeholder:"FILE" help:"File with the client secret alone; - reads stdin."`
	ConfigFile       string `required:"" xor:"secret" placeholder:"FILE" help:"Box's own configuration file of a JWT application; - reads stdin."`
}

// readSecret reads the file that the flags name.
func (in *invocation) readSecret(flags secretFlags) (apiclient.Secret, error) {
	if flags.ConfigFile != "" {
		text, err := in.readText(flags.ConfigFile, maxConfigFileBytes)
		if err != nil || strings.TrimSpace(text) == "" {
			return apiclient.Secret{}, secretFault("the configuration file", err, "name the JSON file that Box's developer console downloaded")
		}
		return apiclient.Secret{ConfigFile: text}, nil
	}
	text, err := in.readText(flags.ClientSecretFile, maxSecretBytes)
	secret := strings.TrimSpace(text)
	if err != nil || secret == "" || strings.ContainsAny(secret, "\r\n") {
		return apiclient.Secret{}, secretFault("the secret's file", err, "name a file that holds the client secret alone, on one line")
	}
	return apiclient.Secret{ClientSecret: secret}, nil
}

func secretFault(what string, err error, fix string) error {
	if err != nil {
		return usage(what+" cannot be read: "+err.Error(), fix)
	}
	return usage(what+" is empty or another file", fix)
}

// readText reads a file, or stdin for a dash. One that is longer than limit bytes
// is read as empty: it is not what was meant.
func (in *invocation) readText(file string, limit int64) (string, error) {
	source := in.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		source = f
	}
	b, err := io.ReadAll(io.LimitReader(source, limit+1))
	if err != nil || int64(len(b)) > limit {
		return "", err
	}
	return string(b), nil
}

type rotateConnectionCommand struct {
	Name string `arg:"" help:"Name of the connection."`
	secretFlags
}

// Run checks the new credentials and replaces the old ones.
func (c *rotateConnectionCommand) Run(in *invocation) error {
	secret, err := in.readSecret(c.secretFlags)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.RotateConnection(in.ctx, c.Name, secret)
	if err != nil {
		return err
	}
	return in.result(got, func() { in.printCheck("Rotated the credentials of", got) })
}
