package notify_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// smtpServer speaks enough of RFC 5321 to take mail, refuse it, or fall silent.
type smtpServer struct {
	host string
	port int

	implicit bool        // TLS from the first byte
	cert     *tls.Config // nil = no STARTTLS
	login    string      // "user:password" that AUTH PLAIN must give; "" = no AUTH
	// answer overrides the reply to a command: "" = as usual, "close" = hang up,
	// "hang" = say nothing more.
	answer func(command string) string

	mu    sync.Mutex
	mails []received
	dials int
}

// received is one message that was accepted.
type received struct {
	from, to, data string
	tls, signedIn  bool
}

// start serves on loopback until the test ends.
func (s *smtpServer) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.host, s.port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	var conns sync.WaitGroup
	done := make(chan struct{})
	t.Cleanup(func() { close(done); _ = l.Close(); conns.Wait() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				end := make(chan struct{})
				go func() {
					select {
					case <-done:
						_ = c.Close()
					case <-end:
					}
				}()
				(&smtpSession{server: s, conn: c, done: done}).run()
				close(end)
				_ = c.Close()
			})
		}
	}()
}

func (s *smtpServer) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.mails...)
}

type smtpSession struct {
	server *smtpServer
	conn   net.Conn
	in     *bufio.Reader
	done   chan struct{}
	mail   received
}

func (c *smtpSession) say(line string) { _, _ = c.conn.Write([]byte(line + "\r\n")) }

func (c *smtpSession) run() {
	c.server.mu.Lock()
	c.server.dials++
	c.server.mu.Unlock()
	if c.server.implicit {
		c.upgrade()
	}
	c.in = bufio.NewReader(c.conn)
	if !c.reply("CONNECT", "220 test ready") {
		return
	}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil || !c.command(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

func (c *smtpSession) upgrade() {
	c.conn, c.mail.tls = tls.Server(c.conn, c.server.cert), true
	c.in = bufio.NewReader(c.conn)
}

// reply answers as the test wants, else as usual; false ends the session.
func (c *smtpSession) reply(command, usual string) bool {
	answer := ""
	if c.server.answer != nil {
		answer = c.server.answer(command)
	}
	switch answer {
	case "":
		c.say(usual)
	case "close":
		return false
	case "hang":
		<-c.done
		return false
	default:
		c.say(answer)
	}
	return true
}

func (c *smtpSession) command(line string) bool {
	verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
	switch verb {
	case "EHLO":
		return c.ehlo()
	case "STARTTLS":
		c.say("220 go ahead")
		c.upgrade()
		return true
	case "AUTH":
		return c.auth(line)
	case "MAIL":
		c.mail.from = angle(line)
	case "RCPT":
		c.mail.to = angle(line)
	case "DATA":
		return c.data()
	case "QUIT":
		c.reply(line, "221 bye")
		return false
	}
	return c.reply(line, "250 ok")
}

func (c *smtpSession) ehlo() bool {
	lines := []string{"test", "8BITMIME"}
	if c.server.cert != nil && !c.mail.tls {
		lines = append(lines, "STARTTLS")
	}
	if c.server.login != "" {
		lines = append(lines, "AUTH PLAIN")
	}
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		c.say("250" + sep + l)
	}
	return true
}

func (c *smtpSession) auth(line string) bool {
	_, token, _ := strings.Cut(strings.TrimPrefix(line, "AUTH "), " ")
	plain, _ := base64.StdEncoding.DecodeString(token)
	if strings.ReplaceAll(strings.TrimPrefix(string(plain), "\x00"), "\x00", ":") != c.server.login {
		c.say("535 5.7.8 wrong credentials for " + string(plain))
		return true
	}
	c.mail.signedIn = true
	c.say("235 welcome")
	return true
}

func (c *smtpSession) data() bool {
	c.say("354 go on")
	var text strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	c.mail.data = text.String()
	end := "END " + c.mail.to
	if c.server.answer == nil || c.server.answer(end) == "" { // before the reply, which the test waits for
		c.server.mu.Lock()
		c.server.mails = append(c.server.mails, c.mail)
		c.server.mu.Unlock()
	}
	return c.reply(end, "250 queued")
}

func angle(line string) string {
	_, rest, _ := strings.Cut(line, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}

// certificate makes one for 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}
