package app

const (
	littleDisk = 2 << 30   // bytes
	noDisk     = 512 << 20 // bytes
)

// disk looks at the room of a local stack's directory.
func (d *doctor) disk() {
	if _, err := readStack(d.cfg.DataDir); err != nil {
		return // there is no local stack
	}
	free, ok := diskFree(d.cfg.DataDir)
	if !ok {
		return
	}
	v := VerdictOK
	switch {
	case free < noDisk:
		v = VerdictFail
	case free < littleDisk:
		v = VerdictWarn
	}
	d.say("disk", v, "make room: a database without any stops", "%.1f GiB are free for %s", float64(free)/(1<<30), d.cfg.DataDir)
}
