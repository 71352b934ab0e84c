// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

const (
	// freshReplication is how old a word on replication may be (the service's own, when its program does not answer, is as
	// old as its probe's pace), and nearly how many seconds the other site may be behind and still count as following.
	freshReplication = 40 * time.Second
	nearly           = 2
)

// HasAll says that the site that stands by has all, or as good as, by a word of the one that serves that is not old.
func HasAll(r *common.SiteReplication, now time.Time) bool {
	return r != nil && r.Streaming && r.BehindSeconds != nil && *r.BehindSeconds <= nearly && now.Sub(r.ObservedTime.Time) < freshReplication
}
