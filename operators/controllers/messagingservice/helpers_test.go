// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"fmt"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func engines(version, kind string) *unstructured.UnstructuredList {
	u := &unstructured.UnstructuredList{}
	u.SetAPIVersion(version)
	u.SetKind(kind)
	return u
}

// collect puts the versions of a list's items into out and returns how many there are.
func collect(list client.ObjectList, out map[string]string) int {
	n := 0
	Expect(meta.EachListItem(list, func(o runtime.Object) error {
		item := o.(client.Object)
		out[fmt.Sprintf("%T %s", o, item.GetName())] = item.GetResourceVersion()
		n++
		return nil
	})).To(Succeed())
	return n
}
