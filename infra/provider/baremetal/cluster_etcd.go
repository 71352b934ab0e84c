// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"spine.nhs.uk/controlplane/infra/provider/quorum"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// etcdMember is one member as etcd itself tells.
type etcdMember struct {
	ID        string // decimal; 64 bits, so never a JSON number
	Name      string // empty until the member has started once
	PeerURL   string
	ClientURL string // empty until the member has started once
	Learner   bool
	Health    quorum.Health
}

// address is the host that the member lives on.
func (m etcdMember) address() string {
	u, err := url.Parse(m.PeerURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// etcdCurl defines the shell function etcd: curl with the certificates that
// kubeadm made for health checks. etcd's JSON gateway needs no client on hosts.
const etcdCurl = `cd /etc/kubernetes/pki/etcd
etcd() { curl -sS --fail-with-body --cacert ca.crt --cert healthcheck-client.crt --key healthcheck-client.key "$@"; }
`

// listEtcd asks the etcd of the host behind conn for all members, and each of
// them for its health.
func listEtcd(ctx context.Context, conn remote.Host) ([]etcdMember, error) {
	// A linearizable list is the truth; without quorum there is none, and the
	// host's own view says at least who is missing.
	res, err := conn.Run(ctx, "# list etcd's members\n"+etcdCurl+
		`list=https://127.0.0.1:2379/v3/cluster/member/list
etcd --max-time 4 -d '{"linearizable":true}' $list 2>/dev/null || etcd --max-time 4 -d '{"linearizable":false}' $list
`)
	if err != nil {
		return nil, err
	}
	members, err := parseEtcdMembers(res.Stdout)
	if err != nil {
		return nil, err
	}
	var urls []string
	for _, m := range members {
		if m.ClientURL != "" {
			urls = append(urls, remote.Quote(m.ClientURL))
		}
	}
	// All at once: a dead member must not cost the others' time as well.
	res, err = conn.Run(ctx, "# ask etcd's members for their health\n"+etcdCurl+
		fmt.Sprintf(`for u in %s; do (
	if etcd --max-time 4 "$u/health" 2>/dev/null | grep -q '"health":"true"'; then echo "$u healthy"; else echo "$u unhealthy"; fi
) & done; wait
`, strings.Join(urls, " ")))
	if err != nil {
		return nil, err
	}
	health := parseEtcdHealth(res.Stdout)
	for i, m := range members {
		switch {
		case m.ClientURL == "":
			members[i].Health = quorum.Unhealthy // never started
		case health[m.ClientURL] != "":
			members[i].Health = health[m.ClientURL]
		}
	}
	return members, nil
}

// parseEtcdMembers reads the gateway's answer to a member list. Health is
// Unknown in the result.
func parseEtcdMembers(out string) ([]etcdMember, error) {
	var answer struct {
		Members []struct {
			ID         string   `json:"ID"`
			Name       string   `json:"name"`
			PeerURLs   []string `json:"peerURLs"`
			ClientURLs []string `json:"clientURLs"`
			IsLearner  bool     `json:"isLearner"`
		} `json:"members"`
	}
	// The first of two attempts may have left an error in front.
	if i := strings.LastIndex(out, `{"header"`); i > 0 {
		out = out[i:]
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return nil, fmt.Errorf("etcd's member list: %w", err)
	}
	if len(answer.Members) == 0 {
		return nil, fmt.Errorf("etcd's member list is empty: %.200q", out)
	}
	members := make([]etcdMember, 0, len(answer.Members))
	for _, m := range answer.Members {
		if m.ID == "" {
			return nil, fmt.Errorf("etcd's member list: a member has no ID: %.200q", out)
		}
		e := etcdMember{ID: m.ID, Name: m.Name, Learner: m.IsLearner, Health: quorum.Unknown}
		if len(m.PeerURLs) > 0 {
			e.PeerURL = m.PeerURLs[0]
		}
		if len(m.ClientURLs) > 0 {
			e.ClientURL = m.ClientURLs[0]
		}
		members = append(members, e)
	}
	return members, nil
}

// parseEtcdHealth reads "URL healthy" lines.
func parseEtcdHealth(out string) map[string]quorum.Health {
	health := map[string]quorum.Health{}
	for line := range strings.Lines(out) {
		u, h, _ := strings.Cut(strings.TrimSpace(line), " ")
		if h := quorum.Health(h); h == quorum.Healthy || h == quorum.Unhealthy {
			health[u] = h
		}
	}
	return health
}

// removeEtcd takes a member out of etcd by way of the host behind conn. When
// the member leads, leadership is handed over first: an election would stop
// the API for seconds.
func removeEtcd(ctx context.Context, conn remote.Host, leaving etcdMember, heirID string) error {
	_, err := conn.Run(ctx, "# remove a member from etcd\nset -eu\n"+etcdCurl+
		fmt.Sprintf(`leader=$(etcd --max-time 4 -d '{}' https://127.0.0.1:2379/v3/maintenance/status | sed -n 's/.*"leader":"\([0-9]*\)".*/\1/p')
if [ "$leader" = %[1]s ] && [ -n %[2]s ]; then
	etcd --max-time 8 -d '{"targetID":"%[3]s"}' %[2]s/v3/maintenance/transfer-leadership >/dev/null || true
fi
etcd --max-time 20 -d '{"ID":"%[1]s"}' https://127.0.0.1:2379/v3/cluster/member/remove >/dev/null
`, leaving.ID, remote.Quote(leaving.ClientURL), heirID))
	return err
}
