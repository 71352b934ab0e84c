// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"encoding/json"
	"fmt"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// nodeView is what the API says about a node.
type nodeView struct {
	Name, MachineID, KubeletVersion string
	ControlPlane, Ready             bool
	Tainted                         bool // carries the control plane's taint
	Drained                         bool // cordoned by an update that broke off
	Labels                          map[string]string
}

// kubectl defines the shell function k, which asks the API server of the host
// itself: the shared address may be on its way from one host to another.
func kubectl(address string, port int) string {
	return fmt.Sprintf("k() { /usr/local/bin/kubectl --kubeconfig=/etc/kubernetes/admin.conf --server=https://%s:%d --request-timeout=10s \"$@\"; }\n", address, port)
}

// listNodes asks the API server of the host behind conn for all nodes.
func listNodes(ctx context.Context, conn remote.Host, address string, port int) (map[string]nodeView, error) {
	res, err := conn.Run(ctx, "# list the nodes\n"+kubectl(address, port)+"k get nodes -o json\n")
	if err != nil {
		return nil, err
	}
	return parseNodes(res.Stdout)
}

// parseNodes reads `kubectl get nodes -o json`.
func parseNodes(out string) (map[string]nodeView, error) {
	var list struct {
		Kind  string `json:"kind"`
		Items []struct {
			Metadata struct {
				Name        string            `json:"name"`
				Labels      map[string]string `json:"labels"`
				Annotations map[string]string `json:"annotations"`
			} `json:"metadata"`
			Spec struct {
				Taints []struct {
					Key string `json:"key"`
				} `json:"taints"`
			} `json:"spec"`
			Status struct {
				Conditions []struct{ Type, Status string } `json:"conditions"`
				NodeInfo   struct {
					MachineID      string `json:"machineID"`
					KubeletVersion string `json:"kubeletVersion"`
				} `json:"nodeInfo"`
			} `json:"status"`
		} `json:"items"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, fmt.Errorf("kubectl's list of nodes: %w", err)
	}
	if list.Kind != "List" && list.Kind != "NodeList" {
		return nil, fmt.Errorf("kubectl's list of nodes is a %.40q", list.Kind)
	}
	nodes := make(map[string]nodeView, len(list.Items))
	for _, i := range list.Items {
		n := nodeView{
			Name: i.Metadata.Name, MachineID: i.Status.NodeInfo.MachineID, KubeletVersion: i.Status.NodeInfo.KubeletVersion,
			Labels: i.Metadata.Labels,
		}
		_, n.ControlPlane = i.Metadata.Labels[kubeadm.ControlPlaneTaint] // the label has the taint's name
		_, n.Drained = i.Metadata.Annotations[drainedAnnotation]
		for _, t := range i.Spec.Taints {
			n.Tainted = n.Tainted || t.Key == kubeadm.ControlPlaneTaint
		}
		for _, c := range i.Status.Conditions {
			n.Ready = n.Ready || c.Type == "Ready" && c.Status == "True"
		}
		nodes[n.Name] = n
	}
	return nodes, nil
}
