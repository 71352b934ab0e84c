// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"spine.nhs.uk/controlplane/hack/site"
)

// hostPrices are what a hoster might ask: by the memory that a host is required to have.
const hostPrices = `{"date": "2026-11-01", "currency": "GBP", "region": "eu-west-2", "hoursPerMonth": 730, "sources": {"contract": "ours"}, "free": [],
	"prices": [{"type": "spine:baremetal:Host", "what": "memory", "unit": "month", "quantity": "requirements.memoryMiB", "price": 0.01,
		"source": "contract", "published": "2026-11-01"}]}`

// firstPage is how many lines of a report are seen without scrolling.
const firstPage = 40

// riskyChange is one change with an instance of each class of risk that a site of one's own machines has (nothing of it is
// elsewhere, so that there is no residency): stackdiff puts all of them on its first page, and nothing is changed.
func riskyChange(ctx context.Context) {
	before := state(ctx)
	DeferCleanup(func() { Expect(rack.Configure(shortCoolDown)).To(Succeed()) })
	Expect(rack.Configure(func(e site.Environment) {
		delete(e, "booking")
		e["messaging"].(map[string]any)["gateway"].(map[string]any)["memoryMiB"] = 320
		e.Host("c")["requirements"] = map[string]any{"memoryMiB": 4000}
		e.Host("c")["bmc"] = map[string]any{"address": mustAddress(199)} // the manager may reach it
		shortCoolDown(e)
	})).To(Succeed())
	otherPassword(ctx)
	prices := filepath.Join(GinkgoT().TempDir(), "prices.json")
	Expect(os.WriteFile(prices, []byte(hostPrices), 0o600)).To(Succeed())

	out, err := rack.Command(ctx, "stackdiff", "preview", "-s", rack.Name, "--config-file", rack.ConfigFile, "--prices", prices).Output()
	report := string(out)
	AddReportEntry("stackdiff preview", report)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		Expect(exit.ExitCode()).To(Equal(2), string(exit.Stderr))
	} else {
		Expect(err).NotTo(HaveOccurred())
	}
	lines := strings.Split(report, "\n")
	page := strings.Join(lines[:min(len(lines), firstPage)], "\n")
	for class, risk := range map[string]string{
		"DATA LOSS":    "BookingService spine-booking/ers: deleted: its database is deleted",
		"EXPOSURE":     "NetworkPolicy spine-system/spine-manager-hosts: who may talk to whom changes",
		"AVAILABILITY": "gateway: resources.memory: 384Mi -> 320Mi",
		"IDENTITY":     "Secret spine-messaging/mailboxes",
		"COST":         "host c: 40.96 GBP -> 40.00 GBP a month",
	} {
		Expect(page).To(ContainSubstring("\n"+class+"\n"), "the first page")
		Expect(page).To(ContainSubstring(risk), "the first page")
	}
	Expect(state(ctx)).To(Equal(before), "the stack's state")
}

// otherPassword gives one mailbox another password in the site's config.
func otherPassword(ctx context.Context) {
	GinkgoHelper()
	config := []string{"spine:mailboxSecrets", "--stack", rack.Name, "--config-file", rack.ConfigFile, "--non-interactive"}
	text, err := rack.Command(ctx, "pulumi", append([]string{"config", "get"}, config...)...).Output()
	Expect(err).NotTo(HaveOccurred())
	var secrets struct {
		SharedKey string            `json:"sharedKey"`
		Passwords map[string]string `json:"passwords"`
	}
	Expect(json.Unmarshal(text, &secrets)).To(Succeed())
	Expect(secrets.Passwords).NotTo(BeEmpty())
	for mailbox := range secrets.Passwords {
		secrets.Passwords[mailbox] += "-another"
		break
	}
	changed, err := json.Marshal(secrets)
	Expect(err).NotTo(HaveOccurred())
	cmd := rack.Command(ctx, "pulumi", append([]string{"config", "set", "--secret"}, config...)...)
	cmd.Stdin = strings.NewReader(string(changed))
	Expect(cmd.Run()).To(Succeed())
}
