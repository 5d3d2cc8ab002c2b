package local

// FirstUsable looks for Postgres in the given directories only.
func FirstUsable(dirs []string) (postgres string, err error) {
	b, err := firstUsable(dirs)
	return b.postgres, err
}
