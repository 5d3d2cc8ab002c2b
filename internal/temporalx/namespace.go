package temporalx

import (
	"context"
	"errors"
	"fmt"
	"time"

	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
)

// EnsureNamespace makes sure that the namespace of o exists, keeps closed
// workflows for the retention, and can be used: a server takes some seconds to
// know a new namespace everywhere, ctx bounds the wait. It needs administrative
// rights where the server has authorization.
func EnsureNamespace(ctx context.Context, o Options, retention time.Duration) error {
	opts, err := ClientOptions(o)
	if err != nil {
		return err
	}
	namespaces, err := client.NewNamespaceClient(opts)
	if err != nil {
		return fmt.Errorf("namespace %s: %w", opts.Namespace, err)
	}
	defer namespaces.Close()
	if err := ensure(ctx, namespaces, opts.Namespace, retention); err != nil {
		return fmt.Errorf("namespace %s: %w", opts.Namespace, err)
	}
	c, err := client.NewLazyClient(opts)
	if err != nil {
		return fmt.Errorf("namespace %s: %w", opts.Namespace, err)
	}
	defer c.Close()
	return awaitNamespace(ctx, c, opts.Namespace)
}

func ensure(ctx context.Context, namespaces client.NamespaceClient, name string, retention time.Duration) error {
	got, err := namespaces.Describe(ctx, name)
	var missing *serviceerror.NamespaceNotFound
	if errors.As(err, &missing) {
		err = namespaces.Register(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace:                        name,
			WorkflowExecutionRetentionPeriod: durationpb.New(retention),
		})
		var faster *serviceerror.NamespaceAlreadyExists
		if !errors.As(err, &faster) {
			return err
		}
		got, err = namespaces.Describe(ctx, name)
	}
	if err != nil {
		return err
	}
	if got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() == retention {
		return nil
	}
	return namespaces.Update(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: name,
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(retention)},
	})
}

// awaitNamespace asks about a workflow that does not exist until the server's
// history service, the last to learn, says so in the namespace's name.
func awaitNamespace(ctx context.Context, c client.Client, name string) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		_, err := c.DescribeWorkflowExecution(ctx, "namespace-probe", "")
		var absent *serviceerror.NotFound
		if err == nil || errors.As(err, &absent) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: namespace %s is not ready: %w", ErrUnavailable, name, err)
		case <-ticker.C:
		}
	}
}
