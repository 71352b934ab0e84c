// SPDX-License-Identifier: Apache-2.0

// Package kit is what every controller of the services shares: phases, applying children,
// conditions, errors by what they ask for, and events.
package kit

// FieldOwner is the one field manager of everything that the manager applies.
const FieldOwner = "spine-manager"
