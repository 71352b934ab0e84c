// SPDX-License-Identifier: Apache-2.0

// Package engines runs the PostgreSQL and RabbitMQ of a site for tests: from the
// very root file systems that the site's images are made of, as the users that
// the images run as, on ports of their own on loopback, flushing to disk as in
// live. A test may kill a server and start it again on what it left.
//
// It needs root, and the folder that `go run ./hack/images engines` prints in the
// environment variable SPINE_ENGINES. Tests that use it have the build tag
// engines.
package engines
