// A Kafka broker in memory, franz-go's kfake, at the address and port given, with one topic of one partition.
package main

import (
	"fmt"
	"net"
	"os"

	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	// Clients are sent to the address it listens on, which therefore has to be one that they reach.
	listen := func(network, _ string) (net.Listener, error) {
		return net.Listen(network, os.Args[1])
	}
	_, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ListenFn(listen),
		kfake.SeedTopics(1, os.Args[2]),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening")
	select {}
}
