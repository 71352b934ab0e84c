// SPDX-License-Identifier: Apache-2.0

package hostfailure

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	decide "spine.nhs.uk/controlplane/operators/decide/hostfailure"
)

var (
	hostState = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "spine_host_state", Help: "1 for the state that the manager sees a host in: Well, Doubtful, Off, Silent, Frozen, Deaf, Fenced, Contradictory.",
	}, []string{"host", "state"})
	hostVerdict = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "spine_host_automation", Help: "1 for what is decided about hosts now; reason names a runbook page when a person is needed. Of the leading manager only.",
	}, []string{"verdict", "host", "reason"})
	controllerUp = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "spine_host_controller_answers", Help: "1 when the host's management controller answered the last question, 0 when not: it could not be fenced.",
	}, []string{"host"})
)

func init() { metrics.Registry.MustRegister(hostState, hostVerdict, controllerUp) }

// recordStates shows how every host is judged.
func recordStates(f decide.Facts) {
	hostState.Reset()
	for i, j := range f.Judge() {
		hostState.WithLabelValues(f.Hosts[i].Name, string(j.State)).Set(1)
	}
}

func verdict(d decide.Decision) {
	hostVerdict.Reset()
	hostVerdict.WithLabelValues(string(d.Verdict), d.Host, d.Reason).Set(1)
}

// controllerAnswers records whether a host could be fenced.
func controllerAnswers(host string, managed bool, err error) {
	up := 0.0
	if managed && err == nil {
		up = 1
	}
	controllerUp.WithLabelValues(host).Set(up)
}
