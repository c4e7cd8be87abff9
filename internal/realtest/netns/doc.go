// Package netns runs a test in its own network, mount and process namespaces, in which it can simulate faults: nftables drops
// and rejects packets, connections are killed, the test's own server resolves names, and a link delays packets. The machine's
// network and files are not affected, and everything ends with the process.
//
// Only tests import this package, on Linux.
package netns
