// SPDX-License-Identifier: Apache-2.0

// Bare-metal hosts and highly available Kubernetes clusters, by SSH and kubeadm, and Kubernetes manifests by server-side apply.
package spine
