// SPDX-License-Identifier: Apache-2.0

// Package engines runs the PostgreSQL, the RabbitMQ and the name server of a site
// for tests: from the very root file systems that the site's images and hosts are
// made of, as users without rights, on ports of their own on loopback, flushing to
// disk as in live. A test may kill a server and start it again on what it left.
//
// It needs root, and the folder that `go run ./hack/images engines` prints in the
// environment variable SPINE_ENGINES. Tests that use it have the build tag
// engines.
package engines
