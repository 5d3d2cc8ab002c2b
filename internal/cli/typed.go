package cli

import "bufio"

// typedLine reads a line that a person types. It ends with the command's context, so
// that Ctrl-C at a question ends the command; the read that waits is left to the end
// of the process.
func (in *invocation) typedLine(from *bufio.Reader) (string, error) {
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	go func() {
		text, err := from.ReadString('\n')
		typed <- line{text, err}
	}()
	select {
	case l := <-typed:
		return l.text, l.err
	case <-in.ctx.Done():
		return "", in.ctx.Err()
	}
}
