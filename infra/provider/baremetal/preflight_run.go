// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// preflightTimeout bounds everything that is asked of one host.
const preflightTimeout = 10 * time.Second

// Invoke checks the hosts at the same time and reports all problems together.
func (p *Preflight) Invoke(ctx context.Context, req infer.FunctionRequest[PreflightArgs]) (infer.FunctionResponse[PreflightResult], error) {
	in := req.Input
	reports := make([]hostReport, len(in.Hosts))
	var wg sync.WaitGroup
	for i, host := range in.Hosts {
		wg.Go(func() { reports[i] = p.inspect(ctx, host, in) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return infer.FunctionResponse[PreflightResult]{}, err
	}
	var problems []string
	facts := map[string]Facts{}
	for i, r := range reports {
		problems = append(problems, r.problems...)
		facts[in.Hosts[i].Name] = r.facts
	}
	problems = append(problems, sameMachine(in.Hosts, reports)...)
	if len(problems) > 0 {
		slices.Sort(problems)
		return infer.FunctionResponse[PreflightResult]{}, preflightError(slices.Compact(problems))
	}
	return infer.FunctionResponse[PreflightResult]{Output: PreflightResult{Facts: facts}}, nil
}

func preflightError(problems []string) error {
	if len(problems) == 1 {
		return errors.New("the hosts are not ready, nothing was changed: " + problems[0])
	}
	return fmt.Errorf("the hosts are not ready, nothing was changed; %d problems:\n  %s", len(problems), strings.Join(problems, "\n  "))
}

// hostReport is what one host said.
type hostReport struct {
	facts    Facts
	problems []string
}

// inspect never fails: what goes wrong is a problem of that host.
func (p *Preflight) inspect(ctx context.Context, host PreflightHost, in PreflightArgs) (r hostReport) {
	bad := func(format string, args ...any) {
		r.problems = append(r.problems, fmt.Sprintf("host %s (%s): %s", host.Name, host.Address, fmt.Sprintf(format, args...)))
	}
	c := &hostChecker{}
	c.ssh(host.SSH)
	if len(c.failures) > 0 {
		for _, f := range c.failures {
			bad("%s: %s", f.Property, f.Reason)
		}
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, preflightTimeout)
	defer cancel()
	conn, err := p.Dialer.Dial(ctx, host.SSH.Target(host.Name, host.Address))
	if err != nil {
		r.problems = append(r.problems, dialProblem(host, err))
		return r
	}
	defer conn.Close()
	asked := time.Now()
	result, err := conn.Run(ctx, preflightScript(in.Registry))
	answered := time.Now()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		bad("did not finish the checks within %s: it is overloaded, or its disk hangs", preflightTimeout)
		return r
	}
	var exit *remote.ExitError
	if errors.As(err, &exit) {
		bad("cannot run the checks as user %s: %s: log in as root, or let the user run `sudo -n`", host.SSH.Target("", "").User, exit.Stderr)
		return r
	}
	if err != nil {
		r.problems = append(r.problems, dialProblem(host, err))
		return r
	}
	found, err := parsePreflight(result.Stdout)
	if err != nil {
		bad("%v", err)
		return r
	}
	r.facts = found.facts
	for _, problem := range found.problems(host, in, asked, answered) {
		bad("%s", problem)
	}
	return r
}

// dialProblem makes sure that a problem starts with the host, as every error
// of package remote does already.
func dialProblem(host PreflightHost, err error) string {
	if remote.IsUnreachable(err) || remote.IsHostKeyMismatch(err) || remote.IsAuthFailed(err) {
		return err.Error()
	}
	return fmt.Sprintf("host %s (%s): %v", host.Name, host.Address, err)
}

// sameMachine finds hosts that are one machine under two names or addresses.
func sameMachine(hosts []PreflightHost, reports []hostReport) []string {
	names := map[string][]string{}
	for i, r := range reports {
		if id := r.facts.MachineID; id != "" {
			names[id] = append(names[id], fmt.Sprintf("%s (%s)", hosts[i].Name, hosts[i].Address))
		}
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(names)) {
		if same := names[id]; len(same) > 1 {
			slices.Sort(same)
			out = append(out, fmt.Sprintf("host %s: one machine (machine ID %s) answers for all of them: give each host its own machine and address; on cloned disks run systemd-machine-id-setup", strings.Join(same, " and "), id))
		}
	}
	return out
}
