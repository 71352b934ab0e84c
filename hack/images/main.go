// SPDX-License-Identifier: Apache-2.0

// Command images builds the images of a site and the root file system of its
// hosts, from tools built from source and Debian's signed packages, and pushes
// the images to a registry.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"spine.nhs.uk/controlplane/hack/images/debian"
	"spine.nhs.uk/controlplane/hack/tools/cachedir"
	"spine.nhs.uk/controlplane/hack/tools/toolbox"
)

const usage = `Builds the images of a site and the root file system of its hosts.

usage:
  images rootfs                        build the hosts' root file system, and print where it is
  images engines                       build those of PostgreSQL and RabbitMQ, and print the folder that holds both
  images build [--kubernetes VERSION] [--revision TEXT]
                                       build all images into $SPINE_CACHE/images, an OCI layout;
                                       with one more Kubernetes version besides ` + toolbox.KubernetesVersion + `;
                                       a revision is a label of the platform's images, so that the
                                       next "pulumi up" rolls them all though nothing else changed
  images list                          what was built last: name, digest, size
  images push --registry HOST[:PORT] [--plain-http] [--ca FILE] [--user NAME] [--only-platform] [--record FILE]
                                       push what was built last and is not there yet: with a user, whose
                                       password is read from standard input; only what goes into a cluster
                                       that somebody else runs; and record what it was, with digests

Tools come from 'go run ./hack/tools build'. Making a root file system needs root.

examples:
  go run ./hack/images build
  go run ./hack/images build --kubernetes ` + toolbox.PreviousKubernetesVersion + `
  go run ./hack/images push --registry 10.90.0.1:5000 --ca rack-ca.crt
  aws ecr get-login-password | go run ./hack/images push --registry 200000000105.dkr.ecr.eu-west-2.amazonaws.com \
      --user AWS --only-platform --record environments/releases/current.json
`

// architecture is that of the machine: hosts are of the same.
const architecture = runtime.GOARCH

// errUsage says that the command line is wrong and has been explained.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return errUsage
	}
	command := args[0]
	if slices.Contains([]string{"-h", "-help", "--help", "help"}, command) {
		fmt.Fprint(stdout, usage)
		return nil
	}
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	var do func(ctx context.Context, cache string, progress func(string), stdout io.Writer) error
	switch command {
	case "rootfs":
		do = rootfs
	case "engines":
		do = engines
	case "build":
		version := flags.String("kubernetes", "", "one more version to build")
		revision := flags.String("revision", "", "label of the platform's images")
		do = func(ctx context.Context, cache string, progress func(string), _ io.Writer) error {
			return build(ctx, cache, progress, *version, *revision)
		}
	case "list":
		do = list
	case "push":
		var t target
		flags.StringVar(&t.Registry, "registry", "", "HOST:PORT")
		flags.BoolVar(&t.PlainHTTP, "plain-http", false, "speak HTTP without TLS")
		flags.StringVar(&t.CA, "ca", "", "certificate authority of the registry, a PEM file")
		flags.StringVar(&t.User, "user", "", "user whose password is read from standard input")
		flags.BoolVar(&t.OnlyPlatform, "only-platform", false, "only what goes into a cluster that somebody else runs")
		flags.StringVar(&t.Record, "record", "", "file to write names, tags and digests to")
		do = func(ctx context.Context, cache string, progress func(string), _ io.Writer) error {
			return push(ctx, cache, progress, t)
		}
	default:
		fmt.Fprintf(stderr, "images: %q is no command\n\n%s", command, usage)
		return errUsage
	}
	if err := flags.Parse(args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return errUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "images %s: %q is not understood\n\n%s", command, flags.Arg(0), usage)
		return errUsage
	}
	cache, err := cachedir.Root()
	if err != nil {
		return err
	}
	return do(ctx, cache, func(line string) { fmt.Fprintln(stderr, "images:", line) }, stdout)
}

func rootfs(ctx context.Context, cache string, progress func(string), stdout io.Writer) error {
	system, err := debian.Ensure(ctx, cache, debian.Hosts, func(line string) { progress("rootfs: " + line) })
	if err != nil {
		return err
	}
	if system.Made {
		progress(fmt.Sprintf("rootfs: built in %.0f s", system.Took.Seconds()))
	}
	fmt.Fprintln(stdout, system.Dir)
	return nil
}

func build(ctx context.Context, cache string, progress func(string), more, revision string) error {
	start := time.Now()
	versions := []string{toolbox.KubernetesVersion}
	if more != "" && more != toolbox.KubernetesVersion {
		versions = append(versions, more)
	}
	builder, err := toolbox.NewBuilder(ctx, progress)
	if err != nil {
		return err
	}
	// Also waits for a build of it that is under way elsewhere.
	system, err := debian.Ensure(ctx, cache, debian.Hosts, func(line string) { progress("rootfs: " + line) })
	if err != nil {
		return err
	}
	systems, err := ensureEngines(ctx, cache, progress)
	if err != nil {
		return err
	}
	images, err := catalogue(versions, builtBy(builder), system.Dir)
	if err != nil {
		return err
	}
	dir := filepath.Join(cache, "images")
	unlock, err := cachedir.Lock(ctx, dir)
	if err != nil {
		return err
	}
	defer unlock()
	archiver, err := program(ctx, builder.Root, dir, walArchive)
	if err != nil {
		return err
	}
	engines, err := engineImages(systems, archiver, builtBy(builder))
	if err != nil {
		return err
	}
	programs, err := programImages(ctx, builder.Root, dir)
	if err != nil {
		return err
	}
	images = slices.Concat(images, engines, programs)
	for i := range images {
		if slices.Contains(platformImages, images[i].Name) {
			images[i].Revision = revision
		}
	}
	s, err := openStore(dir)
	if err != nil {
		return err
	}
	built, err := s.save(images)
	if err != nil {
		return err
	}
	progress(fmt.Sprintf("%d images ready in %s (%.1f s)", len(built), dir, time.Since(start).Seconds()))
	return nil
}

// builtBy finds tools that the builder has built.
func builtBy(builder *toolbox.Builder) finder {
	return func(name string) (string, error) {
		tool, err := toolbox.Find(name)
		if err != nil {
			return "", err
		}
		path, err := builder.Path(tool)
		if err != nil {
			return "", err
		}
		if !cachedir.Exists(path) {
			return "", fmt.Errorf("%s is not built: run 'go run ./hack/tools build %s'", name, name)
		}
		return path, nil
	}
}

func list(_ context.Context, cache string, _ func(string), stdout io.Writer) error {
	s, err := openStore(filepath.Join(cache, "images"))
	if err != nil {
		return err
	}
	built, err := s.list()
	if err != nil {
		return err
	}
	for _, b := range built {
		fmt.Fprintf(stdout, "%-36s %s %6.1f MB\n", b.Name+":"+b.Tag, b.Digest, float64(b.Size)/1e6)
	}
	return nil
}

func push(ctx context.Context, cache string, progress func(string), t target) error {
	if t.Registry == "" {
		return fmt.Errorf("push needs --registry HOST:PORT")
	}
	start := time.Now()
	s, err := openStore(filepath.Join(cache, "images"))
	if err != nil {
		return err
	}
	built, err := s.list()
	if err != nil {
		return err
	}
	if t.OnlyPlatform {
		built = slices.DeleteFunc(built, func(b Built) bool { return !slices.Contains(platformImages, b.Name) })
	}
	if err := t.readPassword(os.Stdin); err != nil {
		return err
	}
	pushed, err := s.push(ctx, t, built)
	if err != nil {
		return err
	}
	if err := record(t.Record, built); err != nil {
		return err
	}
	progress(fmt.Sprintf("%d of %d images pushed to %s, the others were there (%.1f s)",
		pushed, len(built), t.Registry, time.Since(start).Seconds()))
	return nil
}
