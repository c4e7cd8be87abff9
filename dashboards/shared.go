package dashboards

import "fmt"

// accountTable is the table of accounts: what is broken, since when, where and why.
func accountTable(title, help string) panel {
	link := func(uid, variables string) property {
		return property{"links", []object{{
			"title": "Open ${__value.text}",
			"url": "/d/" + uid + "/" + uid + "?var-datasource=${datasource}&var-job=${__data.fields.job:percentencode}" +
				"&var-instance=${__data.fields.Exporter:percentencode}&var-server=${__data.fields.Server:percentencode}" + variables + "&${__url_time_range}",
		}}}
	}
	width := func(n int) property { return property{"custom.width", n} }
	unit := func(u string) property { return property{"unit", u} }
	decimals := func(n int) property { return property{"decimals", n} }
	colours := func(steps ...step) property { return property{"thresholds", thresholds(steps)} }
	cell := func(kind string) property {
		return property{"custom.cellOptions", object{"type": kind, "mode": "basic"}}
	}
	none := func(text string) property { return property{"noValue", text} }
	byKey := "by (" + key + ")"
	return table(title, help,
		column("max "+byKey+" ("+state+")"),
		column("max by ("+key+", phase, reason) ("+lastFailure+")"),
		column("1000 * max "+byKey+" ("+lastSuccess+")"),
		column("max "+byKey+" (avg_over_time(imap_probe_success{@}[1h]))"),
		column("max "+byKey+" ("+takes+")"),
		column("max "+byKey+" ("+takes+"\n  / ("+tookYesterday+" > 0))"),
		column(certificateDays),
		column(quotaPercent),
		column("1000 * max "+byKey+" (imap_probe_next_login_timestamp_seconds{@})"),
	).
		transform("merge", object{}).
		transform("organize", object{
			"excludeByName": object{"Time": true, "Value #B": true},
			"indexByName": object{
				"Value #A": 0, "account": 1, "server": 2, "phase": 3, "reason": 4, "Value #C": 5, "Value #D": 6, "Value #E": 7, "Value #F": 8,
				"Value #G": 9, "Value #H": 10, "Value #I": 11, "instance": 12, "job": 13,
			},
			"renameByName": object{
				"account": "Account", "server": "Server", "phase": "Phase", "reason": "Reason", "instance": "Exporter",
				"Value #A": "State", "Value #C": "Last success", "Value #D": "OK, 1 h", "Value #E": "Takes", "Value #F": "vs. 1 d ago",
				"Value #G": "Certificate", "Value #H": "Quota", "Value #I": "Next login",
			},
		}).
		sorted("State", "vs. 1 d ago").unit(text).none("–").
		field("State", width(105), property{"custom.filterable", true}, unit(count), property{"mappings", mappings(stateWords)}, cell("color-background"), property{"custom.align", "center"}).
		field("Account", property{"custom.filterable", true}, link(accountUID, "&var-account=${__data.fields.Account:percentencode}"), property{"custom.minWidth", 140}).
		field("Server", property{"custom.filterable", true}, link(serverUID, ""), property{"custom.minWidth", 165}).
		field("Phase", width(90), property{"custom.filterable", true}).
		field("Reason", width(150), property{"custom.filterable", true}).
		field("Last success", width(140), unit(ago), none("none known")).
		field("OK, 1 h", width(75), unit(share), decimals(0), colours(availability...), cell("color-text")).
		field("Takes", width(80), unit(seconds), decimals(0)).
		field("vs. 1 d ago", width(120), unit(times), decimals(1), colours(slowness...), cell("color-text")).
		field("Certificate", width(95), unit(days), decimals(0), colours(certificate...), cell("color-text"), none("no TLS")).
		field("Quota", width(105), unit(percent), decimals(0), colours(fullness...), cell("gauge"), property{"min", 0}, property{"max", 100}).
		field("Next login", width(110), unit(ago)).
		field("Exporter", width(135)).
		field("job", property{"custom.hidden", true})
}

// worst is how many accounts a panel shows that can't show all.
const worst = 15

// availabilityTimeline shows the worst accounts only, so that it is readable with a thousand of them.
func availabilityTimeline() panel {
	expr := fmt.Sprintf(`min by (account, server) (%s)
and on (account, server) bottomk(%d, avg by (account, server) (avg_over_time(imap_probe_success{@}[$__range] @ end())))`, strip, worst)
	return stateTimeline("Availability of accounts",
		fmt.Sprintf("Whether the last probe went well, along time, for the %d accounts with the least availability in the time range. Of several exporters, the worst counts. ", worst)+
			"A gap means that no probe ran: the exporter was down, or the account was new. One account red: look at its row in the table. All of one server: open the server. "+
			"All at once: the network, or the exporter itself.",
		query(expr, "{{account}}"),
	).mapped(stripWords...).unit(count).none("No account was probed in this time")
}

func failuresByReason() panel {
	return timeseries("Failures by reason",
		"Failed probes by phase (where) and reason (why). auth/rejected is a wrong password, auth/throttled the server's limit, connect/timeout a firewall, select/timeout a mailbox store that hangs. "+
			"docs/imap.md tells who acts on which reason. A rare pair is counted from its second failure on.",
		query(failureReasons, "{{phase}} / {{reason}}"),
	).bars().counting().none("No failure in this time").
		option("legend", object{"displayMode": "table", "placement": "right", "showLegend": true, "calcs": []string{"sum"}, "sortBy": "Total", "sortDesc": true})
}

func loginHeatmap() panel {
	return heatmap("Login: how long, how often",
		"All successful logins by duration: a row is a range of durations, a cell's colour how many logins fell into it. A second stripe above the first is one server, or a part of the logins, that is slow. "+
			"Its share of the accounts is in the table, column Takes. Needs classic histograms.",
		`sum by (le) (increase(imap_probe_phase_duration_seconds_bucket{@, phase="auth"}[$__rate_interval]))`,
	).unit(count).none("No successful login in this time, or no classic histograms")
}

func probeHeatmap() panel {
	return heatmap("Whole probe: how long, how often",
		"All successful probes by duration, from DNS to LOGOUT. Slow here and not at the login: see which phase it is, below. Needs classic histograms.",
		`sum by (le) (increase(imap_probe_duration_seconds_bucket{@}[$__rate_interval]))`,
	).unit(count).none("No successful probe in this time, or no classic histograms")
}

func phaseQuantile() panel {
	return timeseries("Latency by phase, $quantile quantile",
		"How long the phases that ended well took, over all accounts shown. Choose the quantile at the top. The network is blue, TLS green, the login orange, the mailbox violet. Classic histograms begin at 5 ms: what is faster reads as just below. "+
			"A phase that climbs alone points at its own cause: docs/imap.md, \"what makes it slow\".",
		query(quantile("$quantile", phaseHistogram, "phase", point), "{{phase}}"),
	).logarithmic().unit(seconds).byPhase().none("No successful phase in this time").look("spanNulls", bridged)
}

func phaseTable() panel {
	value := func(steps ...step) []property {
		return []property{
			{"unit", seconds},
			{"decimals", 1},
			{"thresholds", thresholds(steps)},
			{"custom.cellOptions", object{"type": "color-text", "mode": "basic"}},
		}
	}
	steps := []step{{good, 0}, {warning, 0.5}, {bad, 2}}
	return table("Latency by phase, whole range",
		"Quantiles of each phase over the time range, the slowest first. A wide gap between p50 and p99 means that a few probes, or a few accounts, are slow, and most are not.",
		column(quantile("0.5", phaseHistogram, "phase", whole)),
		column(quantile("0.95", phaseHistogram, "phase", whole)),
		column(quantile("0.99", phaseHistogram, "phase", whole)),
	).wide(8).
		transform("merge", object{}).
		transform("organize", object{
			"excludeByName": object{"Time": true},
			"indexByName":   object{"phase": 0, "Value #A": 1, "Value #B": 2, "Value #C": 3},
			"renameByName":  object{"phase": "Phase", "Value #A": "p50", "Value #B": "p95", "Value #C": "p99"},
		}).
		sorted("p95").unit(text).none("–").onePage().
		field("p50", value(steps...)...).field("p95", value(steps...)...).field("p99", value(steps...)...)
}

// bridged are the milliseconds between two points that are still joined, for accounts that are probed seldom.
const bridged = 600_000

// quantileVariable chooses what phaseQuantile shows.
func quantileVariable() variable {
	return variable{name: "quantile", label: "Quantile", help: "Of the graph of latency by phase.", choices: []string{"0.5", "0.9", "0.95", "0.99"}, value: "0.95"}
}
