// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/cost"
)

// priced refuses types of machines that the book has no price for: what a change costs is
// part of every report, and an unknown sum in it would be overlooked.
func priced(env *environments.Cloud, book *cost.Book) field.ErrorList {
	var errs field.ErrorList
	for _, m := range []struct {
		path             *field.Path
		value            string
		resource, detail string
	}{
		{field.NewPath("cluster", "instanceType"), env.Cluster.InstanceType, "aws:eks/nodeGroup:NodeGroup", "instanceTypes[0]"},
		{field.NewPath("database", "instanceClass"), env.Database.InstanceClass, "aws:rds/clusterInstance:ClusterInstance", "instanceClass"},
		{field.NewPath("broker", "instanceType"), env.Broker.InstanceType, "aws:mq/broker:Broker", "hostInstanceType"},
	} {
		if known := types(book, m.resource, m.detail); m.value != "" && !slices.Contains(known, m.value) {
			errs = append(errs, field.Invalid(m.path, m.value, fmt.Sprintf("has no price in the price book of %s: choose one of %s, or add its price to infra/cost/book.json",
				book.Date, strings.Join(known, ", "))))
		}
	}
	return errs
}

// types are the values of a property by which the book tells prices of a type apart.
func types(book *cost.Book, resource, property string) []string {
	var out []string
	for _, p := range book.Prices {
		if v := p.Where[property]; p.Type == resource && v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}
