// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// Read looks at the machine, so that a refresh shows what somebody changed by
// hand. Inputs stay as they were: they say what should be.
func (h *Host) Read(ctx context.Context, req infer.ReadRequest[HostInputs, HostState]) (infer.ReadResponse[HostInputs, HostState], error) {
	in := req.State.HostArgs
	if in.Name == "" || in.SSH.HostKey == "" {
		return infer.ReadResponse[HostInputs, HostState]{}, fmt.Errorf("host %s cannot be imported, because its address and host key are not known: add it to the program instead, creating it adopts what is there", req.ID)
	}
	if req.Inputs.SSH.HostKey == in.SSH.HostKey {
		// Inputs may name a newer identity file, which is no difference.
		in.SSH.IdentityFile = req.Inputs.SSH.IdentityFile
	}
	conn, err := h.Dialer.Dial(ctx, in.SSH.Target(in.Name, in.Address))
	if remote.IsHostKeyMismatch(err) {
		return infer.ReadResponse[HostInputs, HostState]{}, fmt.Errorf("the machine is no longer there: %w", err)
	}
	if err != nil {
		return infer.ReadResponse[HostInputs, HostState]{}, err
	}
	defer conn.Close()
	spec := desired(in)
	seen, err := observeHost(ctx, conn, spec.items(req.State))
	if err != nil {
		return infer.ReadResponse[HostInputs, HostState]{}, err
	}
	return infer.ReadResponse[HostInputs, HostState]{ID: req.ID, Inputs: req.Inputs, State: stateOf(req.State.HostArgs, seen.onlyManaged(req.State))}, nil
}

// onlyManaged drops what state does not hold, so that a refresh of an untouched
// machine changes nothing.
func (o observation) onlyManaged(s HostState) observation {
	keep := func(have, managed map[string]string) map[string]string {
		out := map[string]string{}
		for k := range managed {
			out[k] = have[k]
		}
		return out
	}
	o.files = keep(o.files, s.Files)
	o.units = keep(o.units, s.Units)
	o.sysctls = keep(o.sysctls, s.SysctlValues)
	o.modules = keep(o.modules, s.LoadedModules)
	o.packages = keep(o.packages, s.PackageVersions)
	return o
}
