package app

import "strings"

// environment is a process environment in the form of os.Environ, for code that
// wants to look variables up in it; a later pair wins.
type environment []string

// Environ returns every pair.
func (e environment) Environ() []string { return e }

// LookupEnv returns a variable and whether it is set.
func (e environment) LookupEnv(name string) (value string, ok bool) {
	for _, pair := range e {
		if k, v, found := strings.Cut(pair, "="); found && k == name {
			value, ok = v, true
		}
	}
	return value, ok
}
