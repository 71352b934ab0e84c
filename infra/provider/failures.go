// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"

	p "github.com/pulumi/pulumi-go-provider"
)

type check = func(context.Context, p.CheckRequest) (p.CheckResponse, error)

// withoutValues moves the path of each failure's property into its text. The engine prints, beside a property that it
// is told of, the whole value: a page of hosts where one is wrong, "{<nil>}" for a nested path, a secret in the clear.
func withoutValues(inner check) check {
	return func(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
		resp, err := inner(ctx, req)
		for i, f := range resp.Failures {
			if f.Property != "" {
				resp.Failures[i] = p.CheckFailure{Reason: f.Property + ": " + f.Reason}
			}
		}
		return resp, err
	}
}
