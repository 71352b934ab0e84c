// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
)

// newToken makes a bootstrap token.
func newToken() (string, error) {
	b := make([]byte, 11)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("random bytes for a bootstrap token: %w", err)
	}
	t := hex.EncodeToString(b)
	return t[:6] + "." + t[6:22], nil
}

// mint makes what a join needs on the control plane that speaks: a token that
// lives a quarter of an hour, and for control planes the certificates under a
// fresh key.
func (s *session) mint(ctx context.Context, controlPlane bool) (kubeadm.Secrets, error) {
	v := s.speaker
	out := kubeadm.Secrets{APIServer: fmt.Sprintf("%s:%d", v.Host.Address, s.args.settings().EndpointPort)}
	config, err := s.initConfig(v)
	if err != nil {
		return out, err
	}
	const file = kubeadmDir + "/mint.yaml"
	if err := v.Conn.Upload(ctx, file, config, 0o600); err != nil {
		return out, err
	}
	upload := ""
	if controlPlane {
		upload = fmt.Sprintf(`printf 'key=%%s\n' "$(kubeadm init phase upload-certs --upload-certs --kubeconfig "$conf" --config %s | grep -E '^[0-9a-f]{64}$')"
`, file)
	}
	res, err := v.Conn.Run(ctx, fmt.Sprintf(`# make short-lived credentials for a join
set -eu
umask 077
conf=$(mktemp /run/spine-admin.XXXXXX)
trap 'rm -f "$conf" %[1]s' EXIT
sed 's#server: .*#server: https://%[2]s#' /etc/kubernetes/admin.conf >"$conf"
token=$(kubeadm token create --ttl 15m --kubeconfig "$conf")
printf 'token=%%s\n' "$token"
%[3]sprintf 'ca=%%s\n' "$(base64 -w0 /etc/kubernetes/pki/ca.crt)"
# A controller signs the cluster's address for the token; kubeadm join looks for that only every 5 s.
n=0
until [ -n "$(kubectl --kubeconfig "$conf" -n kube-public get configmap cluster-info -o jsonpath="{.data.jws-kubeconfig-${token%%%%.*}}")" ] || [ $n -ge 100 ]; do
	n=$((n + 1))
	sleep 0.3
done
`, file, out.APIServer, upload))
	if err != nil {
		return out, err
	}
	for line := range strings.Lines(res.Stdout) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key {
		case "token":
			out.Token = value
		case "key":
			out.CertificateKey = value
		case "ca":
			if out.CAHash, err = caHash(value); err != nil {
				return out, fmt.Errorf("host %s: /etc/kubernetes/pki/ca.crt: %w", v.Host.Name, err)
			}
		}
	}
	if out.Token == "" || out.CAHash == "" || controlPlane && out.CertificateKey == "" {
		return out, fmt.Errorf("host %s: kubeadm gave no complete credentials for a join: check kubeadm's version there", v.Host.Name)
	}
	return out, nil
}

// revoke takes back what mint made. It all runs out by itself, so that a
// failure is not worth stopping for.
func (s *session) revoke(ctx context.Context, secrets kubeadm.Secrets) {
	id, _, _ := strings.Cut(secrets.Token, ".")
	_, err := s.speaker.Conn.Run(ctx, "# take back the credentials of a join\n"+
		kubectl(s.speaker.Host.Address, s.args.settings().EndpointPort)+
		fmt.Sprintf("k -n kube-system delete --ignore-not-found secret kubeadm-certs bootstrap-token-%s\n", id))
	if err != nil {
		s.progress("the join's credentials could not be removed and run out by themselves: %v", err)
	}
}

// caHash pins a certificate authority the way kubeadm does: the digest of its
// public key. encoded is base64 of PEM.
func caHash(encoded string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return "", fmt.Errorf("no PEM certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(cert.RawSubjectPublicKeyInfo)), nil
}
