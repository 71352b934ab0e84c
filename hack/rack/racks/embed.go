// SPDX-License-Identifier: Apache-2.0

// Package racks holds the definitions of the virtual racks that come with the program.
package racks

import "embed"

// FS has one <rack>.yaml per rack that `rack up --rack <rack>` knows without -f.
//
//go:embed *.yaml
var FS embed.FS
