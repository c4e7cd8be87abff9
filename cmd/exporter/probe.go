package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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

// The formats of the command probe.
const (
	formatText   = "text"
	formatJSON   = "json"
	formatProm   = "prom"
	formatNagios = "nagios"
)

// newProbeCommand returns the subcommand that probes once, now.
func newProbeCommand() *cobra.Command {
	var f probeFlags
	cmd := &cobra.Command{
		Use:   "probe [ACCOUNT…]",
		Short: "Probe accounts once, now, and show where the time goes",
		Long: "probe probes accounts of the configuration, or one that the flags describe (--server), once, and shows each as\n" +
			"a waterfall.\n\n" +
			"It exits with 0 when all went well, 1 when a probe failed, and 2 when none was made because the command line or\n" +
			"the configuration is wrong. With -o nagios it exits as Nagios' plugins do: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
		Example: "  imap-exporter probe --all\n" +
			"  imap-exporter probe canary --transcript\n" +
			"  imap-exporter probe --server imap.example.org --username canary@example.org --password-file canary.password\n" +
			"  imap-exporter probe canary -o nagios --warning 1 --critical 5 --warning certificate_days=21:",
		ValidArgsFunction: completeAccounts,
		RunE:              f.run,
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "probe all accounts")
	flags.StringVar(&f.module, "module", "", "`module` to probe the accounts with, in place of their own")
	flags.StringVarP(&f.format, "output", "o", formatText, "`format`: text, json, prom or nagios")
	flags.StringVar(&f.color, "color", "auto", "`when` to use colours: auto, always or never")
	flags.BoolVar(&f.transcript, "transcript", false, "show the conversation, too, without credentials")
	flags.StringArrayVarP(&f.warning, "warning", "w", nil, "`[label=]range` of Nagios outside of which is WARNING; without a label, of the seconds that the probe took")
	flags.StringArrayVarP(&f.critical, "critical", "c", nil, "`[label=]range` outside of which is CRITICAL")
	addAdHocFlags(flags, &f.adHoc)
	flags.SortFlags = false
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return f.usage(cmd, explainFlagError(cmd, err)) })
	for name, function := range map[string]cobra.CompletionFunc{
		"output": completeWords(formatText, formatJSON, formatProm, formatNagios),
		"color":  completeWords("auto", "always", "never"),
		"tls":    completeWords("implicit", "starttls", "none"),
		"module": completeModules,
	} {
		if err := cmd.RegisterFlagCompletionFunc(name, function); err != nil {
			panic(err) // There is no such flag: a fault of the lines above.
		}
	}
	return cmd
}

// usage gives an error that keeps anything from being probed its exit status. Nagios reads stdout alone.
func (f *probeFlags) usage(cmd *cobra.Command, err error) error {
	if f.format != formatNagios {
		return withStatus(statusUsage, err)
	}
	fmt.Fprintln(cmd.OutOrStdout(), format.NagiosUnknownLine(err))
	return withStatus(int(format.NagiosUnknown), err)
}

// run is the command.
func (f *probeFlags) run(cmd *cobra.Command, args []string) error {
	show, err := f.presenter(cmd)
	if err != nil {
		return f.usage(cmd, err)
	}
	demoServers, err := demo.New()
	if err != nil {
		return f.usage(cmd, err)
	}
	defer demoServers.Close()
	chosen, limits, err := f.choose(cmd, args, demoServers)
	if err != nil {
		return f.usage(cmd, err)
	}
	progress := newProgress(cmd, len(chosen))
	if err := probeOnce(cmd, chosen, limits, func(p *oneShot) error {
		return progress.step(p.OK(), func() error { return show.each(p.Probe) })
	}); err != nil {
		return err
	}
	probes := make([]format.Probe, len(chosen))
	for i := range chosen {
		probes[i] = chosen[i].Probe
	}
	return show.end(probes)
}

// choose returns what is to be probed.
func (f *probeFlags) choose(cmd *cobra.Command, args []string, demo config.Demo) ([]oneShot, bounds, error) {
	if f.adHoc.Server != "" || f.adHoc.Username != "" {
		if f.all || len(args) > 0 || f.module != "" {
			return nil, bounds{}, errors.New("--server and --username describe the account: leave out ACCOUNT, --all and --module")
		}
		return f.chooseAdHoc(cmd, demo)
	}
	if name := changedAdHocFlag(cmd.Flags()); name != "" {
		return nil, bounds{}, fmt.Errorf("--%s is for a --server: accounts have modules for that", name)
	}
	if f.all == (len(args) > 0) {
		return nil, bounds{}, errors.New("name the accounts to probe, or write --all")
	}
	cfg, err := loadConfig(cmd, demo)
	if err != nil {
		return nil, bounds{}, err
	}
	limits := bounds{cfg.MaxConcurrent, cfg.MaxConcurrentPerServer}
	var chosen []oneShot
	for i := range cfg.Accounts {
		a := &cfg.Accounts[i]
		if f.all || slices.Contains(args, a.Target.Account) {
			s, err := f.oneShotOf(cfg, a)
			if err != nil {
				return nil, limits, err
			}
			chosen = append(chosen, s)
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

func (f *probeFlags) oneShotOf(cfg *config.Config, a *config.Account) (oneShot, error) {
	target := a.Target
	if f.module != "" && f.module != a.Module {
		var err error
		if target, err = cfg.TargetWith(a, f.module); err != nil {
			return oneShot{}, fmt.Errorf("%s: %w", a.Target.Account, err)
		}
	}
	return newOneShot(a, target), nil
}

// chooseAdHoc returns the account that the flags describe, with a password that is asked for where none is named.
func (f *probeFlags) chooseAdHoc(cmd *cobra.Command, demo config.Demo) ([]oneShot, bounds, error) {
	h := f.adHoc
	h.Demo = demo
	if h.PasswordFile == "-" {
		password, err := readPassword(cmd.InOrStdin())
		if err != nil {
			return nil, bounds{}, err
		}
		h.PasswordFile, h.Password = "", &password
	} else if needsPassword(&h) {
		password, err := askPassword(cmd, fmt.Sprintf("Password of %s at %s: ", h.Username, h.Server))
		if err != nil {
			return nil, bounds{}, err
		}
		h.Password = &password
	}
	account, warnings, err := h.Account()
	for _, warning := range warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", warning)
	}
	if err != nil {
		return nil, bounds{}, &configError{err}
	}
	return []oneShot{newOneShot(account, account.Target)}, bounds{}, nil
}

// needsPassword reports whether an account logs in with a password that no flag tells of.
func needsPassword(h *config.AdHoc) bool {
	switch probe.AuthMethod(h.Auth) {
	case "", probe.AuthAuto, probe.AuthLogin, probe.AuthPlain, probe.AuthSCRAMSHA256:
		return h.PasswordFile == "" && h.TokenFile == "" && h.Server != "" && h.Username != ""
	default:
		return false
	}
}

// A presenter shows probes: each as it ends, in their order, and all at the end, from which follows the exit status.
type presenter struct {
	each func(format.Probe) error
	end  func([]format.Probe) error
}

// presenter returns that of the format.
func (f *probeFlags) presenter(cmd *cobra.Command) (p presenter, err error) {
	w := cmd.OutOrStdout()
	style, err := styleFor(w, f.color)
	if err != nil {
		return p, err
	}
	warning, err := format.ParseThresholds(f.warning)
	if err != nil {
		return p, fmt.Errorf("--warning: %w", err)
	}
	critical, err := format.ParseThresholds(f.critical)
	if err != nil {
		return p, fmt.Errorf("--critical: %w", err)
	}
	if f.format != formatNagios && len(warning)+len(critical) > 0 {
		return p, errors.New("--warning and --critical are for -o nagios")
	}
	p.each = func(format.Probe) error { return nil }
	switch f.format {
	case formatText:
		separator := ""
		p.each = func(one format.Probe) error {
			fmt.Fprint(w, separator)
			separator = "\n"
			return format.Text(w, one, style, f.transcript)
		}
		p.end = func([]format.Probe) error { return nil }
	case formatJSON:
		p.end = func(all []format.Probe) error { return format.JSON(w, all, f.transcript) }
	case formatProm:
		p.end = func(all []format.Probe) error { return format.Prometheus(w, all) }
	case formatNagios:
		p.end = func(all []format.Probe) error {
			state, err := format.Nagios(w, all, warning, critical)
			return errors.Join(err, exit(int(state)))
		}
		return p, nil
	default:
		return p, errors.New("--output: must be " + strings.Join([]string{formatText, formatJSON, formatProm, formatNagios}, ", "))
	}
	write := p.end
	p.end = func(all []format.Probe) error {
		if err := write(all); err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(one format.Probe) bool { return !one.OK() }) {
			return exit(statusFailed)
		}
		return nil
	}
	return p, nil
}
