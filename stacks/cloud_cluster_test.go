// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"spine.nhs.uk/controlplane/infra/provider/apiservertest"
)

// ours are the kinds that are waited for.
var ours = []schema.GroupVersionResource{
	{Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "cert-manager.io", Version: "v1", Resource: "clusterissuers"},
	{Group: "cert-manager.io", Version: "v1", Resource: "certificates"},
	{Group: "messaging.spine.nhs.uk", Version: "v1alpha1", Resource: "messagingservices"},
	{Group: "booking.ers.nhs.uk", Version: "v1alpha1", Resource: "bookingservices"},
}

// behind puts a real API server behind the stack's made-up cluster, and a stand-in for the AWS CLI before it, which gives
// tokens to whoever asks as the kubeconfig says.
func behind(t *testing.T, s *cloudStack) {
	t.Helper()
	server := apiservertest.Start(t)
	server.BecomeReady(t, ours...)
	dir := t.TempDir()
	script := fmt.Sprintf(`#!/bin/sh
[ "$1 $2" = "eks get-token" ] || { echo "aws: $*" >&2; exit 1; }
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}'
`, server.Token)
	if err := os.WriteFile(filepath.Join(dir, "aws"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	s.Env = append(s.Env, "PATH="+dir+":"+s.Path(),
		"AWSDOUBLE_EKS_ENDPOINT="+server.URL, "AWSDOUBLE_EKS_AUTHORITY="+base64.StdEncoding.EncodeToString(server.Authority))
}
