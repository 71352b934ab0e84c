// SPDX-License-Identifier: Apache-2.0

// Package thirdplace is what all witnesses and traffic directors have in common, wherever
// they keep what they know: how a vote and an epoch are written, and how a configuration is
// read from the folder of a mounted Secret.
package thirdplace
