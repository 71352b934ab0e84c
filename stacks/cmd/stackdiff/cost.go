// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/infra/audit"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/stacks/catalogue"
)

// costReport is what `stackdiff cost` says about one environment.
type costReport struct {
	Environment string `json:"environment"`
	Currency    string `json:"currency"`
	// Book is the date of the prices.
	Book        string            `json:"book"`
	Assumptions []string          `json:"assumptions"`
	Bill        cost.Bill         `json:"bill"`
	Recovery    []cost.TargetCost `json:"recovery,omitempty"`
	// Hours and HoursCents are set with --hours.
	Hours      float64 `json:"hours,omitempty"`
	HoursCents int64   `json:"hoursCents,omitempty"`
}

func (a *app) costCommand() *cobra.Command {
	var recovery bool
	var hours float64
	c := &cobra.Command{
		Use: "cost", Short: "What an environment costs a month, by service", Args: catalogue.ByFlag,
		Long: "cost previews an environment and prices what it will be made of, changed or not. List prices: nothing of it is an offer.",
		Example: "  stackdiff cost -s ers-live --recovery\n  stackdiff cost -s spine-performance --hours 6\n" +
			"  stackdiff cost --events preview.log -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.format != "text" && a.format != "json" {
				return fmt.Errorf("-o is %q: cost is written as text or json", a.format)
			}
			ctx, err := a.context(nil)
			if err != nil {
				return err
			}
			if hours < 0 || hours > ctx.Book.HoursPerMonth {
				return fmt.Errorf("--hours is %v: it is 0 to %v, a month", hours, ctx.Book.HoursPerMonth)
			}
			name, resources, err := a.planned(cmd)
			if err != nil {
				return err
			}
			report := costReport{Environment: name, Currency: ctx.Book.Currency, Book: ctx.Book.Date, Assumptions: cost.Assumptions,
				Bill: ctx.Book.Bill(resources), Hours: hours}
			report.HoursCents = ctx.Book.Running(report.Bill, hours)
			if recovery {
				report.Recovery = ctx.Book.Targets(resources)
			}
			if a.format == "json" {
				encoder := json.NewEncoder(a.out)
				encoder.SetIndent("", "  ")
				return encoder.Encode(report)
			}
			return writeCost(a.out, report)
		},
	}
	a.addStack(c)
	a.addSaved(c)
	c.Flags().BoolVar(&recovery, "recovery", false, "also what a second place would cost: as a pilot light, a warm standby, or active-active")
	c.Flags().Float64Var(&hours, "hours", 0, "also what it costs when it is there for so many hours only")
	return c
}

// planned are the resources of an environment after its next update.
func (a *app) planned(cmd *cobra.Command) (string, []cost.Resource, error) {
	if len(a.events) > 0 {
		path, err := a.oneLog()
		if err != nil {
			return "", nil, err
		}
		p, err := a.saved(path)
		if err != nil {
			return "", nil, err
		}
		return p.Stack, audit.Priced(p), nil
	}
	stack, err := a.chosen()
	if err != nil {
		return "", nil, err
	}
	p, _, err := a.run(cmd.Context(), stack, "preview")
	if err != nil {
		return "", nil, err
	}
	if p.Failed {
		return "", nil, fmt.Errorf("the preview of %s failed: what it would cost is not known whole; `stackdiff preview -s %s` says why", stack, stack)
	}
	return stack, audit.Priced(p), nil
}

// writeCost writes the report for people.
func writeCost(out io.Writer, r costReport) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s, a month, in %s at prices of %s\t\t\n", r.Environment, r.Currency, r.Book)
	for _, s := range r.Bill.Services {
		fmt.Fprintf(w, "%s\t%s\t  %d resources\n", s.Service, audit.Money(s.Cents, r.Currency), s.Resources)
	}
	fmt.Fprintf(w, "all\t%s\t\n", audit.Money(r.Bill.Cents, r.Currency))
	if r.Bill.Unchecked > 0 {
		fmt.Fprintf(w, "of it at prices to be checked\t%s\t\n", audit.Money(r.Bill.Unchecked, r.Currency))
	}
	if r.Hours > 0 {
		fmt.Fprintf(w, "%v hours of it\t%s\t\n", r.Hours, audit.Money(r.HoursCents, r.Currency))
	}
	for _, t := range r.Recovery {
		fmt.Fprintf(w, "a second place, %s\t%s\t\n", t.Name, audit.Money(t.Bill.Cents, r.Currency))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	list := func(title string, lines []string) {
		for i, line := range lines {
			if i == 0 {
				b.WriteString("\n" + title + "\n")
			}
			b.WriteString("  " + line + "\n")
		}
	}
	list("Without a figure:", r.Bill.Unknown)
	list("By use, on top:", r.Bill.Usage)
	for _, t := range r.Recovery {
		list(t.Name+":", []string{t.Means})
	}
	list("Assumed:", r.Assumptions)
	_, err := io.WriteString(out, b.String())
	return err
}
