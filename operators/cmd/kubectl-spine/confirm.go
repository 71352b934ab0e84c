// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
)

// confirm asks a person to type the target's name, which takes a look at what it is.
func (a *app) confirm(ctx context.Context, name, what, otherwise string) error {
	if !a.terminal {
		return errors.New("there is no terminal to ask you at: give --yes. " + otherwise)
	}
	fmt.Fprintf(a.words(), "\nTo %s, type the name of its target, %s: ", what, name)
	typed := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(a.in).ReadString('\n')
		if err != nil {
			fmt.Fprintln(a.words()) // the input ended within the line
		}
		typed <- line
	}()
	select {
	case line := <-typed:
		if strings.TrimSpace(line) == name {
			return nil
		}
	case <-ctx.Done(): // Ctrl-C
		fmt.Fprintln(a.words())
	}
	return errors.New("not confirmed. " + otherwise)
}
