// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/middleware/schema"
	pschema "github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// computedInputs keeps the named inputs, which Check fills in, out of the schema
// and so out of the SDK.
func computedInputs(r infer.InferredResource, names ...string) infer.InferredResource {
	return &computedResource{InferredResource: r, names: names}
}

type computedResource struct {
	infer.InferredResource
	names []string
}

// GetSchema implements schema.Resource.
func (r *computedResource) GetSchema(reg schema.RegisterDerivativeType) (pschema.ResourceSpec, error) {
	spec, err := r.InferredResource.GetSchema(reg)
	for _, name := range r.names {
		delete(spec.InputProperties, name)
	}
	return spec, err
}

// refuseComputed fails inputs that only Check may set.
func refuseComputed(in property.Map, names []string) (failures []p.CheckFailure) {
	for _, name := range names {
		if _, ok := in.GetOk(name); ok {
			failures = append(failures, p.CheckFailure{Property: name, Reason: "is filled in by the provider: leave it out"})
		}
	}
	return failures
}
