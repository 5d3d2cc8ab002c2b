package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// MinPostgresMajor is the oldest Postgres that sendoff supports.
const MinPostgresMajor = 15

// ErrNoPostgres is returned when no usable Postgres server is installed.
var ErrNoPostgres = errors.New("no Postgres server binaries found")

const installPostgres = `install Postgres 15 or newer, or set SENDOFF_DATABASE_URL to a running one:
  Debian, Ubuntu   sudo apt-get install postgresql
  Fedora, RHEL     sudo dnf install postgresql-server
  Alpine           sudo apk add postgresql
  Arch             sudo pacman -S postgresql
  macOS            brew install postgresql@17`

// binaries are the two programs of one Postgres installation that we run.
type binaries struct {
	initdb, postgres string
	major            int
}

// findPostgres looks for initdb and postgres side by side: on PATH first, then
// where packages of the usual systems put them, the newest major first.
func findPostgres() (binaries, error) { return firstUsable(postgresDirs()) }

func firstUsable(dirs []string) (binaries, error) {
	var seen []string
	for _, dir := range dirs {
		b := binaries{initdb: filepath.Join(dir, "initdb"), postgres: filepath.Join(dir, "postgres")}
		if !executable(b.initdb) || !executable(b.postgres) {
			continue
		}
		major, err := postgresMajor(b.postgres)
		if err == nil && major >= MinPostgresMajor {
			b.major = major
			return b, nil
		}
		seen = append(seen, fmt.Sprintf("%s (major version %d)", dir, major))
	}
	if len(seen) > 0 {
		return binaries{}, fmt.Errorf("%w of major version %d or newer, only %v; %s", ErrNoPostgres, MinPostgresMajor, seen, installPostgres)
	}
	return binaries{}, fmt.Errorf("%w; %s", ErrNoPostgres, installPostgres)
}

// postgresDirs lists the directories to look in, in order of preference.
func postgresDirs() []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
		// A lone link on PATH still tells where its installation lies.
		if real, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
		"/usr/pgsql-*/bin",                  // packages of postgresql.org for RHEL
		"/usr/libexec/postgresql*",          // Alpine
		"/opt/homebrew/opt/postgresql*/bin", // Homebrew on Apple silicon
		"/usr/local/opt/postgresql*/bin",    // Homebrew on Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
		"/usr/local/pgsql/bin", // built from source
	} {
		found, _ := filepath.Glob(pattern) // the only error is a bad pattern
		slices.SortFunc(found, newestFirst)
		dirs = append(dirs, found...)
	}
	return dirs
}

var firstNumber = regexp.MustCompile(`[0-9]+`)

func newestFirst(a, b string) int {
	return number(b) - number(a)
}

func number(s string) int {
	n, _ := strconv.Atoi(firstNumber.FindString(s)) // no number sorts last
	return n
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// postgresMajor asks a server binary for its major version; its answer reads
// "postgres (PostgreSQL) 15.18 (Debian ...)".
func postgresMajor(path string) (int, error) {
	out, err := command(path, "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("ask %s for its version: %w", path, err)
	}
	return number(string(out)), nil
}
