// SPDX-License-Identifier: Apache-2.0

package component

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Images are the addresses of images, with tag and digest, by "name:tag".
type Images map[string]string

// Ref returns the address of an image by its name or its "name:tag".
func (i Images) Ref(image string) (string, error) {
	if ref, ok := i[image]; ok {
		return ref, nil
	}
	var found []string
	for nameTag, ref := range i {
		if name, _, _ := strings.Cut(nameTag, ":"); name == image {
			found = append(found, ref)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("image %s is not one of the site's: %s", image, strings.Join(slices.Sorted(maps.Keys(i)), ", "))
	}
	return "", fmt.Errorf("image %s has several tags: name one of them", image)
}
