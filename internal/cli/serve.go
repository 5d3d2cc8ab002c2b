package cli

// serveCommands are the commands that run sendoff itself.
type serveCommands struct{}
