// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"time"

	"sigs.k8s.io/yaml"
)

// kubeconfigMargin is how long an administrator's certificate must still be
// valid to be kept; every control plane has another one, and taking a new one
// without need would change what depends on it.
const kubeconfigMargin = 60 * 24 * time.Hour

// credentials reads the administrator's kubeconfig and the authority from the
// control plane that speaks. It keeps the kubeconfig of prior while that is good.
func (s *session) credentials(ctx context.Context, prior *ClusterState) (kubeconfig, ca string, err error) {
	if s.speaker == nil {
		if prior != nil {
			return prior.Kubeconfig, prior.CACertificate, nil
		}
		return "", "", nil
	}
	res, err := s.speaker.Conn.Run(ctx, "# read the administrator's kubeconfig\nset -eu\nbase64 -w0 /etc/kubernetes/pki/ca.crt; echo\ncat /etc/kubernetes/admin.conf\n")
	if err != nil {
		return "", "", err
	}
	encoded, admin, _ := cutLine(res.Stdout)
	pemCA, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", fmt.Errorf("host %s: /etc/kubernetes/pki/ca.crt: %w", s.speaker.Host.Name, err)
	}
	ca = string(pemCA)
	server := fmt.Sprintf("https://%s:%d", s.args.Endpoint.Address, s.args.settings().EndpointPort)
	if prior != nil && kubeconfigGood(prior.Kubeconfig, server, encoded, time.Now()) {
		return prior.Kubeconfig, ca, nil
	}
	kubeconfig, err = retarget(admin, server)
	if err != nil {
		return "", "", fmt.Errorf("host %s: /etc/kubernetes/admin.conf: %w", s.speaker.Host.Name, err)
	}
	return kubeconfig, ca, nil
}

// kubeconfigFile is the part of a kubeconfig that is read here.
type kubeconfigFile struct {
	Clusters []struct {
		Cluster struct {
			Server string `json:"server"`
			CA     string `json:"certificate-authority-data"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		User struct {
			Certificate string `json:"client-certificate-data"`
		} `json:"user"`
	} `json:"users"`
}

// kubeconfigGood says whether a kubeconfig leads to the server, trusts the
// authority (base64 of PEM), and is valid for kubeconfigMargin from now.
func kubeconfigGood(kubeconfig, server, ca string, now time.Time) bool {
	var f kubeconfigFile
	if yaml.Unmarshal([]byte(kubeconfig), &f) != nil || len(f.Clusters) != 1 || len(f.Users) != 1 {
		return false
	}
	if f.Clusters[0].Cluster.Server != server || f.Clusters[0].Cluster.CA != ca {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(f.Users[0].User.Certificate)
	if err != nil {
		return false
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	return err == nil && cert.NotAfter.Sub(now) > kubeconfigMargin
}

// retarget replaces the server of a kubeconfig with one cluster. Hosts reach
// the API by a name that only they resolve; people need the address.
func retarget(kubeconfig, server string) (string, error) {
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(kubeconfig), &doc); err != nil {
		return "", err
	}
	clusters, _ := doc["clusters"].([]any)
	if len(clusters) != 1 {
		return "", fmt.Errorf("it has %d clusters, expected 1", len(clusters))
	}
	entry, _ := clusters[0].(map[string]any)
	cluster, _ := entry["cluster"].(map[string]any)
	if cluster == nil {
		return "", fmt.Errorf("its cluster entry is empty")
	}
	cluster["server"] = server
	b, err := yaml.Marshal(doc)
	return string(b), err
}

// cutLine splits off the first line.
func cutLine(s string) (line, rest string, ok bool) {
	for i := range len(s) {
		if s[i] == '\n' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}
