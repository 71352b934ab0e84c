// SPDX-License-Identifier: Apache-2.0

package database

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

func sample(storage, memory string) Args {
	a := Args{
		Name: "ers-db", Namespace: "ns", Database: "booking", Owner: "booking", Profile: ProfileInteractive,
		Labels:   map[string]string{"spine.nhs.uk/service": "ers"},
		Topology: common.Topology{HostKey: "kubernetes.io/hostname", RackKey: "topology.kubernetes.io/zone"},
	}
	a.Spec.Image, a.Spec.Instances = "r/postgresql:17", 3
	a.Spec.Storage.Size = resource.MustParse(storage)
	a.Spec.Resources = common.Resources{CPU: resource.MustParse("100m"), Memory: resource.MustParse(memory)}
	return a
}

// Each of these settings is what keeps an acknowledged commit from being lost.
func TestDurability(t *testing.T) {
	u := Cluster(sample("2Gi", "384Mi"))
	for path, want := range map[string]any{
		"spec.instances":                                int64(3),
		"spec.postgresql.synchronous.method":            "any",
		"spec.postgresql.synchronous.number":            int64(1),
		"spec.postgresql.synchronous.dataDurability":    "required",
		"spec.postgresql.synchronous.failoverQuorum":    true,
		"spec.postgresql.parameters.synchronous_commit": "on",
		"spec.smartShutdownTimeout":                     int64(0),
		"spec.affinity.podAntiAffinityType":             "required",
		"spec.affinity.topologyKey":                     "kubernetes.io/hostname",
		"spec.enablePDB":                                true,
		"spec.bootstrap.initdb.dataChecksums":           true,
	} {
		got, _, err := unstructured.NestedFieldNoCopy(u.Object, strings.Split(path, ".")...)
		if err != nil || got != want {
			t.Errorf("%s = %v (%v), want %v", path, got, err, want)
		}
	}
	spread, _, _ := unstructured.NestedSlice(u.Object, "spec", "topologySpreadConstraints")
	rack := spread[0].(map[string]any)
	if rack["whenUnsatisfiable"] != "DoNotSchedule" || rack["maxSkew"] != int64(1) || rack["minDomains"] != int64(3) {
		t.Errorf("a rack could hold two of three: %v", rack)
	}
}

func TestNothingInClearText(t *testing.T) {
	rules, _, _ := unstructured.NestedStringSlice(Cluster(sample("2Gi", "384Mi")).Object, "spec", "postgresql", "pg_hba")
	if rules[0] != "hostnossl all all all reject" || rules[len(rules)-1] != "hostssl all all all reject" {
		t.Errorf("rules: %v", rules)
	}
}

// An instance is not given up with its host: its volume is nowhere else.
func TestStaysOnItsHost(t *testing.T) {
	tolerations, _, err := unstructured.NestedSlice(Cluster(sample("2Gi", "384Mi")).Object, "spec", "affinity", "tolerations")
	if err != nil || len(tolerations) != 2 {
		t.Fatalf("tolerations: %v (%v)", tolerations, err)
	}
	for i, key := range []string{"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"} {
		got := tolerations[i].(map[string]any)
		if got["key"] != key || got["operator"] != "Exists" || got["effect"] != "NoExecute" || len(got) != 3 {
			t.Errorf("toleration %d: %v", i, got)
		}
	}
}

// What replaces CloudNativePG's own security context keeps what that says, and changes no
// sysctl that the level "restricted" would refuse.
func TestPodSecurity(t *testing.T) {
	raw, _, err := unstructured.NestedMap(Cluster(sample("2Gi", "384Mi")).Object, "spec", "podSecurityContext")
	if err != nil {
		t.Fatal(err)
	}
	var got corev1.PodSecurityContext
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(raw, &got, true); err != nil {
		t.Fatal(err)
	}
	want := corev1.PodSecurityContext{
		RunAsNonRoot: ptr.To(true), FSGroup: ptr.To[int64](26),
		Sysctls: []corev1.Sysctl{
			{Name: "net.ipv4.tcp_keepalive_time", Value: "4"}, {Name: "net.ipv4.tcp_keepalive_intvl", Value: "2"}, {Name: "net.ipv4.tcp_keepalive_probes", Value: "3"},
		},
	}
	if !equality.Semantic.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

// A new standby's copy waits for a checkpoint, which is spread over half of the time
// between two: longer than the plan of RebuildReplica expects would be a surprise at night.
func TestCopyBeginsSoon(t *testing.T) {
	p := parameters(sample("2Gi", "384Mi"))
	between, err := time.ParseDuration(p["checkpoint_timeout"].(string))
	if err != nil || p["checkpoint_completion_target"] != "0.5" || between/2 > time.Minute {
		t.Errorf("a checkpoint takes %v of %v", p["checkpoint_completion_target"], p["checkpoint_timeout"])
	}
}

// A standby holds on to a hung primary for longer than its host may count as ready (8 s, and
// seconds until that is noticed): it must not find that host again behind the Service. One
// that is gone it notices by its own reports: they must be frequent.
func TestStandbyLeavesAHungPrimaryLate(t *testing.T) {
	p := parameters(sample("2Gi", "384Mi"))
	for name, limit := range map[string][2]time.Duration{
		"wal_receiver_timeout": {25 * time.Second, 45 * time.Second}, "wal_receiver_status_interval": {time.Second, 3 * time.Second},
	} {
		text, _ := p[name].(string)
		if got, err := time.ParseDuration(text); err != nil || got < limit[0] || got > limit[1] {
			t.Errorf("%s is %q: want %s to %s", name, text, limit[0], limit[1])
		}
	}
}

// A standby that is away must not fill the primary's disk, on any volume that the
// resource allows.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		storage, memory        string
		maxWAL, slots, buffers string
	}{
		{"256Mi", "64Mi", "51MB", "76MB", "16MB"},
		{"2Gi", "384Mi", "409MB", "614MB", "96MB"},
		{"20Gi", "1Gi", "4096MB", "6144MB", "256MB"},
		{"1Ti", "64Gi", "209715MB", "314572MB", "16384MB"},
	} {
		p := parameters(sample(c.storage, c.memory))
		if p["wal_keep_size"] != c.maxWAL {
			t.Errorf("%s: wal_keep_size %v: a former primary could not be rewound", c.storage, p["wal_keep_size"])
		}
		if p["max_wal_size"] != c.maxWAL || p["max_slot_wal_keep_size"] != c.slots || p["shared_buffers"] != c.buffers {
			t.Errorf("%s, %s: max_wal_size %v, max_slot_wal_keep_size %v, shared_buffers %v", c.storage, c.memory,
				p["max_wal_size"], p["max_slot_wal_keep_size"], p["shared_buffers"])
		}
		quantity := func(name string) int64 {
			q := resource.MustParse(strings.TrimSuffix(p[name].(string), "MB") + "Mi")
			return q.Value()
		}
		volume := resource.MustParse(c.storage)
		if quantity("max_wal_size")+quantity("max_slot_wal_keep_size") > volume.Value()*6/10 {
			t.Errorf("%s: the log could take more than 60 %% of the volume", c.storage)
		}
		if quantity("min_wal_size") >= quantity("max_wal_size") {
			t.Errorf("%s: min_wal_size %v is not below max_wal_size %v", c.storage, p["min_wal_size"], p["max_wal_size"])
		}
	}
}

func TestParametersOfTheResourceWin(t *testing.T) {
	a := sample("2Gi", "384Mi")
	a.Spec.Parameters = map[string]common.ParameterValue{"work_mem": "16MB", "log_lock_waits": "on"}
	p := parameters(a)
	if p["work_mem"] != "16MB" || p["log_lock_waits"] != "on" {
		t.Errorf("work_mem %v, log_lock_waits %v", p["work_mem"], p["log_lock_waits"])
	}
}

func TestObserve(t *testing.T) {
	healthy := func(change ...func(status map[string]any)) *unstructured.Unstructured {
		status := map[string]any{
			"phase": string(PhaseHealthy), "instances": int64(3), "readyInstances": int64(3), "image": "r/postgresql:17",
			"currentPrimary": "ers-db-1", "targetPrimary": "ers-db-1",
			"instancesStatus": map[string]any{"healthy": []any{"ers-db-1", "ers-db-2", "ers-db-3"}},
		}
		for _, c := range change {
			c(status)
		}
		u := Cluster(sample("2Gi", "384Mi"))
		u.Object["status"] = status
		return u
	}
	set := func(kv ...any) func(map[string]any) {
		return func(s map[string]any) {
			for i := 0; i < len(kv); i += 2 {
				s[kv[i].(string)] = kv[i+1]
			}
		}
	}
	lost := set("instancesStatus", map[string]any{"healthy": []any{"ers-db-2", "ers-db-3"}, "failed": []any{"ers-db-1"}}, "readyInstances", int64(2))
	for name, c := range map[string]struct {
		cluster *unstructured.Unstructured
		want    State
	}{
		"none":      {nil, State{}},
		"just made": {Cluster(sample("2Gi", "384Mi")), State{Exists: true, Desired: 3}},
		"well": {healthy(), State{Exists: true, Known: true, Desired: 3, Running: 3, Ready: 3, Primary: "ers-db-1",
			Available: true, Settled: true, Phase: PhaseHealthy}},
		"a standby is away": {healthy(set("readyInstances", int64(2), "instancesStatus", map[string]any{"healthy": []any{"ers-db-1", "ers-db-2"}})),
			State{Exists: true, Known: true, Desired: 3, Running: 3, Ready: 2, Primary: "ers-db-1", Available: true, Phase: PhaseHealthy}},
		"no standby": {healthy(set("readyInstances", int64(1), "instancesStatus", map[string]any{"healthy": []any{"ers-db-1"}})),
			State{Exists: true, Known: true, Desired: 3, Running: 3, Ready: 1, Primary: "ers-db-1", Phase: PhaseHealthy}},
		"primary lost, nobody noticed": {healthy(lost), State{Exists: true, Known: true, Desired: 3, Running: 3, Ready: 2, Phase: PhaseHealthy}},
		"failing over": {healthy(lost, set("phase", string(PhaseFailover), "targetPrimary", "ers-db-2")),
			State{Exists: true, Known: true, Desired: 3, Running: 3, Ready: 2, Phase: PhaseFailover}},
		"another image": {healthy(set("image", "r/postgresql:16")), State{Exists: true, Known: true, Desired: 3, Running: 3, Ready: 3,
			Primary: "ers-db-1", Available: true, Phase: PhaseHealthy}},
		"given up": {healthy(set("phase", string(PhaseUnrecoverable), "phaseReason", "no idea", "readyInstances", int64(0))),
			State{Exists: true, Known: true, Desired: 3, Running: 3, Stuck: true, Phase: PhaseUnrecoverable, Detail: "no idea"}},
	} {
		if got := Observe(c.cluster); got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, c.want)
		}
	}
}

// A standby that is ready and does not receive what the primary writes counts for nothing; one
// that is not ready was not counted before, and where nobody says who follows, readiness stands.
func TestAstray(t *testing.T) {
	cluster := func(primary string, ready ...any) *unstructured.Unstructured {
		u := Cluster(sample("2Gi", "384Mi"))
		u.Object["status"] = map[string]any{
			"phase": string(PhaseHealthy), "instances": int64(3), "readyInstances": int64(len(ready)), "image": "r/postgresql:17",
			"currentPrimary": primary, "targetPrimary": primary, "instancesStatus": map[string]any{"healthy": ready},
		}
		return u
	}
	whole := cluster("ers-db-1", "ers-db-1", "ers-db-2", "ers-db-3")
	for name, c := range map[string]struct {
		cluster            *unstructured.Unstructured
		standbys           []string
		astray             string
		ready              int32
		available, settled bool
	}{
		"nobody says":             {whole, nil, "", 3, true, true},
		"both follow":             {whole, []string{"ers-db-2", "ers-db-3"}, "", 3, true, true},
		"and the other site":      {whole, []string{"ers-db-2", "ers-db-3", "west"}, "", 3, true, true},
		"one does not":            {whole, []string{"ers-db-2"}, "ers-db-3", 2, true, false},
		"none does":               {whole, []string{}, "ers-db-2 ers-db-3", 1, false, false},
		"one is not ready anyway": {cluster("ers-db-1", "ers-db-1", "ers-db-2"), []string{"ers-db-2"}, "", 2, true, false},
		"a copy in the making":    {cluster("ers-db-1", "ers-db-1", "ers-db-2"), []string{"ers-db-3"}, "ers-db-2", 1, false, false},
		"no primary":              {cluster("", "ers-db-2"), []string{}, "ers-db-2", 1, false, false},
	} {
		astray := Astray(c.cluster, c.standbys)
		s := Observe(c.cluster).Without(c.cluster, astray)
		if strings.Join(astray, " ") != c.astray || s.Ready != c.ready || s.Available != c.available || s.Settled != c.settled {
			t.Errorf("%s: astray %v, %+v", name, astray, s)
		}
	}
	// What was astray a moment ago and is not ready now is not taken off twice.
	if s := Observe(cluster("ers-db-1", "ers-db-1", "ers-db-2")).Without(cluster("ers-db-1", "ers-db-1", "ers-db-2"), []string{"ers-db-3"}); s.Ready != 2 {
		t.Errorf("taken off twice: %+v", s)
	}
}
