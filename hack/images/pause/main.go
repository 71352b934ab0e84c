// SPDX-License-Identifier: Apache-2.0

// Command pause holds the namespaces of a pod: it does nothing until it is told
// to end, and reaps the orphans of containers that share its process namespace.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// kubeadm's check before an upgrade runs the image with -v and waits for it to end well.
	if len(os.Args) > 1 && os.Args[1] == "-v" {
		fmt.Println("pause.go 3.10.2")
		return
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			fmt.Fprintln(os.Stderr, "pause: ending on", s)
			return
		}
		reap()
	}
}

// reap collects every child that has ended: one signal may stand for many.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}
