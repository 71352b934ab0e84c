// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

const (
	identityEnv       = "SPINE_SSH_IDENTITY_FILE"
	passphraseEnv     = "SPINE_SSH_PASSPHRASE"
	passphraseFileEnv = "SPINE_SSH_PASSPHRASE_FILE"
	agentEnv          = "SSH_AUTH_SOCK"
	homeEnv           = "SPINE_HOME"
	// defaultHome is what a path below it is moved from when SPINE_HOME is set.
	defaultHome = "~/.local/share/spine/"
)

// identities finds the private key for a host. The first of these counts: the
// file that SPINE_SSH_IDENTITY_FILE names, the target's IdentityFile, the
// agent at SSH_AUTH_SOCK. A passphrase comes from the environment only, so
// that it is in no input and no state.
type identities struct {
	getenv  func(string) string
	homeDir func() (string, error)
}

func fromEnvironment() identities {
	return identities{getenv: os.Getenv, homeDir: os.UserHomeDir}
}

func (i identities) path(t Target) (string, error) {
	path := i.getenv(identityEnv)
	if path == "" {
		path = t.IdentityFile
	}
	if home := i.getenv(homeEnv); home != "" && strings.HasPrefix(path, defaultHome) {
		return filepath.Join(home, strings.TrimPrefix(path, defaultHome)), nil
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := i.homeDir()
		if err != nil {
			return "", fmt.Errorf("expanding %s: %w", path, err)
		}
		return filepath.Join(home, rest), nil
	}
	return path, nil
}

func (i identities) describe(t Target) string {
	if path, err := i.path(t); err == nil && path != "" {
		return "the key in " + path
	}
	return "the keys of the agent at " + agentEnv
}

func (i identities) methods(t Target) ([]ssh.AuthMethod, error) {
	path, err := i.path(t)
	if err != nil {
		return nil, err
	}
	if path == "" {
		return i.fromAgent()
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w: name it in ssh.identityFile or %s", err, identityEnv)
	}
	signer, err := i.signer(path, pem)
	if err != nil {
		return nil, err
	}
	return []ssh.AuthMethod{ssh.PublicKeys(signer)}, nil
}

func (i identities) signer(path string, pem []byte) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(pem)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		if err != nil {
			return nil, fmt.Errorf("private key %s cannot be read: %w", path, err)
		}
		return signer, nil
	}
	passphrase, source, err := i.passphrase()
	if err != nil {
		return nil, err
	}
	if source == "" {
		return nil, fmt.Errorf("private key %s is protected by a passphrase: set %s or %s", path, passphraseEnv, passphraseFileEnv)
	}
	signer, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(passphrase))
	if err != nil {
		// The cause is not repeated: it never says more than "wrong".
		return nil, fmt.Errorf("the passphrase in %s does not open private key %s", source, path)
	}
	return signer, nil
}

// passphrase returns it with the name of the variable it came from, or no
// name when there is none.
func (i identities) passphrase() (value, source string, err error) {
	if v := i.getenv(passphraseEnv); v != "" {
		return v, passphraseEnv, nil
	}
	file := i.getenv(passphraseFileEnv)
	if file == "" {
		return "", "", nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", "", fmt.Errorf("reading %s: %w", passphraseFileEnv, err)
	}
	return strings.TrimRight(string(content), "\r\n"), passphraseFileEnv, nil
}

func (i identities) fromAgent() ([]ssh.AuthMethod, error) {
	socket := i.getenv(agentEnv)
	if socket == "" {
		return nil, fmt.Errorf("no private key: set ssh.identityFile or %s, or start an SSH agent", identityEnv)
	}
	return []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return nil, fmt.Errorf("reaching the SSH agent at %s: %w", agentEnv, err)
		}
		// Signing needs the connection until the process ends.
		return agent.NewClient(conn).Signers()
	})}, nil
}
