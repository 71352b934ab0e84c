// SPDX-License-Identifier: Apache-2.0

// Package session is how AWS is asked: in whose name, where, and for how long.
package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

// Limit of one question with its answer.
const Limit = 3 * time.Second

// credentialsFile is beside the configuration where the manager has no role in AWS: at a site
// of our own. It is in the form of AWS's tools, with one profile, default.
const credentialsFile = "credentials"

// Endpoint is where a service answers, if not at its public name: https://host, of an interface
// endpoint in a private network; or http://127.0.0.1:port, of an emulator.
type Endpoint string

// Validate returns what is wrong with it.
func (e Endpoint) Validate() error {
	if e == "" {
		return nil
	}
	u, err := url.Parse(string(e))
	if err == nil && u.Host != "" && u.User == nil && (u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == "" {
		// In clear text to nobody but this machine itself.
		a, bad := netip.ParseAddr(u.Hostname())
		if u.Scheme == "https" || u.Scheme == "http" && bad == nil && a.IsLoopback() {
			return nil
		}
	}
	return fmt.Errorf("endpoint: %.80q must be https://host, as in https://vpce-1a2b.dynamodb.eu-west-2.vpce.amazonaws.com, or empty for the service's public name", string(e))
}

// Base is the endpoint as the SDK's clients take it.
func (e Endpoint) Base() *string {
	if e == "" {
		return nil
	}
	return aws.String(string(e))
}

// Folder is a mounted Secret with a configuration, and with credentials where there is no role.
type Folder struct {
	dir string

	mu sync.Mutex
	// region and credentials are those that made was made from; nil before the first time.
	region      string
	credentials []byte
	made        *aws.Config
}

// New returns the folder, of which nothing is read yet.
func New(dir string) *Folder { return &Folder{dir: dir} }

// Dir is its path.
func (f *Folder) Dir() string { return f.dir }

// Open returns what the SDK's clients are made with, anew when the credentials have changed.
func (f *Folder) Open(ctx context.Context, region string) (aws.Config, error) {
	path := filepath.Join(f.dir, credentialsFile)
	credentials, err := thirdplace.Read(path)
	files := []string{path}
	switch {
	case errors.Is(err, os.ErrNotExist):
		files = nil
	case err != nil:
		return aws.Config{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made != nil && f.region == region && bytes.Equal(f.credentials, credentials) {
		return *f.made, nil
	}
	made, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(region),
		config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles(files),
		// A pod acts as itself, and never as the machine that it runs on.
		config.WithEC2IMDSClientEnableState(imds.ClientDisabled),
		// Asked again is by the caller, who knows what that means: a second write after an answer
		// was lost finds the first one there, and takes it for somebody else's.
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		// One name for every account: the one that networks have a way to.
		config.WithAccountIDEndpointMode(aws.AccountIDEndpointModeDisabled),
	)
	if err != nil {
		// The parser's own words may quote the file.
		return aws.Config{}, fmt.Errorf("%s: expected [default] with aws_access_key_id and aws_secret_access_key, or no such file where the manager has a role", path)
	}
	f.region, f.credentials, f.made = region, credentials, &made
	return made, nil
}
