// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	"gotest.tools/v3/golden"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

var digests = regexp.MustCompile(`sha256:[a-f0-9]{64}`)

// see keeps what changed of an operation, as a person who watches it would see it.
func (s *stage) see(o *api.ServiceRecovery) {
	line := fmt.Sprintf("%s: %s", o.Status.Phase, o.Status.Message)
	for _, step := range o.Status.Steps {
		if step.State == api.StepRunning {
			line += fmt.Sprintf("\n  %s: %s", step.Name, step.Message)
		}
	}
	line = digests.ReplaceAllString(line, "sha256:...")
	if !slices.Contains(s.trace, line) {
		s.trace = append(s.trace, line)
	}
}

// golden compares the trace, the steps and the evidence of an ended operation with what is
// kept in testdata; -update rewrites it.
func (s *stage) golden(o *api.ServiceRecovery) {
	GinkgoHelper()
	var b strings.Builder
	fmt.Fprintln(&b, strings.Join(s.trace, "\n"))
	for i, step := range o.Status.Steps {
		fmt.Fprintf(&b, "%d. %s %s: %s\n", i+1, step.Name, step.State, step.Message)
	}
	e := o.Status.Evidence
	if e.BacklogBefore != nil {
		fmt.Fprintf(&b, "backlog %d before, %d after\n", *e.BacklogBefore, *e.BacklogAfter)
	}
	for _, note := range e.Notes {
		fmt.Fprintln(&b, note)
	}
	golden.Assert(GinkgoT(), b.String(), "trace-"+s.name+".txt")
}

// shorn has the letters of an operation's UID, which differ each time, taken out of a name.
func shorn(line, name string) string {
	return strings.ReplaceAll(line, name, name[:strings.LastIndex(name, "-")]+"-xxxxxx")
}
