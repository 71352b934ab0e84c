// SPDX-License-Identifier: Apache-2.0

// Package e2eaws takes whole environments through their life against something that answers as AWS does: an emulator, or
// a sandbox account. `make e2e-aws` runs it; README.md says what it needs.
package e2eaws
