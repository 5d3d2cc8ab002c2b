package temporalx

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// Server is what a Temporal server says of itself.
type Server struct {
	Address   string
	Encrypted bool
	Loopback  bool
	Version   string
	Namespace string
	Known     bool          // whether the namespace is there
	Retention time.Duration // of closed workflows in the namespace
	// Pollers counts the workers that polled each task queue in the last minutes.
	Pollers map[string]int
}

// Inspect asks the server of o about itself, its namespace and the task queues
// named. It changes nothing.
func Inspect(ctx context.Context, o Options, queues ...string) (Server, error) {
	opts, err := ClientOptions(o)
	if err != nil {
		return Server{}, err
	}
	s := Server{
		Address: opts.HostPort, Namespace: opts.Namespace, Loopback: onLoopback(opts.HostPort),
		Encrypted: opts.ConnectionOptions.TLS != nil, Pollers: map[string]int{},
	}
	c, err := client.DialContext(ctx, opts)
	if err != nil {
		return s, fmt.Errorf("%w: connect to Temporal at %s", ErrUnavailable, opts.HostPort)
	}
	defer c.Close()
	about, err := c.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if err != nil {
		return s, fmt.Errorf("%w: ask Temporal at %s", ErrUnavailable, opts.HostPort)
	}
	s.Version = about.GetServerVersion()
	namespace, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: opts.Namespace})
	if err != nil {
		return s, nil //nolint:nilerr // not known, or not ours to see: both mean that it cannot be used
	}
	s.Known, s.Retention = true, namespace.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	for _, queue := range queues {
		s.Pollers[queue] = pollers(ctx, c, queue)
	}
	return s, nil
}

// partitions is how many parts a task queue has unless the server is told
// otherwise (matching.numTaskqueueReadPartitions). A worker polls some of them.
const partitions = 4

func pollers(ctx context.Context, c client.Client, queue string) int {
	seen := map[string]bool{}
	for part := range partitions {
		name := queue
		if part > 0 {
			name = fmt.Sprintf("/_sys/%s/%d", queue, part)
		}
		for _, kind := range []enumspb.TaskQueueType{enumspb.TASK_QUEUE_TYPE_ACTIVITY, enumspb.TASK_QUEUE_TYPE_WORKFLOW} {
			found, err := c.DescribeTaskQueue(ctx, name, kind)
			if err != nil {
				continue // a server may not show its parts
			}
			for _, p := range found.GetPollers() {
				seen[p.GetIdentity()] = true
			}
		}
	}
	return len(seen)
}
