// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"
	"os"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// deleteUnreachableEnv lets a machine that does not answer be forgotten.
const deleteUnreachableEnv = "SPINE_DELETE_UNREACHABLE"

// Delete brings the machine back to what it was. A machine that is no longer
// there, because another key answers, counts as deleted; one that does not
// answer does so only when the environment says so, as it may come back with
// everything still on it.
func (h *Host) Delete(ctx context.Context, req infer.DeleteRequest[HostState]) (infer.DeleteResponse, error) {
	in := req.State.HostArgs
	conn, err := h.Dialer.Dial(ctx, in.SSH.Target(in.Name, in.Address))
	switch {
	case remote.IsHostKeyMismatch(err):
		p.GetLogger(ctx).Warningf("%v: the machine that was %s is gone, nothing to undo", err, in.Name)
		return infer.DeleteResponse{}, nil
	case remote.IsUnreachable(err) && os.Getenv(deleteUnreachableEnv) == "true":
		p.GetLogger(ctx).Warningf("%v: forgotten because %s=true; should it come back, reinstall it before use", err, deleteUnreachableEnv)
		return infer.DeleteResponse{}, nil
	case remote.IsUnreachable(err):
		return infer.DeleteResponse{}, fmt.Errorf("%w; if it is gone for good, set %s=true to forget it", err, deleteUnreachableEnv)
	case err != nil:
		return infer.DeleteResponse{}, err
	}
	defer conn.Close()
	unlock, err := conn.Lock(ctx, "undoing host "+in.Name)
	if err != nil {
		return infer.DeleteResponse{}, err
	}
	defer unlock()
	say := progressFrom(ctx)
	spec := desired(in)
	what := spec.items(req.State)
	seen, err := observeHost(ctx, conn, what)
	if err != nil {
		return infer.DeleteResponse{}, err
	}
	say("putting back files, units and settings")
	if _, err := conn.Run(ctx, undoScript(what, seen.etcHosts)); err != nil {
		return infer.DeleteResponse{}, err
	}
	say("removing what is left")
	if err := conn.RunUnit(ctx, "spine-cleanup", cleanupScript, func(line string) { say("removing what is left: %s", line) }); err != nil {
		return infer.DeleteResponse{}, fmt.Errorf("host %s: files, units and settings are back, but the rest could not be removed: %w", in.Name, err)
	}
	_, err = conn.Run(ctx, "# remove the logs of our units\nrm -rf /run/spine/units "+pendingFolder+" "+marksFolder)
	return infer.DeleteResponse{}, err
}

// cleanupScript removes containerd's data when containerd does not run (it
// then did not run before us either), the packages that we installed, and our
// own notes last, so that an interrupted run is repeated in full.
const cleanupScript = `set -eu
if ! systemctl -q is-active containerd.service; then
	awk '$2 ~ "^/(run|var/lib)/containerd/" {print $2}' /proc/mounts | sort -r | while read -r mount; do umount "$mount"; done
	[ ! -d /var/lib/containerd ] || find /var/lib/containerd -mindepth 1 -maxdepth 1 -exec rm -rf -- {} +
	rm -rf /run/containerd
fi
if [ -s ` + savedFolder + `/packages ]; then
	DEBIAN_FRONTEND=noninteractive xargs apt-get -q -y -o DPkg::Lock::Timeout=120 purge <` + savedFolder + `/packages
fi
rm -rf ` + savedFolder + `
rmdir /var/lib/spine 2>/dev/null || true
`
