package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// Every account belongs to one shard, evenly; one shard more takes its share evenly from the others, and moves nothing
// between them.
func TestShardsPartition(t *testing.T) {
	const accounts = 20000
	names := make([]string, accounts)
	for i := range names {
		names[i] = fmt.Sprintf("account-%d@example.org", i)
	}
	owners := func(total int) []int {
		owner := make([]int, accounts)
		for a, name := range names {
			found := 0
			for i := range total {
				if (Shard{i, total}).Has(name) {
					owner[a] = i
					found++
				}
			}
			if found != 1 {
				t.Fatalf("%s belongs to %d of %d shards", name, found, total)
			}
		}
		return owner
	}
	before := owners(1)
	for total := 2; total <= 12; total++ {
		after := owners(total)
		moved := 0
		sizes := make([]int, total)
		for a := range names {
			sizes[after[a]]++
			if after[a] == before[a] {
				continue
			}
			moved++
			if after[a] != total-1 {
				t.Fatalf("with %d shards, %s moves from %d to %d", total, names[a], before[a], after[a])
			}
		}
		share := accounts / total
		for i, size := range slices.Concat(sizes, []int{moved}) {
			if size < share*9/10 || size > share*11/10 {
				t.Errorf("with %d shards, shard %d has %d accounts (the last figure are those moved), want about %d", total, i, size, share)
			}
		}
		before = after
	}
}

// Another function would move accounts from shard to shard on an upgrade.
func TestShardsArePromised(t *testing.T) {
	for name, want := range map[string]int{"canary": 1, "second": 0, "alice@example.org": 2, "Entwürfe": 4, "a": 4} {
		for i := range 7 {
			if (Shard{i, 7}).Has(name) != (i == want) {
				t.Errorf("%s: shard %d of 7 says %v", name, i, i != want)
			}
		}
	}
}

func TestOrdinal(t *testing.T) {
	for host, want := range map[string]string{
		"imap-exporter-3": "3", "imap-exporter-12.imap.monitoring.svc": "12", "a-0": "0",
		"imap-exporter": "", "imap3": "", "3": "", "": "", "x-7d9f": "", "x-": "", "x-+3": "", "x-99999999999": "",
	} {
		if got, err := ordinal(host); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", host, got, err)
		}
	}
}

func TestShardFlags(t *testing.T) {
	for args, want := range map[string]string{
		"":                               "0 of 1",
		"--shard=2 --total-shards=3":     "2 of 3",
		"--total-shards=10000":           "0 of 10000",
		"--shard=3 --total-shards=3":     "--shard: must be auto, or a whole number from 0 to 2: one less than --total-shards",
		"--shard=-1 --total-shards=3":    "--shard: must be auto, or a whole number from 0 to 2: one less than --total-shards",
		"--shard=one --total-shards=3":   "--shard: must be auto, or a whole number from 0 to 2: one less than --total-shards",
		"--shard=1":                      "--shard: must be auto, or a whole number from 0 to 0: one less than --total-shards",
		"--total-shards=0":               "--total-shards: must be a whole number from 1 to 10000",
		"--shard=auto --total-shards=1x": "--total-shards: must be a whole number from 1 to 10000",
	} {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		flags.String("shard", "0", "")
		flags.String("total-shards", "1", "")
		if err := flags.Parse(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		c, err := Load(Options{File: "testdata/minimal.good.yaml", Flags: flags})
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprintf("%d of %d", c.Shard.Index, c.Shard.Total)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
}

// A shard validates all accounts, keeps its own, and needs only their secrets. It may have no account.
func TestLoadShard(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	text.WriteString("accounts:\n")
	total, seen := 5, 0
	for i := range 4 {
		fmt.Fprintf(&text, "  - {name: account-%d, server: imap.example.org, username: u, password_file: %d.password}\n", i, i)
	}
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for index := range total {
		shard := Shard{index, total}
		for i := range 4 {
			secret := filepath.Join(dir, fmt.Sprintf("%d.password", i))
			if err := os.Remove(secret); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			if !shard.Has(fmt.Sprintf("account-%d", i)) {
				continue
			}
			if _, err := loadShard(t, file, shard); err == nil {
				t.Errorf("%v: accepted without its own secret", shard)
			}
			if err := os.WriteFile(secret, []byte("canary-shard-secret"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, err := loadShard(t, file, shard)
		if err != nil {
			t.Fatal(err)
		}
		if c.AllAccounts != 4 {
			t.Errorf("%d accounts in all", c.AllAccounts)
		}
		for _, a := range c.Accounts {
			seen++
			if !shard.Has(a.Target.Account) || a.Target.Secret == nil {
				t.Errorf("%v has %s", shard, a.Target.Account)
			}
		}
	}
	if seen != 4 {
		t.Errorf("the shards have %d accounts together", seen)
	}
}

func loadShard(t *testing.T, file string, s Shard) (*Config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.Int("shard", s.Index, "")
	flags.Int("total-shards", s.Total, "")
	return Load(Options{File: file, Flags: flags})
}
