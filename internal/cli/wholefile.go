package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
)

// writeThrough makes a file of what write writes: it appears when it is whole, and
// one that was there stays until then.
func writeThrough(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.part")
	if err != nil {
		return usage("the file cannot be written: "+err.Error(), "name a file in a directory you may write to")
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it is not what was asked for
	}
	return err
}

// writeWhole writes a file that appears when it is whole.
func writeWhole(path string, content []byte) error {
	return writeThrough(path, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(content))
		return err
	})
}
