// Package deploy_test checks the files a production installation starts from.
package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"sendoff/internal/config"
)

// composeFile is the part of a compose file these tests speak about.
type composeFile struct {
	Services map[string]service `yaml:"services"`
	Networks map[string]struct {
		Internal bool `yaml:"internal"`
	} `yaml:"networks"`
	Secrets map[string]struct {
		File string `yaml:"file"`
	} `yaml:"secrets"`
}

type service struct {
	Image       string            `yaml:"image"`
	Command     []string          `yaml:"command"`
	Entrypoint  []string          `yaml:"entrypoint"`
	Environment map[string]string `yaml:"environment"`
	Ports       []string          `yaml:"ports"`
	Expose      []string          `yaml:"expose"`
	Networks    []string          `yaml:"networks"`
	NetworkMode string            `yaml:"network_mode"`
	Volumes     []string          `yaml:"volumes"`
	Secrets     []string          `yaml:"secrets"`
	Restart     string            `yaml:"restart"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	StopGrace   string            `yaml:"stop_grace_period"`
	HealthCheck struct {
		Test []string `yaml:"test"`
	} `yaml:"healthcheck"`
	DependsOn map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
}

func load(t *testing.T) (composeFile, string) {
	t.Helper()
	text, err := os.ReadFile("../docker-compose.yml")
	require.NoError(t, err)
	var file composeFile
	require.NoError(t, yaml.Unmarshal(text, &file))
	return file, string(text)
}

func TestCompose(t *testing.T) {
	t.Parallel()
	file, text := load(t)
	required := regexp.MustCompile(`\$\{[^}]*\}`)
	jobs := []string{"temporal-schema", "temporal-namespace", "migrate"}
	servers := []string{"postgres", "temporal", "temporal-ui", "server", "worker"}

	t.Run("has these services and no others", func(t *testing.T) {
		t.Parallel()
		require.ElementsMatch(t, slices.Concat(jobs, servers), slices.Collect(maps.Keys(file.Services)))
	})

	t.Run("publishes no Temporal or Postgres port, and the rest on loopback alone", func(t *testing.T) {
		t.Parallel()
		for name, s := range file.Services {
			require.Empty(t, s.NetworkMode, name)
			if !slices.Contains([]string{"server", "temporal-ui"}, name) {
				require.Empty(t, s.Ports, name)
			}
			for _, port := range s.Ports {
				require.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s publishes %s", name, port)
			}
		}
		require.True(t, file.Networks["backend"].Internal)
		for _, name := range slices.Concat(jobs, []string{"postgres", "temporal"}) {
			require.Equal(t, []string{"backend"}, file.Services[name].Networks, name)
		}
	})

	t.Run("starts Temporal with 512 shards and its configuration mounted", func(t *testing.T) {
		t.Parallel()
		temporal := file.Services["temporal"]
		require.Equal(t, "512", temporal.Environment["NUM_HISTORY_SHARDS"])
		require.Contains(t, temporal.Volumes,
			"./deploy/temporal/dynamicconfig.yaml:"+temporal.Environment["DYNAMIC_CONFIG_FILE_PATH"]+":ro")
		require.Equal(t, "sendoff", file.Services["temporal-namespace"].Environment["TEMPORAL_NAMESPACE"])
		require.Equal(t, "30d", file.Services["temporal-namespace"].Environment["RETENTION"])
	})

	t.Run("starts things in an order that works", func(t *testing.T) {
		t.Parallel()
		for _, edge := range [][3]string{
			{"temporal-schema", "postgres", "service_healthy"},
			{"temporal", "temporal-schema", "service_completed_successfully"},
			{"temporal-namespace", "temporal", "service_healthy"},
			{"migrate", "postgres", "service_healthy"},
			{"server", "migrate", "service_completed_successfully"},
			{"worker", "migrate", "service_completed_successfully"},
			{"server", "temporal-namespace", "service_completed_successfully"},
			{"worker", "temporal-namespace", "service_completed_successfully"},
		} {
			require.Equal(t, edge[2], file.Services[edge[0]].DependsOn[edge[1]].Condition, "%s on %s", edge[0], edge[1])
		}
		for name, s := range file.Services {
			for on := range s.DependsOn {
				require.Contains(t, file.Services, on, "%s depends on it", name)
			}
		}
	})

	t.Run("watches what keeps running and gives it time to stop", func(t *testing.T) {
		t.Parallel()
		for _, name := range servers {
			s := file.Services[name]
			require.NotEmpty(t, s.HealthCheck.Test, name)
			require.Equal(t, "unless-stopped", s.Restart, name)
			grace, err := time.ParseDuration(s.StopGrace)
			require.NoError(t, err, name)
			require.GreaterOrEqual(t, grace, 15*time.Second, name)
		}
		require.Equal(t, "90s", file.Services["worker"].StopGrace, "more than the worker's own 60 s")
		for _, name := range jobs {
			require.True(t, strings.HasPrefix(file.Services[name].Restart, "on-failure"), name)
		}
	})

	t.Run("asks for every secret and defaults none", func(t *testing.T) {
		t.Parallel()
		example := exampleVariables(t)
		require.NotEmpty(t, example)
		for _, use := range regexp.MustCompile(`\$\{([A-Z_]+)([^}]*)\}`).FindAllStringSubmatch(text, -1) {
			if use[1] == "SENDOFF_VERSION" {
				continue // which image to run is no secret
			}
			require.True(t, strings.HasPrefix(use[2], ":?"), "%s must be required", use[0])
			require.Contains(t, example, use[1])
		}
		for _, name := range example {
			require.Contains(t, text, "${"+name+":?", "%s is in .env.example and used nowhere", name)
		}
		for name, s := range file.Services {
			for key, value := range s.Environment {
				if regexp.MustCompile(`PASSWORD|PWD|SECRET|DATABASE.*URL`).MatchString(key) {
					require.Contains(t, value, ":?", "%s of %s must come from .env", key, name)
				}
			}
		}
		require.Contains(t, file.Secrets["sendoff_key"].File, ":?")
	})

	t.Run("gives the owner's role to the migration alone", func(t *testing.T) {
		t.Parallel()
		for name, s := range file.Services {
			_, owner := s.Environment["SENDOFF_DATABASE_OWNER_URL"]
			require.Equal(t, name == "migrate", owner, name)
		}
		for _, name := range []string{"server", "worker"} {
			env := file.Services[name].Environment
			require.Contains(t, env["SENDOFF_DATABASE_URL"], "://sendoff_app:")
			require.Equal(t, "/run/secrets/sendoff_key", env["SENDOFF_KEY_FILE"])
			require.Equal(t, []string{"sendoff_key"}, file.Services[name].Secrets)
			require.Equal(t, "temporal:7233", env["TEMPORAL_ADDRESS"])
			require.Equal(t, "sendoff", env["TEMPORAL_NAMESPACE"])
		}
	})

	t.Run("gives sendoff settings it accepts", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"migrate", "server", "worker"} {
			env := file.Services[name].Environment
			cfg, err := config.Load(config.Sources{Env: func(key string) (string, bool) {
				v, ok := env[key]
				return required.ReplaceAllString(v, "filled-in"), ok
			}})
			require.NoError(t, err, name)
			require.Equal(t, env["SENDOFF_KEY_FILE"], cfg.KeyFile, name)
			if name == "migrate" {
				require.Contains(t, cfg.DatabaseOwnerURL, "sendoff_owner:filled-in@postgres:5432/sendoff")
				continue
			}
			require.Contains(t, cfg.DatabaseURL, "sendoff_app:filled-in@postgres:5432/sendoff")
			require.True(t, cfg.TemporalPlaintext, name)
		}
	})

	t.Run("runs sendoff with nothing it does not need", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"migrate", "server", "worker"} {
			require.True(t, file.Services[name].ReadOnly, name)
			require.Equal(t, []string{"ALL"}, file.Services[name].CapDrop, name)
			require.Equal(t, name, file.Services[name].Command[0])
		}
	})

	t.Run("pins a version of every image", func(t *testing.T) {
		t.Parallel()
		for name, s := range file.Services {
			_, tag, ok := strings.Cut(s.Image, ":")
			require.True(t, ok && tag != "latest", "%s runs %s", name, s.Image)
		}
	})

	t.Run("mounts files that are there, read-only, and scripts that run", func(t *testing.T) {
		t.Parallel()
		for name, s := range file.Services {
			for _, v := range s.Volumes {
				from, to, _ := strings.Cut(v, ":")
				if !strings.HasPrefix(from, "./") {
					continue
				}
				info, err := os.Stat(filepath.Join("..", from))
				require.NoError(t, err, name)
				require.True(t, strings.HasSuffix(to, ":ro"), "%s mounts %s", name, v)
				if strings.HasSuffix(from, ".sh") {
					require.NotZero(t, info.Mode()&0o111, "%s is not executable", from)
				}
			}
		}
	})
}

// exampleVariables returns the names in .env.example, each of which must stand there without a value.
func exampleVariables(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../.env.example")
	require.NoError(t, err)
	var names []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		require.Empty(t, value, "%s has a value", name)
		names = append(names, name)
	}
	return names
}

func TestDynamicConfig(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("temporal/dynamicconfig.yaml")
	require.NoError(t, err)
	var config map[string][]map[string]any
	require.NoError(t, yaml.Unmarshal(text, &config))
	require.Equal(t, "255", fmt.Sprint(config["limit.maxIDLength"][0]["value"]))
	require.Equal(t, true, config["matching.enableFairness"][0]["value"])
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../Dockerfile")
	require.NoError(t, err)
	stages := strings.Split(string(text), "\nFROM ")
	require.Len(t, stages, 3, "the comment, the build and the image that ships")
	require.Contains(t, stages[1], "CGO_ENABLED=0")
	last := stages[2]
	require.Contains(t, last, "distroless/static")
	require.Contains(t, last, "nonroot")
	require.Regexp(t, `(?m)^USER [1-9][0-9]*:[1-9][0-9]*$`, last)
	require.NotContains(t, last, "RUN ")

	gomod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	minor := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindSubmatch(gomod)
	require.Contains(t, stages[1], "golang:"+string(minor[1]), "the image must build with the Go of go.mod")
}
