// SPDX-License-Identifier: Apache-2.0

// Package operatortest runs controllers against a real API server.
package operatortest
