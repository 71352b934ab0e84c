// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// pairStatus is a site's part in a pair of sites.
type pairStatus struct {
	// Site by its own name, and what it does.
	Site string `json:"site"`
	Role string `json:"role,omitempty"`
	// Serves is the site that the witness had on record when this one last read it, by Epoch.
	Serves string `json:"serves,omitempty"`
	Epoch  int64  `json:"epoch,omitempty"`
	// Takeover says whether the site that stands by could serve now: the reason in one word.
	Takeover string `json:"takeover"`
	Ready    bool   `json:"ready"`
	// Since is when that last changed.
	Since *metav1.Time `json:"since,omitempty"`
}

// optional lists a kind that a site may not have, or that the caller may not see.
func (s *site) optional(ctx context.Context, list client.ObjectList) error {
	err := s.listAll(ctx, list)
	if apierrors.IsForbidden(err) || err != nil && kindMissing(err) {
		return nil
	}
	return err
}

// pair adds what the site's FailoverPolicy says.
func (s *siteStatus) pair(policies []api.FailoverPolicy) {
	for i := range policies {
		p := &policies[i]
		line := &pairStatus{Site: string(p.Spec.Site), Role: string(p.Status.Role), Serves: p.Status.Vote.Site, Epoch: p.Status.Vote.Epoch, Takeover: "unknown"}
		if c := meta.FindStatusCondition(p.Status.Conditions, common.ConditionTakeover); c != nil {
			line.Takeover, line.Ready, line.Since = c.Reason, c.Status == metav1.ConditionTrue, &c.LastTransitionTime
			if !line.Ready {
				s.wrong(c.Reason, "site "+line.Site, c.Message, line.Since)
			}
		}
		s.Pair = line
	}
}

// pairTable is there when a site is one of two.
func (a *app) pairTable(s *screen, r statusReport) {
	var rows [][]cell
	for _, site := range r.Sites {
		if p := site.Pair; p != nil {
			tone := toneBad
			if p.Ready {
				tone = toneGood
			}
			rows = append(rows, []cell{plain(p.Site), plain(orDash(p.Role)), plain(fmt.Sprintf("%s (epoch %d)", orDash(p.Serves), p.Epoch)), {p.Takeover, tone}, plain(a.age(p.Since))})
		}
	}
	if len(rows) > 0 {
		s.line("")
		s.table([]column{{"PAIR", 12}, {"ROLE", 10}, {"SERVES", 24}, {"TAKEOVER", 24}, {"SINCE", 6}}, rows)
	}
}
