// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

func TestHasAll(t *testing.T) {
	word := func(change func(*common.SiteReplication)) *common.SiteReplication {
		r := &common.SiteReplication{Streaming: true, BehindSeconds: ptr.To(int64(2)), ObservedTime: metav1.NewTime(now.Add(-39 * time.Second))}
		change(r)
		return r
	}
	for name, c := range map[string]struct {
		said *common.SiteReplication
		want bool
	}{
		"as good as all":       {word(func(*common.SiteReplication) {}), true},
		"nobody said anything": {nil, false},
		"it does not follow":   {word(func(r *common.SiteReplication) { r.Streaming = false }), false},
		"too far behind":       {word(func(r *common.SiteReplication) { r.BehindSeconds = ptr.To(int64(3)) }), false},
		"how far is not known": {word(func(r *common.SiteReplication) { r.BehindSeconds = nil }), false},
		"said too long ago":    {word(func(r *common.SiteReplication) { r.ObservedTime = metav1.NewTime(now.Add(-40 * time.Second)) }), false},
	} {
		if got := HasAll(c.said, now); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
