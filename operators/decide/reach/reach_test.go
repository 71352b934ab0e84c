// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

func TestJudge(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	path := []string{"ledger", "publish", "consume", "settle"}
	database := Engine{Path: path, Own: []string{"ledger", "settle"}}
	broker := Engine{Path: path, Own: []string{"publish", "consume"}}
	seen := func(stage string, failures int32, passed bool) common.ProbeStatus {
		s := common.ProbeStatus{LastTime: &at, FailedStage: stage, ConsecutiveFailures: failures}
		if passed {
			s.LastSuccessTime = &at
		}
		return s
	}
	for name, test := range map[string]struct {
		seen             common.ProbeStatus
		database, broker Verdict
	}{
		"no probe yet":                    {common.ProbeStatus{}, Untold, Untold},
		"passed":                          {seen("", 0, true), Reached, Reached},
		"no gateway from the start":       {seen("gateway", 1, false), Untold, Untold},
		"no gateway for a moment":         {seen("gateway", 2, true), Reached, Reached},
		"no gateway":                      {seen("gateway", 3, true), Untold, Untold},
		"the ledger from the start":       {seen("ledger", 1, false), Unreached, Untold},
		"the ledger for a moment":         {seen("ledger", 2, true), Reached, Reached},
		"the ledger":                      {seen("ledger", 3, true), Unreached, Untold},
		"the broker":                      {seen("consume", 3, true), Reached, Unreached},
		"the broker from the start":       {seen("publish", 1, false), Reached, Unreached},
		"settling, past the broker":       {seen("settle", 3, true), Unreached, Reached},
		"a stage that nobody knows":       {seen("unnamed", 3, true), Untold, Untold},
		"that, for a moment":              {seen("unnamed", 1, true), Reached, Reached},
		"the ledger, by one replica":      {common.ProbeStatus{LastTime: &at, LastSuccessTime: &at, FailedStage: "ledger", FailedReplica: "gateway-1", ConsecutiveFailures: 9}, Reached, Reached},
		"failures without a stage's name": {seen("", 3, true), Untold, Untold},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Judge(test.seen, 3, database); got != test.database {
				t.Errorf("database: %s, want %s", got, test.database)
			}
			if got := Judge(test.seen, 3, broker); got != test.broker {
				t.Errorf("broker: %s, want %s", got, test.broker)
			}
		})
	}
}
