// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// bound is the most that each sample of a figure may be, in the figure's unit.
type bound struct {
	figure string
	most   float64
	why    string
}

// bounds of the program that holds all stacks, on two cores.
var bounds = []bound{
	{planned, 10, "people preview after each change, and must not turn to something else meanwhile"},
	{planned + ", largest process", 1024, "it must go beside an editor and a browser on any laptop"},
	{coldBuild, 15 * 60, "a bare machine spends it once, of the 90 minutes in which CI ends"},
	{coldBuild + ", largest process", 6 * 1024, "the machines that README asks for have 16 GB, and Go compiles two packages at a time on two cores"},
	{sameBuild, 10, "each preview pays it where Pulumi's own language host builds the program"},
	{touchedBuild, 30, "each preview after a change pays it"},
	{touchedBuild + ", largest process", 4 * 1024, "it goes beside an editor that has the same packages loaded"},
}

// held says of each bound on what was measured whether it is kept, and fails when one is not.
func held(w io.Writer, r Record) error {
	var exceeded []string
	fmt.Fprintf(w, "\n%-44s %9s %9s  %-8s %s\n", "BOUND", "AT MOST", "WORST", "UNIT", "WHY")
	for _, b := range bounds {
		f, measured := r.Figures[b.figure]
		if !measured {
			fmt.Fprintf(w, "%-44s %9.2f %9s  %-8s %s\n", b.figure, b.most, "-", "", "not measured in this run")
			continue
		}
		worst, verdict := slices.Max(f.Samples), b.why
		if worst > b.most {
			verdict = "EXCEEDED: " + b.why
			exceeded = append(exceeded, b.figure)
		}
		fmt.Fprintf(w, "%-44s %9.2f %9.2f  %-8s %s\n", b.figure, b.most, worst, f.Unit, verdict)
	}
	if len(exceeded) > 0 {
		return fmt.Errorf("%d of %d bounds exceeded: %s", len(exceeded), len(bounds), strings.Join(exceeded, "; "))
	}
	return nil
}
