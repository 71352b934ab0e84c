// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"k8s.io/client-go/tools/clientcmd"
)

var (
	// setName leaves room for "-inventory" within the 63 characters of a label value.
	setName       = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?$`)
	namespaceName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
)

// checker gathers every bad input, so that one run of the engine reports them all.
type checker struct{ failures []p.CheckFailure }

func (c *checker) failf(property, format string, args ...any) {
	c.failures = append(c.failures, p.CheckFailure{Property: property, Reason: fmt.Sprintf(format, args...)})
}

// Check validates the inputs without any network and returns them with secrets marked.
func (r *resource) Check(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	c := &checker{}
	in := req.Inputs
	for k := range in.AllStable {
		switch k {
		case "name", "namespace", "kubeconfig", "objects", "waitSeconds":
		default:
			c.failf(k, "unknown property: the properties are name, namespace, kubeconfig, objects, waitSeconds")
		}
	}
	c.name(in.Get("name"), "name", setName, "1 to 50 characters of a-z, 0-9 and '-', starting and ending with a letter or digit")
	c.name(in.Get("namespace"), "namespace", namespaceName, "a namespace: 1 to 63 characters of a-z, 0-9 and '-'")
	c.kubeconfig(in.Get("kubeconfig"))
	c.waitSeconds(in.Get("waitSeconds"))
	c.objects(in.Get("objects"))
	return p.CheckResponse{Inputs: markSecrets(in), Failures: c.failures}, nil
}

func (c *checker) name(v property.Value, field string, pattern *regexp.Regexp, want string) {
	switch {
	case v.IsComputed():
	case v.IsNull():
		c.failf(field, "is required: %s", want)
	case !v.IsString():
		c.failf(field, "expected a string: %s", want)
	case !pattern.MatchString(v.AsString()):
		c.failf(field, "%q is not %s", v.AsString(), want)
	}
}

func (c *checker) kubeconfig(v property.Value) {
	switch {
	case v.IsComputed():
	case v.IsNull():
		c.failf("kubeconfig", "is required: pass the kubeconfig output of the cluster")
	case !v.IsString():
		c.failf("kubeconfig", "expected a string with a kubeconfig in YAML or JSON")
	default:
		// The parser's error may quote the text, which holds a private key: never repeat it.
		if _, err := clientcmd.RESTConfigFromKubeConfig([]byte(v.AsString())); err != nil {
			c.failf("kubeconfig", "is not a usable kubeconfig: it needs a current context with a cluster and a user")
		}
	}
}

func (c *checker) waitSeconds(v property.Value) {
	switch {
	case v.IsComputed() || v.IsNull():
	case !v.IsNumber() || v.AsNumber() != math.Trunc(v.AsNumber()):
		c.failf("waitSeconds", "expected a whole number of seconds, 0 to %d", maxWaitSeconds)
	case v.AsNumber() < 0 || v.AsNumber() > maxWaitSeconds:
		c.failf("waitSeconds", "%v is out of range: 0 (do not wait) to %d", v.AsNumber(), maxWaitSeconds)
	}
}

func (c *checker) objects(v property.Value) {
	switch {
	case v.IsComputed():
		return
	case v.IsNull():
		c.failf("objects", "is required: a map of Kubernetes objects (it may be empty)")
		return
	case !v.IsMap():
		c.failf("objects", "expected a map of Kubernetes objects by apiVersion/kind/namespace/name")
		return
	}
	seen := map[string]string{}
	for key, o := range v.AsMap().AllStable {
		c.object(key, o, seen)
	}
}

// markSecrets returns the inputs with the kubeconfig and the content of every Secret
// marked as Pulumi secrets, so that neither a diff nor the state shows them.
func markSecrets(in property.Map) property.Map {
	if v, ok := in.GetOk("kubeconfig"); ok {
		in = in.Set("kubeconfig", v.WithSecret(true))
	}
	objects := in.Get("objects")
	if !objects.IsMap() {
		return in
	}
	out := objects.AsMap()
	for key, o := range objects.AsMap().AllStable {
		if !o.IsMap() || stringOr(o.AsMap().Get("kind"), "") != "Secret" {
			continue
		}
		m := o.AsMap()
		for _, field := range []string{"data", "stringData"} {
			if v, ok := m.GetOk(field); ok {
				m = m.Set(field, v.WithSecret(true))
			}
		}
		out = out.Set(key, property.WithGoValue(o, m))
	}
	return in.Set("objects", property.WithGoValue(objects, out))
}

// sortedKeys returns the keys of m in order, so that messages and requests are stable.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
