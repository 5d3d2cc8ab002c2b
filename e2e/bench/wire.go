package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
)

// wire is a relay before Postgres that counts the statements clients send: simple
// queries, and executions of prepared ones
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
type wire struct {
	statements atomic.Int64
	listener   net.Listener
	target     string
	wg         sync.WaitGroup
}

// tap returns a relay and the connection string that leads through it.
func tap(database string) (*wire, string, error) {
	u, err := url.Parse(database)
	if err != nil {
		return nil, "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	w := &wire{listener: l, target: u.Host}
	u.Host = l.Addr().String()
	q := u.Query()
	q.Set("sslmode", "disable") // the relay reads along
	u.RawQuery = q.Encode()
	w.wg.Go(w.accept)
	return w, u.String(), nil
}

// close waits for the clients, which must have closed before.
func (w *wire) close() {
	_ = w.listener.Close() // a port that is let go of
	w.wg.Wait()
}

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.wg.Go(func() { w.relay(client) })
	}
}

func (w *wire) relay(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer server.Close()
	w.wg.Go(func() {
		_, _ = io.Copy(client, server) // ends with either side
		client.Close()
	})
	_ = w.count(bufio.NewReaderSize(client, 64<<10), server) // as above
}

// count forwards what the client says. The first message has no type.
func (w *wire) count(client *bufio.Reader, server net.Conn) error {
	out := bufio.NewWriterSize(server, 64<<10)
	for first := true; ; first = false {
		if !first {
			kind, err := client.ReadByte()
			if err != nil {
				return err
			}
			if kind == 'Q' || kind == 'E' {
				w.statements.Add(1)
			}
			if err := out.WriteByte(kind); err != nil {
				return err
			}
		}
		var size [4]byte
		if _, err := io.ReadFull(client, size[:]); err != nil {
			return err
		}
		if _, err := out.Write(size[:]); err != nil {
			return err
		}
		if _, err := io.CopyN(out, client, int64(binary.BigEndian.Uint32(size[:]))-4); err != nil {
			return err
		}
		if client.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}
