// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserverapp "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanagerapp "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxyapp "k8s.io/kubernetes/cmd/kube-proxy/app"
	schedulerapp "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadmapp "k8s.io/kubernetes/cmd/kubeadm/app"
	kubeadmerrors "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"

	// kubectl's ways to log in, such as exec plugins.
	_ "k8s.io/client-go/plugin/pkg/client/auth"
)

// Each function is the body of the upstream main of the same name.

func kubeadm() { kubeadmerrors.HandleError(kubeadmapp.Run()) }

func kubelet() { os.Exit(cli.Run(kubeletapp.NewKubeletCommand(context.Background()))) }

func apiServer() { os.Exit(cli.Run(apiserverapp.NewAPIServerCommand())) }

func controllerManager() { os.Exit(cli.Run(controllermanagerapp.NewControllerManagerCommand())) }

func proxy() { os.Exit(cli.Run(proxyapp.NewProxyCommand())) }

func scheduler() { os.Exit(cli.Run(schedulerapp.NewSchedulerCommand())) }

func kubectl() {
	// The verbosity is needed before the command is made: making it already
	// looks for plugins and reads the user's preferences, and logs that.
	_, _ = logs.GlogSetter(kubectlcmd.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectlcmd.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}
