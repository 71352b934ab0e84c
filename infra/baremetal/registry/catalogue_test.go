// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"slices"
	"testing"
)

func TestCatalogue(t *testing.T) {
	got := Catalogue("v1.36.3", append(KubeRouterImages(), "etcd:"+EtcdTag))
	for _, want := range []string{"kube-apiserver:v1.36.3", "kubernetes-host:v1.36.3", "kube-router:v1.5.1", "etcd:" + EtcdTag} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing from %v", want, got)
		}
	}
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("not sorted, or repeated: %v", got)
	}
}

func TestUnresolvedHasAnAddressForEveryImage(t *testing.T) {
	images := Catalogue("v1.36.3", nil)
	c := Unresolved(Registry{Host: "r:5000", Repository: "spine"}, images, "v1.36.3")
	for _, image := range images {
		if ref, err := c.Images.Ref(image); err != nil || ref != "r:5000/spine/"+image+"@"+noDigest {
			t.Errorf("%s: %q, %v", image, ref, err)
		}
	}
	if c.Binaries.Digest != noDigest || c.Binaries.URL != "https://r:5000/v2/spine/kubernetes-host/blobs/"+noDigest {
		t.Errorf("binaries are %+v", c.Binaries)
	}
}
