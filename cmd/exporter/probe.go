package main

import (
	"errors"
	"fmt"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"imap-exporter/internal/config"
	"imap-exporter/internal/demo"
	"imap-exporter/internal/format"
	"imap-exporter/probe"
)

// probeFlags are the flags of the command probe.
type probeFlags struct {
	all               bool
	module            string
	format            string
	color             string
	transcript        bool
	warning, critical []string
	adHoc             config.AdHoc
}

// newProbeCommand returns the subcommand that makes one-shot probes.
func newProbeCommand() *cobra.Command {
	var f probeFlags
	cmd := &cobra.Command{
		Use:   "probe [ACCOUNT…]",
		Short: "Probe accounts once, now, and show where the time goes",
		Long: "probe probes accounts of the configuration, or one that flags describe (--server), once each, and shows each\n" +
			"probe as a waterfall.\n\n" +
			"It exits with 0 if all probes succeeded, 1 if one failed, and 2 if none was made because the command line or the\n" +
			"configuration is wrong. With -o nagios it exits like a Nagios plugin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
		Example: "  imap-exporter probe --all\n" +
			"  imap-exporter probe canary --transcript\n" +
			"  imap-exporter probe --server imap.example.org --username canary@example.org --password-file canary.password\n" +
			"  imap-exporter probe canary -o nagios --warning 1 --critical 5 --warning certificate_days=21:",
		ValidArgsFunction: completeAccounts,
		RunE:              f.run,
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "probe all accounts")
	flags.StringVar(&f.module, "module", "", "`module` to probe the accounts with instead of their own")
	flags.StringVarP(&f.format, "output", "o", formatText, "`format`: text, json, prom or nagios")
	flags.StringVar(&f.color, "color", "auto", "`when` to use colours: auto, always or never")
	flags.BoolVar(&f.transcript, "transcript", false, "also show the conversation, without credentials")
	flags.StringArrayVarP(&f.warning, "warning", "w", nil, "Nagios `[label=]range` that a value must be in, else WARNING; without a label, the seconds that the probe took")
	flags.StringArrayVarP(&f.critical, "critical", "c", nil, "likewise, `[label=]range`, else CRITICAL")
	addAdHocFlags(flags, &f.adHoc)
	flags.SortFlags = false
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return f.notProbed(cmd, explainFlagError(cmd, err)) })
	for name, function := range map[string]cobra.CompletionFunc{
		"output": completeWords(formatText, formatJSON, formatProm, formatNagios),
		"color":  completeWords("auto", "always", "never"),
		"tls":    completeWords("implicit", "starttls", "none"),
		"module": completeModules,
	} {
		if err := cmd.RegisterFlagCompletionFunc(name, function); err != nil {
			panic(err) // The flag is not defined above.
		}
	}
	return cmd
}

// notProbed gives its exit status to an error that prevents all probes. With -o nagios it prints the error on stdout,
// too, which is all that Nagios reads.
func (f *probeFlags) notProbed(cmd *cobra.Command, err error) error {
	if f.format != formatNagios {
		return withStatus(statusUsage, err)
	}
	fmt.Fprintln(cmd.OutOrStdout(), format.NagiosUnknownLine(err))
	return withStatus(int(format.NagiosUnknown), err)
}

// run runs the command.
func (f *probeFlags) run(cmd *cobra.Command, args []string) error {
	if f.format == formatNagios { // Else a closed pipe would end the program with the status of a signal, which is no state.
		signal.Ignore(syscall.SIGPIPE)
		defer signal.Reset(syscall.SIGPIPE)
	}
	output, err := f.newProbeOutput(cmd)
	if err != nil {
		return f.notProbed(cmd, err)
	}
	demoServers, err := demo.New()
	if err != nil {
		return f.notProbed(cmd, err)
	}
	defer demoServers.Close()
	chosen, limits, err := f.choose(cmd, args, demoServers)
	if err != nil {
		return f.notProbed(cmd, err)
	}
	progress := newProgress(cmd, len(chosen))
	if err := probeOnce(cmd, chosen, limits, func(p *format.Probe) error {
		return progress.step(p.OK(), func() error { return output.each(*p) })
	}); err != nil {
		return err
	}
	return output.all(chosen)
}

// choose returns the probes to make and how many may run at a time.
func (f *probeFlags) choose(cmd *cobra.Command, args []string, demo config.Demo) ([]format.Probe, concurrency, error) {
	if f.adHoc.Server != "" || f.adHoc.Username != "" {
		if f.all || len(args) > 0 || f.module != "" {
			return nil, concurrency{}, errors.New("--server and --username describe the account: leave out ACCOUNT, --all and --module")
		}
		return f.chooseAdHoc(cmd, demo)
	}
	if name := changedAdHocFlag(cmd.Flags()); name != "" {
		return nil, concurrency{}, fmt.Errorf("--%s is for a --server: the accounts of the configuration have modules for that", name)
	}
	if f.all == (len(args) > 0) {
		return nil, concurrency{}, errors.New("name the accounts to probe, or write --all")
	}
	cfg, err := loadConfig(cmd, demo)
	if err != nil {
		return nil, concurrency{}, err
	}
	limits := concurrency{cfg.MaxConcurrent, cfg.MaxConcurrentPerServer}
	var chosen []format.Probe
	for i := range cfg.Accounts {
		a := &cfg.Accounts[i]
		if f.all || slices.Contains(args, a.Name) {
			p, err := f.probeOf(cfg, a)
			if err != nil {
				return nil, limits, err
			}
			chosen = append(chosen, p)
		}
	}
	for _, name := range args {
		if cfg.Account(name) == nil {
			return nil, limits, fmt.Errorf("%s: %w", name, config.ErrUnknownAccount)
		}
	}
	if len(chosen) == 0 {
		return nil, limits, errors.New("this shard has no accounts")
	}
	return chosen, limits, nil
}

// probeOf returns the probe of a configured account, with the module that the flags name.
func (f *probeFlags) probeOf(cfg *config.Config, a *config.Account) (format.Probe, error) {
	target := a.Target
	if f.module != "" && f.module != a.Module {
		var err error
		if target, err = cfg.TargetWith(a, f.module); err != nil {
			return format.Probe{}, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return newProbe(a, target), nil
}

// chooseAdHoc returns the probe that the flags describe, and asks for the password if no flag names one.
func (f *probeFlags) chooseAdHoc(cmd *cobra.Command, demo config.Demo) ([]format.Probe, concurrency, error) {
	h := f.adHoc
	h.Demo = demo
	if h.PasswordFile == "-" {
		password, err := readPassword(cmd.InOrStdin())
		if err != nil {
			return nil, concurrency{}, err
		}
		h.PasswordFile, h.Password = "", &password
	} else if needsPassword(&h) {
		password, err := askPassword(cmd, fmt.Sprintf("Password of %s at %s: ", h.Username, h.Server))
		if err != nil {
			return nil, concurrency{}, err
		}
		h.Password = &password
	}
	account, warnings, err := h.Account()
	for _, warning := range warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", warning)
	}
	if err != nil {
		return nil, concurrency{}, &configError{err}
	}
	return []format.Probe{newProbe(account, account.Target)}, concurrency{}, nil
}

// needsPassword reports whether an account logs in with a password and no flag says where it is.
func needsPassword(h *config.AdHoc) bool {
	switch probe.AuthMethod(h.Auth) {
	case "", probe.AuthAuto, probe.AuthLogin, probe.AuthPlain, probe.AuthSCRAMSHA256:
		return h.PasswordFile == "" && h.TokenFile == "" && h.Server != "" && h.Username != ""
	default:
		return false
	}
}
