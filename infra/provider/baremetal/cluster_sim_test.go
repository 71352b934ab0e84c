// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/remote"
	"spine.nhs.uk/controlplane/infra/provider/remote/remotetest"
)

// site is a simulated site: it keeps what the scripts of a Cluster would change
// on hosts, in etcd and in the API, and answers them from that.
type site struct {
	mu      sync.Mutex
	hosts   map[string]*simHost
	etcd    []simMember
	nodes   map[string]*simNode
	version string // of kubeadm-config
	log     []string
	// dieAt kills the provisioner at the n-th change, counted from 1: from
	// there on nothing reaches any host. 0 is never.
	dieAt, changes int
}

type simHost struct {
	name, address, machine string
	down                   bool
	mark                   *marker
	traces                 bool
	link, server, fetched  string
	kubelet                string
	files                  map[string]string
	resolved               string
}

type simMember struct {
	id, name, address string
	learner           bool
}

type simNode struct {
	machine, version       string
	controlPlane, cordoned bool
	labels                 map[string]string
	drained                bool
}

var errKilled = errors.New("provisioner killed")

func newSite(names ...string) *site {
	s := &site{hosts: map[string]*simHost{}, nodes: map[string]*simNode{}}
	for i, n := range names {
		s.hosts[n] = &simHost{name: n, address: fmt.Sprintf("10.90.0.%d", 11+i), machine: strings.Repeat(fmt.Sprintf("%02x", i+1), 16),
			files: map[string]string{}, kubelet: ", ", resolved: "10.90.0.100"}
	}
	return s
}

// dialer answers for all hosts of the site.
func (s *site) dialer() *remotetest.Fake {
	s.mu.Lock()
	defer s.mu.Unlock()
	fakes := map[string]*remotetest.Host{}
	for name, h := range s.hosts {
		if h.down {
			continue // a host that is not there is unreachable
		}
		fakes[name] = &remotetest.Host{Rules: s.rules(h)}
	}
	return remotetest.New(fakes)
}

// change is one script that changes something. It may be the one at which the
// provisioner dies: before its effect, so that the effect never happens.
func (s *site) change(what string, do func() error) func(string) (remote.Result, error) {
	return s.changeScript(what, func(string) error { return do() })
}

func (s *site) changeScript(what string, do func(script string) error) func(string) (remote.Result, error) {
	return func(script string) (remote.Result, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changes++
		if s.dieAt > 0 && s.changes >= s.dieAt {
			return remote.Result{}, errKilled
		}
		if what != "" {
			s.log = append(s.log, what)
		}
		return remote.Result{}, do(script)
	}
}

func (s *site) tell(say func() string) func(string) (remote.Result, error) {
	return func(string) (remote.Result, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return remote.Result{Stdout: say()}, nil
	}
}

// recorded finds the configuration in the marker that a script writes.
var recorded = regexp.MustCompile(`"configuration":"([^"]*)"`)

var quoted = regexp.MustCompile(`'([^']*)'`)

func (s *site) rules(h *simHost) []remotetest.Rule {
	rules := []remotetest.Rule{
		{Match: "# look at the host", Do: s.tell(func() string { return s.probe(h) })},
		{Match: "# list etcd's members", Do: s.tell(s.members)},
		{Match: "# ask etcd's members", Do: s.tell(s.health)},
		{Match: "# list the nodes", Do: s.tell(s.list)},
		{Match: "# fetch the Kubernetes", Do: s.change("", func() error { h.fetched = target; return nil })},
		{Match: "# fetch the control plane's", Do: s.tell(func() string { return "" })},
		{Match: "# record the cluster", Do: s.changeScript("", func(script string) error {
			if h.mark == nil {
				role := RoleControlPlane
				if strings.Contains(script, RoleWorker) {
					role = RoleWorker
				}
				h.mark = &marker{Cluster: "local", Phase: phaseJoining, Role: role}
			}
			return nil
		})},
		{Match: "# link the Kubernetes", Do: s.change("", func() error {
			if h.fetched != target {
				return fmt.Errorf("host %s has no binaries to link", h.name)
			}
			h.link, h.kubelet = target, "enabled, inactive"
			return nil
		})},
		{Match: "# make short-lived", Do: s.tell(func() string {
			return "token=abcdef.0123456789abcdef\nkey=" + strings.Repeat("a", 64) + "\nca=" + testCA + "\n"
		})},
		{Match: "# read the administrator", Do: s.tell(func() string { return testCA + "\n" + testAdmin })},
		{Match: "spine-kubeadm-init\n", Do: s.changeScript("init "+h.name, func(script string) error { s.version = target; return s.becomeMember(h, script) })},
		{Match: "spine-kubeadm-join\n", Do: s.changeScript("join "+h.name, func(script string) error { return s.becomeMember(h, script) })},
		{Match: "spine-kubeadm-reset\n", Do: s.change("reset "+h.name, func() error {
			h.mark, h.traces, h.fetched, h.link, h.server, h.kubelet, h.files = nil, false, "", "", "", ", ", map[string]string{}
			return nil
		})},
		{Match: "spine-kubeadm-upgrade\n", Do: s.change("upgrade "+h.name, func() error { s.version = target; return serverTo(h, target) })},
		{Match: "spine-kubelet-restart\n", Do: s.change("restart "+h.name, func() error {
			h.link = target
			s.nodes[h.name].version = target
			return nil
		})},
		{Match: "spine-kubeadm-configure\n", Do: s.changeScript("configure "+h.name, func(script string) error {
			h.mark.Configuration = recorded.FindStringSubmatch(script)[1]
			return nil
		})},
		{Match: "# drain ", Do: s.changeScript("", func(script string) error {
			name := strings.Fields(script)[2]
			s.log = append(s.log, "drain "+name)
			s.nodes[name].cordoned = true
			return nil
		})},
		{Match: "# announce the drain", Do: s.changeScript("", func(script string) error {
			s.nodes[quoted.FindStringSubmatch(script[strings.Index(script, "annotate"):])[1]].drained = true
			return nil
		})},
		{Match: "# wait for node ", Do: s.changeScript("", func(script string) error {
			n := s.nodes[strings.Fields(script)[4]]
			n.drained, n.cordoned = false, false
			return nil
		})},
		{Match: "# remove a member from etcd", Do: s.changeScript("", func(script string) error {
			id := regexp.MustCompile(`"ID":"(\d+)"`).FindStringSubmatch(script)[1]
			i := slices.IndexFunc(s.etcd, func(m simMember) bool { return m.id == id })
			s.log = append(s.log, "etcd without "+s.etcd[i].name)
			s.etcd = slices.Delete(s.etcd, i, i+1)
			return nil
		})},
		{Match: "# delete a node", Do: s.changeScript("", func(script string) error {
			name := quoted.FindStringSubmatch(script[strings.Index(script, "k delete"):])[1]
			s.log = append(s.log, "delete node "+name)
			delete(s.nodes, name)
			return nil
		})},
		{Match: "# set labels and taints", Do: s.changeScript("", func(script string) error {
			for line := range strings.Lines(script) {
				if f := strings.Fields(line); len(f) == 6 && f[1] == "label" {
					key, value, _ := strings.Cut(f[5], "=")
					s.nodes[f[4]].labels[key] = strings.Trim(value, "'")
				}
			}
			return nil
		})},
		{Match: "# repair the kubelet", Do: s.change("repair "+h.name, func() error {
			h.kubelet = kubeletRunning
			return nil
		})},
	}
	for _, f := range []string{kubeadm.DropInFile, kubeadm.UnitFile} { // the longer first: one is a prefix of the other
		rules = append(rules, remotetest.Rule{Match: "upload " + f, Do: s.changeScript("", func(content string) error {
			h.files[f] = contentDigest(content)
			return nil
		})})
	}
	return rules
}

func serverTo(h *simHost, version string) error {
	if h.mark.Role == RoleControlPlane {
		h.server = version
	}
	return nil
}

// becomeMember is what kubeadm init and join have done when they end.
func (s *site) becomeMember(h *simHost, script string) error {
	h.traces, h.kubelet = true, kubeletRunning
	h.files[kubeadm.ConfigFile] = "sha256:made-by-kubeadm"
	h.mark = &marker{Cluster: "local", Phase: phaseMember, Role: h.mark.Role, Kubelet: h.files[kubeadm.ConfigFile]}
	s.nodes[h.name] = &simNode{machine: h.machine, version: h.link, controlPlane: h.mark.Role == RoleControlPlane, labels: map[string]string{}}
	if h.mark.Role == RoleControlPlane {
		h.mark.Configuration = recorded.FindStringSubmatch(script)[1]
		h.server = s.version
		s.etcd = append(s.etcd, simMember{id: fmt.Sprint(1000 + len(s.log)), name: h.name, address: h.address})
	}
	return nil
}

func (s *site) probe(h *simHost) string {
	var b strings.Builder
	fmt.Fprintf(&b, "machine=%s\ncgroup=v1\nkubelet=%s\nresolved=%s\n", h.machine, h.kubelet, h.resolved)
	if h.link != "" {
		fmt.Fprintf(&b, "link=%s\n", binary(h.link, "kubelet"))
	}
	if h.server != "" {
		fmt.Fprintf(&b, "server=%s\n", h.server)
	}
	if h.mark != nil {
		m, _ := json.Marshal(h.mark)
		fmt.Fprintf(&b, "marker=%s\n", base64.StdEncoding.EncodeToString(m))
	}
	if h.traces {
		b.WriteString("traces=yes\n")
	}
	for _, f := range slices.Sorted(maps.Keys(h.files)) {
		fmt.Fprintf(&b, "file=%s %s\n", f, h.files[f])
	}
	return b.String()
}

func (s *site) members() string {
	var list []string
	for _, m := range s.etcd {
		list = append(list, fmt.Sprintf(`{"ID":"%s","name":"%s","peerURLs":["https://%s:2380"],"clientURLs":["https://%[3]s:2379"],"isLearner":%[4]t}`, m.id, m.name, m.address, m.learner))
	}
	return `{"header":{},"members":[` + strings.Join(list, ",") + `]}`
}

func (s *site) health() string {
	var b strings.Builder
	for _, m := range s.etcd {
		h := s.hosts[m.name]
		state := "healthy"
		if h == nil || h.down || h.address != m.address || h.mark == nil {
			state = "unhealthy"
		}
		fmt.Fprintf(&b, "https://%s:2379 %s\n", m.address, state)
	}
	return b.String()
}

func (s *site) list() string {
	var items []string
	for _, name := range slices.Sorted(maps.Keys(s.nodes)) {
		n := s.nodes[name]
		labels := maps.Clone(n.labels)
		if n.controlPlane {
			labels[kubeadm.ControlPlaneTaint] = ""
		}
		l, _ := json.Marshal(labels)
		annotations := "{}"
		if n.drained {
			annotations = `{"` + drainedAnnotation + `":"yes"}`
		}
		items = append(items, fmt.Sprintf(`{"metadata":{"name":"%s","labels":%s,"annotations":%s},"spec":{"unschedulable":%t},"status":{"conditions":[{"type":"Ready","status":"True"}],"nodeInfo":{"machineID":"%s","kubeletVersion":"%s"}}}`,
			name, l, annotations, n.cordoned, n.machine, n.version))
	}
	return `{"kind":"List","items":[` + strings.Join(items, ",") + `]}`
}
