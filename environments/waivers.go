// SPDX-License-Identifier: Apache-2.0

package environments

// Waiver lets what it names pass one of the rules that every environment keeps, until
// a day. It is shown in every preview and update, and covers no more than it names.
type Waiver struct {
	// rule is the name of the rule, as reports show it.
	Rule string `json:"rule"`
	// resource is the name or the URN of a resource, in which "*" stands for any text.
	Resource string `json:"resource"`
	// property is the path of a property, as reports show it, or the beginning of one
	// up to "." or "[". Omit it for the resource as a whole.
	Property string `json:"property"`
	// owner is the person who answers for it: an address of mail.
	Owner string `json:"owner"`
	// reason says why it has to be, 20 to 500 characters.
	Reason string `json:"reason"`
	// from is the first day on which it holds, in UTC: "2026-11-30".
	From string `json:"from"`
	// until is the last one, at most 366 days later.
	Until string `json:"until"`
}
