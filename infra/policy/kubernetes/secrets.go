// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"regexp"

	"spine.nhs.uk/controlplane/infra/policy"
)

// sensitive are names of what nobody should read, and sensitiveFile those of files
// with keys.
var (
	sensitive = regexp.MustCompile(`(?i)(passw(or)?d|secret|token|api_?key|private_?key|credential)s?$`)
	aKey      = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)
)

// literalSecrets finds secrets that are not kept as such. It quotes no value.
func literalSecrets(o object) []policy.Finding {
	var found []policy.Finding
	switch o.kind {
	case "Secret":
		for _, part := range []string{"data", "stringData"} {
			for _, field := range o.At(part).Fields() {
				if !field.Hidden() {
					found = append(found, field.Found("the value is no secret of Pulumi's: it stands in the state for all to read"))
				}
			}
		}
	case "ConfigMap":
		for key, field := range o.At("data").Fields() {
			if sensitive.MatchString(key) || aKey.MatchString(field.Text()) {
				found = append(found, field.Found("a ConfigMap holds what looks like a secret"))
			}
		}
	}
	for _, c := range containers(o.pod()) {
		for _, env := range c.At("env").Items() {
			if value := env.At("value"); value.Text() != "" && sensitive.MatchString(env.At("name").Text()) {
				found = append(found, value.Found("%s is written into the pod", env.At("name").Text()))
			}
		}
	}
	return found
}

// readable: what is a secret as a whole cannot be judged, so that only Secrets may be.
func readable(r policy.Resource, _ policy.Environment) []policy.Finding {
	set := r.Input("objects")
	if set.Secret() {
		return []policy.Finding{set.Found("all objects are one secret, and cannot be judged")}
	}
	var found []policy.Finding
	for key, o := range set.Fields() {
		if o.Secret() && !isSecretKey(key) {
			found = append(found, o.Found("the object is a secret as a whole, and cannot be judged"))
		}
	}
	return found
}

var secretKey = regexp.MustCompile(`^v1/Secret/[^/]+/[^/]+$`)

// isSecretKey says whether the object under a key is a Secret: the provider refuses
// objects under keys of others.
func isSecretKey(key string) bool { return secretKey.MatchString(key) }
