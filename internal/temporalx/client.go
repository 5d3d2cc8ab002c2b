package temporalx

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.uber.org/zap"
)

// DefaultNamespace is used where none is configured.
const DefaultNamespace = "sendoff"

// ErrPlaintext is returned for a connection that others could read along.
var ErrPlaintext = errors.New("connection to Temporal is not encrypted")

// Options say how to reach Temporal. Where nothing is set, Temporal's own
// environment variables and configuration file decide (TEMPORAL_ADDRESS,
// TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*, TEMPORAL_CONFIG_FILE,
// ...; https://docs.temporal.io/develop/environment-configuration).
type Options struct {
	// LocalAddress is set for a server that we run ourselves on loopback. What
	// the environment says is meant for another server and is not read then.
	LocalAddress string
	// Namespace; empty: as configured, else DefaultNamespace.
	Namespace string
	// Converters make a namespace's payload and failure converters; required,
	// or payloads would lie readable on the server.
	Converters func(namespace string) (converter.DataConverter, converter.FailureConverter)
	// Logger takes what the SDK has to say; required.
	Logger *zap.Logger
	// Identity shows in histories, where people read it: "server", "worker".
	// A random suffix tells processes apart; host and user names stay out.
	Identity string
	// AllowPlaintext accepts a server that is neither on loopback nor reached by
	// TLS: for a private network, such as that of one compose file.
	AllowPlaintext bool
	// Metrics takes the SDK's own; nil = none.
	Metrics client.MetricsHandler
	// Interceptors stand around the client's calls, and around the workers made
	// from it.
	Interceptors []interceptor.ClientInterceptor
	// Environment replaces the process's environment; nil: the process's own.
	Environment envconfig.EnvLookup
}

// Dial connects. It fails if the server is not there; a process that is to
// start without it makes a lazy client from ClientOptions.
func Dial(ctx context.Context, o Options) (client.Client, error) {
	opts, err := ClientOptions(o)
	if err != nil {
		return nil, err
	}
	c, err := client.DialContext(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("%w: connect to Temporal at %s: %w", ErrUnavailable, opts.HostPort, err)
	}
	return c, nil
}

// ClientOptions resolves o to the SDK's options.
func ClientOptions(o Options) (client.Options, error) {
	if o.Converters == nil || o.Logger == nil {
		return client.Options{}, errors.New("temporalx: Converters and Logger are required")
	}
	opts, err := o.connection()
	if err != nil {
		return client.Options{}, err
	}
	if o.Namespace != "" {
		opts.Namespace = o.Namespace
	}
	if opts.Namespace == "" {
		opts.Namespace = DefaultNamespace
	}
	opts.DataConverter, opts.FailureConverter = o.Converters(opts.Namespace)
	opts.Logger = NewLogger(o.Logger)
	opts.Identity = identity(o.Identity)
	opts.MetricsHandler, opts.Interceptors = o.Metrics, o.Interceptors
	return opts, nil
}

// connection returns address and credentials, and refuses to send them in plain.
func (o Options) connection() (client.Options, error) {
	if o.LocalAddress != "" {
		if !onLoopback(o.LocalAddress) {
			return client.Options{}, fmt.Errorf("%w: local address %s is not on loopback", ErrPlaintext, o.LocalAddress)
		}
		return client.Options{HostPort: o.LocalAddress}, nil
	}
	opts, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{EnvLookup: o.Environment})
	if err != nil {
		return client.Options{}, fmt.Errorf("read Temporal's configuration: %w", err)
	}
	if opts.HostPort == "" {
		opts.HostPort = client.DefaultHostPort
	}
	if opts.ConnectionOptions.TLS == nil && !onLoopback(opts.HostPort) && !o.AllowPlaintext {
		return client.Options{}, fmt.Errorf("%w: %s is not on this machine; set TEMPORAL_TLS=true with certificates as needed, or allow plaintext if the network is private", ErrPlaintext, opts.HostPort)
	}
	return opts, nil
}

// onLoopback reports whether an address surely stays on this machine. Names
// other than localhost may resolve to anything.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func identity(role string) string {
	return strings.Trim("sendoff-"+role, "-") + "-" + strings.ToLower(rand.Text()[:8])
}
